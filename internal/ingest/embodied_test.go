// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/embodied"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// server is one with emissions of 1 000 g for each core and hour of a life of four hours.
func server(bought time.Time) embodied.Hardware {
	return embodied.Hardware{Made: 4_000_000, Life: 4 * time.Hour, Cores: 1000, Bought: bought}
}

// onHardware is a site whose machine types run on servers.
func onHardware(machines map[string]embodied.Hardware) func(*Settings) {
	return func(s *Settings) { s.Embodied = embodied.Fleet{Machines: machines}.Rate }
}

// tallies are the members of a scope in hours around the start of the rig, by name.
func (r *rig) tallies(scope usage.Scope, from, to float64) map[string]usage.Tally {
	r.t.Helper()
	accounts, err := r.store.Accounts(context.Background(), hours(from, to).Period)
	if err != nil {
		r.t.Fatal(err)
	}
	all := map[string]usage.Tally{}
	for _, t := range accounts[0].By(scope) {
		all[t.Name] = t
	}
	return all
}

// A server emits in its years of use and in no other time. That it is paid off is known; of a
// machine type whose hardware is not configured nothing is.
func TestEmbodiedEmissionsFromPurchaseToEndOfLife(t *testing.T) {
	r := aged(t, onHardware(map[string]embodied.Hardware{"Muon": server(start.Add(-26*time.Hour - 15*time.Minute))}))
	r.mustBackfill(hours(-28, -20))
	for _, c := range []struct {
		name     string
		from, to float64
		rate     usage.GramsPerCoreHour
	}{
		{"before it is bought", -28, -26.5, 0},
		{"in the half hour in which it is", -26.5, -26, 500},
		{"in its life", -26, -22.5, 1000},
		{"in the half hour in which it is paid off", -22.5, -22, 500},
		{"paid off, for good", -22, -20, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			of := r.tallies(usage.ScopeMachine, c.from, c.to)
			if muon := of["Muon"]; muon.CPU.Total() == 0 || muon.Hardware != muon.CPU.Total() || !near(float64(muon.Embodied), float64(c.rate.Of(muon.CPU.Total()))) {
				t.Errorf("%v g of %v CPU seconds of %v, want %v g for each core and hour", muon.Embodied, muon.Hardware, muon.CPU.Total(), c.rate)
			}
			if artemis := of["Artemis"]; artemis.CPU.Total() == 0 || artemis.Hardware != 0 || artemis.Embodied != 0 {
				t.Errorf("of hardware that nobody has named: %v g of %v CPU seconds", artemis.Embodied, artemis.Hardware)
			}
		})
	}
	// What its four hours make of all machines on it: 1/1000 of the server is a core.
	if all := r.tallies(usage.ScopeMachine, -28, -20)["Muon"]; !near(float64(all.Embodied), 2*4_000_000/1000) {
		t.Errorf("%v g, want what making two cores emitted", all.Embodied)
	}
	proof := r.proof(usage.Interval{Start: start.Add(-26*time.Hour - 30*time.Minute), Length: 30 * time.Minute})
	if len(proof.Embodied) != 1 || !near(float64(proof.Embodied["Muon"]), 500) {
		t.Errorf("the store has %v", proof.Embodied)
	}
}

func TestEmbodiedEmissionsAddUp(t *testing.T) {
	r := aged(t, onHardware(map[string]embodied.Hardware{"Muon": server(time.Time{}), "Artemis": server(start.Add(-25 * time.Hour))}))
	r.mustBackfill(hours(-28, -20))
	site := r.tallies(usage.ScopeAda, -28, -20)["ada"]
	if site.Embodied == 0 || site.Hardware != site.CPU.Total() {
		t.Errorf("the site has %v g of %v CPU seconds of %v", site.Embodied, site.Hardware, site.CPU.Total())
	}
	for _, scope := range usage.Scopes() {
		var grams usage.Grams
		for _, m := range r.tallies(scope, -28, -20) {
			grams += m.Embodied
		}
		if !near(float64(grams), float64(site.Embodied)) {
			t.Errorf("%s adds up to %v g, the site has %v", scope, grams, site.Embodied)
		}
	}
	var grams, settled usage.Grams
	for _, total := range r.summary().Totals {
		grams, settled = grams+total.Embodied, settled+total.SettledEmbodied
	}
	half := r.tallies(usage.ScopeAda, -28, -24)["ada"].Embodied // those before are settled
	if !near(float64(grams), float64(site.Embodied)) || !near(float64(settled), float64(half)) {
		t.Errorf("/metrics has %v g, settled %v, want %v and %v", grams, settled, site.Embodied, half)
	}
}

func TestEmbodiedEmissionsInAnyOrder(t *testing.T) {
	hardware := onHardware(map[string]embodied.Hardware{"Muon": server(start.Add(-25*time.Hour - 15*time.Minute))})
	want, r := aged(t, hardware), aged(t, hardware)
	want.mustBackfill(hours(-28, -20))
	for _, part := range []Range{hours(-22, -20), hours(-28, -26), hours(-23, -22), hours(-26, -23), hours(-27, -21).restated()} {
		r.mustBackfill(part)
	}
	if got, want := r.dump(), want.dump(); got != want {
		t.Errorf("the record differs:\n%s", firstDifference(got, want))
	}
}

// A recost applies the hardware of now to intervals of then, and leaves what an exporter would
// have stored that had known it from the beginning.
func TestARecostAppliesOtherHardware(t *testing.T) {
	other := onHardware(map[string]embodied.Hardware{"Muon": server(start.Add(-25 * time.Hour)), "Artemis": server(time.Time{})})
	want := aged(t, other)
	want.mustBackfill(hours(-28, -20))
	for _, c := range []struct {
		name   string
		before []func(*Settings)
	}{
		{"nothing was known", nil},
		{"another machine type's", []func(*Settings){onHardware(map[string]embodied.Hardware{"Artemis": server(start.Add(-22 * time.Hour))})}},
		{"more", []func(*Settings){onHardware(map[string]embodied.Hardware{"Muon": server(time.Time{}), "Artemis": server(time.Time{}), "SANS": server(time.Time{})})}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := aged(t, c.before...)
			r.mustBackfill(hours(-28, -20))
			before := r.dump()
			if _, err := r.recost(hours(-28, -20).restated(), other); err != nil {
				t.Fatal(err)
			}
			if got, want := r.dump(), want.dump(); got != want {
				t.Errorf("the record differs:\n%s", firstDifference(got, want))
			}
			back := func(s *Settings) { s.Embodied = nil }
			if len(c.before) > 0 {
				back = c.before[0]
			}
			if _, err := r.recost(hours(-28, -20).restated(), back); err != nil {
				t.Fatal(err)
			}
			if got := r.dump(); got != before {
				t.Errorf("and back again the record differs:\n%s", firstDifference(got, before))
			}
		})
	}
}

// Settled emissions are a counter: less hardware lets it stand, and it goes on from there.
func TestSettledEmbodiedEmissionsNeverFall(t *testing.T) {
	r := aged(t, onHardware(map[string]embodied.Hardware{"Muon": server(time.Time{})}))
	r.mustBackfill(hours(-28, -24))
	settled := func() map[usage.Key]usage.Grams {
		all := map[usage.Key]usage.Grams{}
		for _, total := range r.summary().Totals {
			all[total.Key] = total.SettledEmbodied
		}
		return all
	}
	was := settled()
	some := usage.Grams(0)
	for _, grams := range was {
		some += grams
	}
	if some == 0 {
		t.Fatal("nothing is settled")
	}
	for _, c := range []struct {
		name   string
		change func(*Settings)
	}{
		{"it is not configured any more", func(s *Settings) { s.Embodied = nil }},
		{"it was bought long ago", onHardware(map[string]embodied.Hardware{"Muon": server(start.AddDate(-9, 0, 0))})},
		{"it emitted half", onHardware(map[string]embodied.Hardware{"Muon": {Made: 2_000_000, Life: 4 * time.Hour, Cores: 1000}})},
		{"it emitted twice as much", onHardware(map[string]embodied.Hardware{"Muon": {Made: 8_000_000, Life: 4 * time.Hour, Cores: 1000}})},
		{"and as at first", onHardware(map[string]embodied.Hardware{"Muon": server(time.Time{})})},
	} {
		if _, err := r.recost(hours(-28, -24).restated(), c.change); err != nil {
			t.Fatal(err)
		}
		is := settled()
		for key, grams := range was {
			if is[key] < grams {
				t.Errorf("%s: %v falls from %v to %v g", c.name, key, grams, is[key])
			}
		}
		was = is
	}
	var twice usage.Grams
	for _, grams := range was {
		twice += grams
	}
	if !near(float64(twice), 2*float64(some)) {
		t.Errorf("the counters are at %v g, want the most there was, twice %v", twice, some)
	}
}

// A site that does not configure it has no row of it, and no sum.
func TestEmbodiedEmissionsCostNothingUnlessConfigured(t *testing.T) {
	r := aged(t)
	r.mustBackfill(hours(-28, -20))
	db, err := sql.Open("sqlite", r.path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var rows, sums int
	if err := db.QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM interval_embodied), (SELECT count(more) FROM usage_total) + (SELECT count(more) FROM usage_day)").Scan(&rows, &sums); err != nil {
		t.Fatal(err)
	}
	if rows != 0 || sums != 0 {
		t.Errorf("%d rows and %d sums", rows, sums)
	}
	if site := r.tallies(usage.ScopeAda, -28, -20)["ada"]; site.Embodied != 0 || site.Hardware != 0 {
		t.Errorf("%v g of %v CPU seconds", site.Embodied, site.Hardware)
	}
}
