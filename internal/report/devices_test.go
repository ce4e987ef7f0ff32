// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// withCards has two projects on two machine types; one has graphics cards, and hardware of known
// making.
func withCards() Stretch {
	plain := tally(nil)
	cards := tally(func(t *usage.Tally) {
		t.Name, t.Energy.Measured, t.Emissions.Measured, t.Embodied, t.Hardware = "TDAaaS", 30, 3000, 250, 1000
		t.Undoubted = 0
		t.Margins = map[string]usage.Margin{"Laser": {Down: 3, Up: 6}, "Muon": {Down: 1, Up: 1}}
		across := usage.AcrossTypes(t.Margins)
		t.Down, t.Up = across.Down, across.Up
	})
	return Stretch{Period: october, Members: []usage.Tally{plain, cards}, Intervals: Intervals{All: 10, Settled: 10}}
}

func TestMeasuredAndEmbodiedHaveColumnsWhereThereAreAny(t *testing.T) {
	for _, c := range []struct {
		name    string
		members []usage.Tally
		want    bool
	}{
		{"a site without devices", withCards().Members[:1], false},
		{"one member has some", withCards().Members, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := withCards()
			s.Members = c.members
			var text bytes.Buffer
			rep := Report{Scope: usage.ScopeProject, Zone: london(t), Whole: s}
			if err := rep.WriteTable(&text); err != nil {
				t.Fatal(err)
			}
			for _, head := range []string{"MEASURED kWh", "MEASURED g", "EMBODIED g"} {
				if strings.Contains(text.String(), head) != c.want {
					t.Errorf("%s is there: %v\n%s", head, !c.want, text.String())
				}
			}
		})
	}
}

// Busy, idle and measured are all of it; embodied emissions are in none of them.
func TestTheModesOfARowAddUp(t *testing.T) {
	rep := Report{Scope: usage.ScopeProject, Zone: london(t), Whole: withCards()}
	for _, row := range rep.rows() {
		if sum := row.BusyEnergy + row.IdleEnergy + row.MeasuredEnergy; !near(sum, row.Energy) {
			t.Errorf("%s: %v kWh by mode, %v in all", row.Name, sum, row.Energy)
		}
		if sum := *row.BusyEmissions + *row.IdleEmissions + *row.MeasuredEmissions; !near(sum, *row.Emissions) {
			t.Errorf("%s: %v g by mode, %v in all", row.Name, sum, *row.Emissions)
		}
	}
	var text bytes.Buffer
	if err := rep.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := json.Unmarshal(text.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if e := doc.Rows[1].Embodied; doc.Rows[1].Name != "ISIS" || e != nil {
		t.Errorf("%s has embodied emissions %v, which nobody configured", doc.Rows[1].Name, e)
	}
	if e := doc.Total.Embodied; e == nil || *e != 250 {
		t.Errorf("the total has embodied emissions %v, want 250", e)
	}
}

// The site is the same site by whatever it is divided, and so are its bounds.
func TestTheBoundsOfATotalDoNotDependOnItsRows(t *testing.T) {
	one := func(machine string, down, up usage.KWh) usage.Tally {
		return tally(func(t *usage.Tally) {
			t.Name, t.Undoubted, t.Down, t.Up = machine, 0, down, up
			t.Margins = map[string]usage.Margin{machine: {Down: down, Up: up}}
		})
	}
	whole := tally(func(t *usage.Tally) {
		t.Margins = map[string]usage.Margin{"Laser": {Down: 3, Up: 6}, "Muon": {Down: 1, Up: 1}}
	})
	byMachine := add([]usage.Tally{one("Laser", 3, 6), one("Muon", 1, 1)})
	byUser := add([]usage.Tally{one("Laser", 1, 2), one("Laser", 2, 4), one("Muon", 1, 1)})
	site := add([]usage.Tally{whole})
	for name, sum := range map[string]usage.Tally{"machine types": byMachine, "users": byUser} {
		if !near(float64(sum.Down), float64(site.Down)) || !near(float64(sum.Up), float64(site.Up)) {
			t.Errorf("by %s it may be off by -%v +%v kWh, the site by -%v +%v", name, sum.Down, sum.Up, site.Down, site.Up)
		}
	}
	if site.Down >= 4 || site.Down <= 3 {
		t.Errorf("errors of 3 and 1 kWh are %v together, want less than their sum and more than the larger", site.Down)
	}
}
