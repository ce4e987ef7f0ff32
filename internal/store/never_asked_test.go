// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// A run is n intervals from the first on.
func TestDropNeverAsked(t *testing.T) {
	const year = 365 * 48
	type run struct {
		first, n int
		state    usage.State // usage.Missing: never asked for
		tried    bool
	}
	for _, c := range []struct {
		name   string
		runs   []run
		before int
		want   []run
	}{
		{name: "an empty store", before: 10},
		{
			"decades before the first usage go, whoever was tried stays",
			[]run{{-9 * year, 3, usage.Missing, true}, {-9*year + 3, 30_000, usage.Missing, false}, {0, 5, usage.Missing, false}, {5, 2, usage.Settled, false}, {7, 1, usage.Missing, false}},
			year,
			[]run{{-9 * year, 3, usage.Missing, true}, {5, 2, usage.Settled, false}, {7, 1, usage.Missing, false}},
		},
		{
			"what an answer is known of stays",
			[]run{{0, 2, usage.Empty, false}, {2, 2, usage.Missing, false}, {4, 1, usage.Unpriced, false}},
			year,
			[]run{{0, 2, usage.Empty, false}, {4, 1, usage.Unpriced, false}},
		},
		{
			"a gap that may be an outage stays",
			[]run{{0, 1, usage.Provisional, false}, {1, 90 * 48, usage.Missing, false}, {1 + 90*48, 1, usage.Provisional, false}},
			year,
			[]run{{0, 1, usage.Provisional, false}, {1, 90 * 48, usage.Missing, false}, {1 + 90*48, 1, usage.Provisional, false}},
		},
		{
			"a longer one does not, with holes and empty intervals in it, too",
			[]run{{0, 1, usage.Provisional, false}, {1, 3, usage.Missing, false}, {100, 2, usage.Empty, false}, {90 * 48, 2, usage.Missing, false}, {2 + 90*48, 1, usage.Settled, false}},
			year,
			[]run{{0, 1, usage.Provisional, false}, {100, 2, usage.Empty, false}, {2 + 90*48, 1, usage.Settled, false}},
		},
		{
			"what ends within the lookback stays",
			[]run{{0, 10, usage.Missing, false}, {10, 1, usage.Settled, false}},
			4,
			[]run{{4, 6, usage.Missing, false}, {10, 1, usage.Settled, false}},
		},
		{
			"time after the last usage stays: the outage may go on",
			[]run{{0, 1, usage.Settled, false}, {1, 100 * 48, usage.Missing, false}},
			year,
			[]run{{0, 1, usage.Settled, false}, {1, 100 * 48, usage.Missing, false}},
		},
		{
			"without any usage, all stays",
			[]run{{0, 100 * 48, usage.Missing, false}},
			year,
			[]run{{0, 100 * 48, usage.Missing, false}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t)
			before, rows, kept := at(c.before).Start, 0, 0
			for _, r := range c.runs {
				rows += r.n
				if r.state == usage.Missing {
					execute(t, s.writer, `INSERT INTO usage_interval(start, seconds, state) WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < `+
						fmt.Sprint(r.n)+`) SELECT `+fmt.Sprint(at(r.first).Start.Unix())+` + 1800 * i, 1800, 'missing' FROM n`)
				}
				for i := range r.n {
					switch {
					case r.tried:
						if err := s.Failed(t.Context(), []usage.Interval{at(r.first + i)}, errors.New("refused"), before); err != nil {
							t.Fatal(err)
						}
					case r.state == usage.Empty:
						commit(t, s, usage.Record{Interval: at(r.first + i), State: usage.Empty, FetchedAt: before})
					case r.state == usage.Unpriced:
						commit(t, s, threeKeys(at(r.first+i)))
					case r.state != usage.Missing:
						commit(t, s, withPrice(threeKeys(at(r.first+i)), 200, r.state))
					}
				}
			}
			var want string
			for _, r := range c.want {
				kept += r.n
				want += fmt.Sprintln(r.first, r.n, r.state)
			}
			n, err := s.NeverAsked(t.Context(), before)
			if n != rows-kept || err != nil {
				t.Errorf("%d were never asked for, %v; want %d", n, err, rows-kept)
			}
			n, err = s.DropNeverAsked(t.Context(), before)
			if n != rows-kept || err != nil {
				t.Errorf("dropped %d, %v; want %d", n, err, rows-kept)
			}
			gaps, err := s.Gaps(t.Context(), usage.Period{})
			if err != nil {
				t.Fatal(err)
			}
			var got string
			for _, g := range gaps {
				got += fmt.Sprintln(int(g.From.Sub(epoch)/half), g.Intervals, g.State)
			}
			if got != want {
				t.Errorf("left are\n%swant\n%s", got, want)
			}
			if n, err = s.DropNeverAsked(t.Context(), before); n != 0 || err != nil {
				t.Errorf("a second time: %d, %v", n, err)
			}
			holdSums(t, s)
			holdTotals(t, s)
		})
	}
}

// What was dropped does not come back with the next start.
func TestWhatWasDroppedIsNotScheduledAgain(t *testing.T) {
	s := newStore(t)
	schedule(t, s, at(-1000), at(3).End())
	commit(t, s, threeKeys(at(2)))
	if n, err := s.DropNeverAsked(t.Context(), at(1).Start); n != 1001 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	schedule(t, s, at(-1000), at(4).End())
	want(t, "due", due(t, s, at(9).Start, 9), "1")
	if n := summary(t, s).States[usage.Missing]; n != 3 {
		t.Errorf("%d are missing, want 1, 3 and 4", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := s.DropNeverAsked(ctx, at(3).Start); n != 0 || err == nil {
		t.Errorf("%d, %v of a store that is told to end", n, err)
	}
}
