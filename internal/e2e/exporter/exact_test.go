// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"strings"
	"testing"
	"time"
)

// waitFor bounds every wait. The longest back-off that a test causes is 4 s.
const waitFor = 40 * time.Second

func TestTheSimulationsTruthComesOut(t *testing.T) {
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(30*time.Minute, 12*time.Hour)
	where := settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL}.place(t, over)
	want := truth(s.cloud, over, uk.price)

	p := start(t, where.args()...)
	seen := p.becomesWhole(over)
	seen.checkUsage(t, want.total())
	n, err := seen.states()
	if err != nil || n["settled"] < 16 || n["provisional"] < 5 {
		t.Errorf("of 24 half hours, intervals by state are %v: those older than 3 h are settled", n)
	}
	checkNeighbours(t, seen, want)
	usageFamilies := []string{"carbon_cpu_seconds", "carbon_energy_kwh", "carbon_emissions_gco2eq"}
	before := p.lines(usageFamilies...)
	p.terminate()
	checkStore(t, where.store, want)
	checkIntervals(t, where.store, over)

	p = start(t, where.args()...)
	p.becomesWhole(over)
	if after := p.lines(usageFamilies...); after != before {
		t.Errorf("after a restart the exposition differs:\n%s\nbefore:\n%s", after, before)
	}
	p.terminate()
	checkStore(t, where.store, want)
	if strings.Contains(p.Stderr.String(), "level=ERROR") {
		t.Errorf("it logged errors:\n%s", p.Stderr.String())
	}
}

// checkNeighbours looks at the two hosts of which one's address begins with the
// other's: an unanchored matcher would give one the seconds of both.
func checkNeighbours(t *testing.T, seen scrape, want book) {
	t.Helper()
	cpu := seen.usage(t, "carbon_cpu_seconds")
	var found []float64
	for key, a := range want.total() {
		// The first two addresses; no other of twelve has their project and machine.
		first := key.Project == "IDAaaS" && key.Machine == "Muon"
		second := key.Project == "TDAaaS" && key.Machine == "SANS"
		if !first && !second {
			continue
		}
		found = append(found, a.CPU.Total())
		if got := cpu[key].Total(); !near(got, a.CPU.Total(), exact) {
			t.Errorf("%v has %v CPU seconds, truth %v", key, got, a.CPU.Total())
		}
	}
	if len(found) != 2 || near(found[0], found[1], 1e-3) {
		t.Errorf("172.16.100.5 and 172.16.100.50 are not told apart: CPU seconds %v", found)
	}
}
