// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"math"
	"math/rand"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Embodied emissions are known of the CPU time whose hardware is known, even if they are 0; of the
// rest they are not. In every scope both add up to the site.
func TestOfWhichCPUTimeEmbodiedEmissionsAreKnown(t *testing.T) {
	isis, clf := key("ISIS", "Muon", "alice", "Muons"), key("CLF", "SANS", usage.Unattributed, "CLF")
	for _, c := range []struct {
		name     string
		embodied map[string]usage.GramsPerCoreHour
		grams    usage.Grams
		of       map[string]bool // projects whose hardware is known
	}{
		{"nobody has configured any", nil, 0, nil},
		{"none of these", map[string]usage.GramsPerCoreHour{}, 0, nil},
		{"one of two machine types", map[string]usage.GramsPerCoreHour{"Muon": 0.5}, 0.5, map[string]bool{"ISIS": true}},
		{"it is paid off, which is known", map[string]usage.GramsPerCoreHour{"Muon": 0}, 0, map[string]bool{"ISIS": true}},
		{"both", map[string]usage.GramsPerCoreHour{"Muon": 0.5, "SANS": 1}, 1.5, map[string]bool{"ISIS": true, "CLF": true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t)
			i := at(1)
			rec := unpriced(i, fact(isis, i.Start, 0.012, 0.001), fact(clf, i.Start, 0.012, 0.001))
			for n := range rec.Facts {
				rec.Facts[n].CPU = usage.BusyIdle[usage.CPUSeconds]{Busy: 600, Idle: 3000}
			}
			rec.Embodied = c.embodied
			commit(t, s, rec, rec) // twice
			a := account(t, s, usage.Period{From: i.Start, To: i.End()})
			holdAccount(t, s, a)
			for _, project := range a.By(usage.ScopeProject) {
				want := usage.CPUSeconds(0)
				if c.of[project.Name] {
					want = project.CPU.Total()
				}
				if project.Hardware != want {
					t.Errorf("%s: hardware of %v of %v CPU seconds is known, want %v", project.Name, project.Hardware, project.CPU.Total(), want)
				}
			}
			for _, scope := range usage.Scopes() {
				var grams usage.Grams
				var known usage.CPUSeconds
				for _, m := range a.By(scope) {
					grams, known = grams+m.Embodied, known+m.Hardware
				}
				if math.Abs(float64(grams-c.grams)) > 1e-12 || known != usage.CPUSeconds(3600*len(c.of)) {
					t.Errorf("%s: %v g of %v CPU seconds, want %v g of %v", scope, grams, known, c.grams, 3600*len(c.of))
				}
			}
		})
	}
}

// Whatever an interval was made with before, and in whatever order intervals come, the sums are
// those of what it is made with now.
func TestEmbodiedEmissionsAreThoseOfTheNewestRecords(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	const intervals = 20
	recs := make([]usage.Record, intervals)
	for n := range recs {
		recs[n] = randomRecord(r, at(n))
		recs[n].State, recs[n].Prices = usage.Unpriced, nil
		recs[n].Embodied = map[string]usage.GramsPerCoreHour{}
		for _, f := range recs[n].Facts {
			switch r.Intn(3) {
			case 0:
				recs[n].Embodied[f.Machine] = usage.GramsPerCoreHour(r.Float64())
			case 1:
				recs[n].Embodied[f.Machine] = 0
			}
		}
	}
	site := func(s *Store) []usage.Tally {
		return account(t, s, usage.Period{From: at(0).Start, To: at(intervals).Start}).By(usage.ScopeUser)
	}
	want := newStore(t)
	commit(t, want, anySlice(recs)...)
	s := newStore(t)
	for _, n := range r.Perm(intervals) {
		other := recs[n]
		other.Embodied = map[string]usage.GramsPerCoreHour{}
		for _, f := range other.Facts {
			other.Embodied[f.Machine] = 7
		}
		commit(t, s, other, recs[n])
	}
	for n, got := range site(s) {
		if want := site(want)[n]; got.Embodied != want.Embodied || got.Hardware != want.Hardware || got.Name != want.Name {
			t.Errorf("%s: %v g of %v CPU seconds, want %v g of %v", got.Name, got.Embodied, got.Hardware, want.Embodied, want.Hardware)
		}
	}
	holdAccount(t, s, account(t, s, usage.Period{From: at(0).Start, To: at(intervals).Start}))
}
