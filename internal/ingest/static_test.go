// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// fixed gives the rig one intensity for all time.
func (r *rig) fixed(value usage.GramsPerKWh) {
	r.t.Helper()
	set := r.spine.current()
	set.Grid = Chain{&intensity.Static{Intensity: value, GridName: "contract", Now: func() time.Time { return r.now }}}
	r.spine.Reload(set)
	r.grams = r.spine.carbonLoop() // with an empty memory, as after any reload
}

// prices lists the intensities that an interval is priced with.
func (r *rig) prices(i usage.Interval) (all []usage.GramsPerKWh) {
	for _, p := range r.proof(i).Prices {
		all = append(all, p.Intensity)
	}
	return all
}

// A value that is never revised is final at once: what an interval waits for is its energy.
func TestAStaticPriceSettlesAnIntervalAsSoonAsItIsComplete(t *testing.T) {
	for _, c := range []struct {
		name   string
		reread time.Duration
		hours  float64 // that pass after the interval's end
		want   usage.State
	}{
		{"without a second reading, at once", 0, 0, usage.Settled},
		{"not before the second reading", 3 * time.Hour, 2, usage.Provisional},
		{"with the second reading, long before settle_after", 3 * time.Hour, 3.5, usage.Settled},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := fleetRig(newRig(t, func(s *Settings) { rereading(s); s.RereadAfter = c.reread }))
			r.fixed(56)
			newest := usage.Interval{Start: start.Add(-30 * time.Minute), Length: 30 * time.Minute}
			r.both()
			r.pass(c.hours)
			if err := r.carbon(); err != nil {
				t.Fatal(err)
			}
			if got := r.proof(newest).State; got != c.want {
				t.Errorf("is %s, want %s", got, c.want)
			}
			if got := r.prices(newest); len(got) != 1 || got[0] != 56 {
				t.Errorf("has the prices %v", got)
			}
		})
	}
}

// Data that comes late is in before the interval settles.
func TestAStaticPriceDoesNotKeepLateDataOut(t *testing.T) {
	r, f := fleetRig(newRig(t, rereading))
	r.fixed(56)
	f.late(1, 0, 1.6, 2.5)
	first := usage.Interval{Start: start, Length: 30 * time.Minute}
	r.pass(4.5)
	if got := r.booked(first); !near(float64(got), 3*4*1800) || r.proof(first).State != usage.Settled {
		t.Errorf("%v s are booked, and it is %s", got, r.proof(first).State)
	}
}

// Another value in the configuration must not settle anything at the old one, which the store
// has for the same slots.
func TestAnotherStaticValueReplacesTheOldOneWhereNothingIsSettled(t *testing.T) {
	r, _ := fleetRig(newRig(t, func(s *Settings) { s.Lookback, s.RereadAfter = 30*time.Hour, 3*time.Hour }))
	r.fixed(56)
	r.both()
	if err := r.carbon(); err != nil {
		t.Fatal(err)
	}
	settled := usage.Interval{Start: start.Add(-5 * time.Hour), Length: 30 * time.Minute}
	open := usage.Interval{Start: start.Add(-30 * time.Minute), Length: 30 * time.Minute}
	next := open.Next()
	r.now = r.now.Add(30 * time.Minute)
	r.fixed(65)
	if err := r.energy(); err != nil { // before the new value is in the store
		t.Fatal(err)
	}
	if got := r.proof(next); got.State == usage.Settled {
		t.Errorf("settled with %v", r.prices(next))
	}
	r.pass(4)
	for _, c := range []struct {
		i    usage.Interval
		want usage.GramsPerKWh
	}{{settled, 56}, {open, 65}, {next, 65}} {
		if got := r.prices(c.i); len(got) != 1 || got[0] != c.want || r.proof(c.i).State != usage.Settled {
			t.Errorf("%s is %s at %v, want %v", c.i, r.proof(c.i).State, got, c.want)
		}
	}

	// A restatement takes the new one for what is settled, too.
	worker := &Worker{Store: r.store, Observer: silent{}, Clock: r.spine.Clock, Log: quiet, Settings: r.spine.current()}
	if _, err := worker.Recost(t.Context(), Range{Period: usage.Period{From: settled.Start, To: settled.End()}, Restate: true}); err != nil {
		t.Fatal(err)
	}
	if got := r.prices(settled); len(got) != 1 || got[0] != 65 {
		t.Errorf("recost left %v", got)
	}
}
