// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Whatever fails in between, and in whatever order things come: once all is
// well again the record is the one of an exporter that never had a bad day.
func TestAnyHistoryEndsInTheSameRecord(t *testing.T) {
	const steps = 12
	clean := newRig(t)
	clean.both()
	for range steps {
		clean.now = clean.now.Add(time.Hour)
		clean.both()
	}
	calm(clean)
	want, counted := clean.dump(), clean.counters()
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			r, random := newRig(t), rand.New(rand.NewPCG(seed, 1))
			r.both()
			for range steps {
				r.now = r.now.Add(time.Hour)
				r.server.fault = pick(random, nil, status(500), status(429), broken(`{"status":"success","data":{"resu`), broken("<html>"),
					broken(`{"status":"success","warnings":["x"],"data":{"resultType":"matrix","result":[]}}`))
				r.server.most = pick(random, 0, 0, 7, 2)
				r.grid.SetFault(pick(random, simulate.Healthy, simulate.Healthy, simulate.Down, simulate.NoActuals, simulate.EmptyData, simulate.HTMLPage))
				if random.IntN(4) == 0 {
					r.restart()
				}
				for range random.IntN(4) {
					if random.IntN(2) == 0 {
						r.energy() //nolint:errcheck // failing is the point
					} else {
						r.carbon() //nolint:errcheck // likewise
					}
				}
			}
			r.server.fault, r.server.most = nil, 0
			r.grid.SetFault(simulate.Healthy)
			calm(r)
			if got := r.dump(); got != want {
				t.Errorf("the record differs:\n%s", firstDifference(got, want))
			}
			if got := r.counters(); !maps.Equal(got, counted) {
				t.Errorf("the settled counters are %v, want %v", got, counted)
			}
		})
	}
}

// calm lets two days pass, in which everything settles.
func calm(r *rig) {
	r.now = usage.FloorEpoch(r.now, 24*time.Hour).Add(24*time.Hour + 3*time.Minute)
	for range 12 {
		r.energy() //nolint:errcheck // intervals that were put off are due by and by
		r.carbon() //nolint:errcheck // likewise
		r.now = r.now.Add(10 * time.Minute)
	}
	r.now = r.now.Add(26 * time.Hour)
	r.both()
	r.now = r.now.Add(11 * time.Minute)
	r.both()
}

// Data that comes late or never, readings that fail, second readings in any number
// and order, restarts: once all is well the record is the one of a single reading of all there is.
func TestLateDataEndsInTheSameRecord(t *testing.T) {
	const steps = 16
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 3))
			clean, all := fleetRig(newRig(t, rereading))
			r, f := fleetRig(newRig(t, rereading))
			for range 5 {
				host, from := random.IntN(3), random.Float64()*steps
				to := from + 0.1 + random.Float64()*2
				arrives := to + random.Float64()*(3-(to-from)) // in time for the second reading
				if random.IntN(3) == 0 {
					arrives = 0
				}
				f.late(host, from, to, arrives)
				all.late(host, from, to, arrives)
			}
			r.both()
			for range steps {
				r.now = r.now.Add(time.Hour)
				f.fault = func() error {
					if random.IntN(3) == 0 {
						return &usage.Failure{Reason: usage.ReasonServer, Status: 500}
					}
					return nil
				}
				r.grid.SetFault(pick(random, simulate.Healthy, simulate.Healthy, simulate.Down, simulate.NoActuals))
				if random.IntN(4) == 0 {
					r.restart()
				}
				for range random.IntN(4) {
					r.energy() //nolint:errcheck // failing is the point
					r.carbon() //nolint:errcheck // likewise
				}
				if random.IntN(4) == 0 {
					over := hours(random.Float64()*steps-1, steps)
					if _, err := r.backfill(over); err != nil {
						t.Log(err)
					}
				}
			}
			f.fault = nil
			r.grid.SetFault(simulate.Healthy)
			// All at once, when everything has come.
			r.both()
			clean.now = r.now
			clean.spine.Reload(func() Settings { s := clean.spine.current(); s.Lookback += steps * time.Hour; return s }())
			clean.both()
			for _, each := range []*rig{r, clean} {
				for range 9 {
					each.now = each.now.Add(30 * time.Minute)
					each.energy() //nolint:errcheck // intervals that were put off are due by and by
					each.carbon() //nolint:errcheck // likewise
				}
				calm(each)
			}
			if got, want := r.dump(), clean.dump(); got != want {
				t.Errorf("the record differs:\n%s", firstDifference(got, want))
			}
			if got, want := r.counters(), clean.counters(); !maps.Equal(got, want) {
				t.Errorf("the settled counters are %v, want %v", got, want)
			}
		})
	}
}
