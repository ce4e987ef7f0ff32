// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/power"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Live, backfill and recost, in any order, any of them again and cut short
// anywhere: the record is that of an exporter that was there all the time.
func TestAnyWayEndsInTheSameRecord(t *testing.T) {
	for interval, seeds := range map[time.Duration]uint64{30 * time.Minute: 2, time.Hour: 1} {
		t.Run(interval.String(), func(t *testing.T) {
			clean := newRig(t, func(s *Settings) { s.Lookback, s.Interval = 32*time.Hour, interval })
			clean.both()
			clean.now = clean.now.Add(2 * time.Hour)
			clean.both()
			calm(clean)
			want, counted := clean.dump(), clean.counters()
			for seed := range seeds {
				t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
					random := rand.New(rand.NewPCG(seed, 2))
					r := newRig(t, func(s *Settings) { s.Lookback, s.Interval = 4*time.Hour, interval })
					r.hurry = true
					if seed%2 == 0 {
						r.both()
					}
					for range 14 {
						r.something(random)
					}
					r.now = start.Add(2*time.Hour + 3*time.Minute)
					r.healthy()
					r.both()
					r.mustBackfill(hours(-32, 2))
					// Whatever the last costs were, these are the ones that hold.
					if _, err := r.recost(hours(-32, 2).restated()); err != nil {
						t.Fatal(err)
					}
					calm(r)
					if got := r.dump(); got != want {
						t.Errorf("the record differs:\n%s", firstDifference(got, want))
					}
					for k, is := range r.counters() {
						for i, v := range is {
							if v < counted[k][i] {
								t.Errorf("a settled counter of %v is %v, want at least %v", k, v, counted[k][i])
							}
						}
					}
				})
			}
		})
	}
}

func (r *rig) healthy() {
	r.server.fault, r.server.most, r.server.heard = nil, 0, nil
	r.grid.SetFault(simulate.Healthy)
}

// something happens, as it may to an operator.
func (r *rig) something(random *rand.Rand) {
	r.t.Helper()
	r.healthy()
	r.server.most = pick(random, 0, 0, 30, 9, 3)
	r.grid.SetFault(pick(random, simulate.Healthy, simulate.Healthy, simulate.Down, simulate.EmptyData, simulate.HTMLPage))
	from := -32 + float64(random.IntN(33))
	over := hours(from, from+float64(1+random.IntN(12)))
	over.Restate = random.IntN(3) == 0
	switch random.IntN(7) {
	case 0, 1:
		r.now = r.now.Add(time.Duration(random.IntN(40)) * time.Minute)
		if r.now.After(start.Add(2 * time.Hour)) {
			r.now = start.Add(2 * time.Hour)
		}
		r.energy() //nolint:errcheck // failing is the point
		r.carbon() //nolint:errcheck // likewise
	case 2:
		r.restart()
	case 3:
		over.Restate = true
		if _, err := r.recost(over, wasteful); err != nil {
			r.t.Fatal(err)
		}
	case 4:
		if _, err := r.backfill(over.of(r.cloud.Hosts()[0].Project)); err != nil {
			r.t.Fatal(err)
		}
	default:
		ctx := r.cancelledAt(1 + random.IntN(8))
		if _, err := r.backfillUntil(ctx, over); err != nil && !errors.Is(err, context.Canceled) {
			r.t.Fatal(err)
		}
	}
}

// wasteful is a site whose machines draw more than they do.
func wasteful(s *Settings) {
	s.PUE = 1.7
	s.Power = func(context.Context, time.Time) (Power, error) {
		return power.Model{Default: usage.Rating{Watts: usage.BusyIdle[usage.Watts]{Busy: 31, Idle: 7}}}, nil
	}
}

func TestABackfillStoresWhatAnExporterWouldHave(t *testing.T) {
	over := hours(-30, 0)
	want := newRig(t, func(s *Settings) { s.Lookback = 30 * time.Hour })
	want.both()
	r := newRig(t, func(s *Settings) { s.Lookback = time.Hour })
	r.both()
	done := r.mustBackfill(over)
	wantDone(t, done, map[usage.State]int{usage.Settled: 12, usage.Provisional: 46}, 2, map[error]int{})
	if got, want := r.dump(), want.dump(); got != want {
		t.Errorf("the record differs:\n%s", firstDifference(got, want))
	}
	again := r.mustBackfill(over)
	wantDone(t, again, map[usage.State]int{}, 60, map[error]int{})
	if again.Runs != 0 || len(again.Windows) > 1 { // what is provisional is looked at again
		t.Errorf("done again, it asks %d times for CPU seconds and for the intensity of %v", again.Runs, again.Windows)
	}
	if got, want := r.dump(), want.dump(); got != want {
		t.Errorf("done again, the record differs:\n%s", firstDifference(got, want))
	}
	restated := r.mustBackfill(over.restated())
	wantDone(t, restated, map[usage.State]int{usage.Settled: 12, usage.Provisional: 48}, 0, map[error]int{})
	if got, want := r.dump(), want.dump(); got != want {
		t.Errorf("restated, the record differs:\n%s", firstDifference(got, want))
	}
}
