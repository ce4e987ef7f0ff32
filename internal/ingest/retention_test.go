// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// day is the first interval of a day, counted from the start.
func day(n int) usage.Interval {
	return usage.Interval{Start: start.Add(time.Duration(n) * 24 * time.Hour), Length: 30 * time.Minute}
}

// used commits that interval, settled.
func (r *rig) used(n int) {
	r.t.Helper()
	i := day(n)
	rec := usage.Record{
		Interval: i, State: usage.Settled, PUE: 1, FetchedAt: i.End(),
		Facts:  []usage.Fact{{Key: usage.Key{Project: "p", Machine: "m", User: "u", Group: "g"}, Start: i.Start, Energy: usage.ByMode[usage.KWh]{Busy: 1, Idle: 2}}},
		Prices: []usage.PiecePrice{{Start: i.Start, Price: usage.Price{Intensity: 100, Kind: usage.Actual, Quality: usage.QualityFinal, Provider: "uk", Grid: "GB", SlotFrom: i.Start, FetchedAt: i.End()}}},
	}
	if _, err := r.store.Update(context.Background(), []usage.Interval{i}, func(usage.Stored) (usage.Record, usage.Policy, error) {
		return rec, usage.Policy{Answered: true, Restate: true}, nil
	}); err != nil {
		r.t.Fatal(err)
	}
}

// kept is how many of the days before the start still have their facts.
func (r *rig) kept(days int) (n int) {
	r.t.Helper()
	for d := -days; d < 0; d++ {
		if p := r.proof(day(d)); !p.Pruned && len(p.Facts) == 1 {
			n++
		}
	}
	return n
}

// Rows of fact_usage have a retention of their own, and leave by the same terms.
func TestOldMembersLeaveDayByDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		const days = 30
		for d := -days; d < 0; d++ {
			r.used(d)
		}
		r.used(0)
		r.use(New(r.store, silent{}, quiet, shifted(), r.spine.current()))
		r.spine.RetentionMembers = 10 * 24 * time.Hour
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.spine.memberPruner().run(ctx) }()
		time.Sleep(2 * pruneEvery)
		cancel()
		<-done
		var first time.Time
		if err := r.store.ReplayMembers(t.Context(), usage.Period{From: day(-days).Start, To: day(1).End()}, func(m usage.Member) error {
			if first.IsZero() {
				first = m.Interval.Start
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if want := day(-10).Start; !first.Equal(want) || r.kept(days) != days {
			t.Errorf("rows of fact_usage begin at %v, want %v; %d of %d days have their facts", first, want, r.kept(days), days)
		}
		r.store.Close()
	})
}

func TestOldFactsLeaveDayByDay(t *testing.T) {
	for _, tc := range []struct {
		name              string
		keep              time.Duration
		atOnce, aDayLater int // kept of 30 days
		writer, delivered bool
	}{
		{name: "ten days are kept", keep: 10 * 24 * time.Hour, atOnce: 10, aDayLater: 9},
		{name: "a retention that is shorter than budgets look back", keep: time.Hour, atOnce: 8, aDayLater: 7},
		{name: "for ever", keep: 0, atOnce: 30, aDayLater: 30},
		{name: "until a writer that is away has written them", keep: time.Hour, writer: true, atOnce: 30, aDayLater: 30},
		{name: "once they were written to MongoDB", keep: time.Hour, writer: true, delivered: true, atOnce: 8, aDayLater: 7},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(s *Settings) {
					if tc.writer {
						s.UsageWriter = &shelf{away: !tc.delivered}
					}
				})
				const days = 30
				for d := -days; d < 0; d++ {
					r.used(d)
				}
				r.use(New(r.store, silent{}, quiet, shifted(), r.spine.current()))
				r.spine.Retention = tc.keep
				if tc.delivered {
					if err := r.spine.writerLoop().write(t.Context(), r.spine.current().UsageWriter); err != nil {
						t.Fatal(err)
					}
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { defer close(done); r.spine.pruner().run(ctx) }()
				for _, step := range []struct {
					day, want int
					wait      time.Duration
				}{{0, tc.atOnce, 2 * pruneEvery}, {1, tc.aDayLater, 24 * time.Hour}} {
					r.used(step.day)
					time.Sleep(step.wait)
					if n := r.kept(days); n != step.want {
						t.Errorf("on day %d, %d days have their facts, want %d", step.day, n, step.want)
					}
				}
				cancel()
				<-done
				r.store.Close()
			})
		})
	}
}

// shelf is a usage writer that takes whatever comes, unless it is away.
type shelf struct{ away bool }

func (s *shelf) Name() string { return "shelf" }

func (s *shelf) Prepare(context.Context) error { return nil }

func (s *shelf) Write(context.Context, []usage.Rollup) error {
	if s.away {
		return &usage.Failure{Reason: usage.ReasonConnection}
	}
	return nil
}
