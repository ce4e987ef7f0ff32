// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"math"
	"testing"
)

func alike(a, b KWh) bool { return math.Abs(float64(a-b)) <= 1e-12*max(1, math.Abs(float64(a))) }

func TestMargin(t *testing.T) {
	watts := BusyIdle[Watts]{Busy: 12, Idle: 2}
	low, high := &BusyIdle[Watts]{Busy: 9, Idle: 1}, &BusyIdle[Watts]{Busy: 18, Idle: 4}
	modelled := Fact{Energy: ByMode[KWh]{Busy: 12, Idle: 2}}
	for _, c := range []struct {
		name     string
		rating   Rating
		fact     Fact
		down, up KWh
		unknown  ByMode[KWh]
	}{
		{"nothing is known", Rating{Watts: watts}, modelled, 0, 0, ByMode[KWh]{Busy: 12, Idle: 2}},
		{"a fit of 10 %", Rating{Watts: watts, Error: new(0.1)}, modelled, 1.4, 1.4, ByMode[KWh]{}},
		{"bounds, further above than below", Rating{Watts: watts, Low: low, High: high}, modelled, 3 + 1, 6 + 2, ByMode[KWh]{}},
		{"bounds win over an error", Rating{Watts: watts, Low: low, High: high, Error: new(0.9)}, modelled, 4, 8, ByMode[KWh]{}},
		{"no watts while idle, which make no energy", Rating{Watts: BusyIdle[Watts]{Busy: 12}, Low: &BusyIdle[Watts]{Busy: 9}, High: &BusyIdle[Watts]{Busy: 18}}, Fact{Energy: ByMode[KWh]{Busy: 12}}, 3, 6, ByMode[KWh]{}},
		{
			"what was metered has the error of its meters, not that of the model",
			Rating{Watts: watts, Error: new(0.1)},
			Fact{Energy: ByMode[KWh]{Busy: 12, Idle: 2}, Beside: &Beside{Metered: Metered{Energy: BusyIdle[KWh]{Busy: 6, Idle: 1}, Error: new(0.02)}}},
			0.7 + 0.14, 0.7 + 0.14,
			ByMode[KWh]{},
		},
		{
			"meters of unknown error",
			Rating{Watts: watts, Error: new(0.1)},
			Fact{Energy: ByMode[KWh]{Busy: 12, Idle: 2}, Beside: &Beside{Metered: Metered{Energy: BusyIdle[KWh]{Busy: 6, Idle: 1}}}},
			0.7, 0.7,
			ByMode[KWh]{Busy: 6, Idle: 1},
		},
		{
			"memory, of which nobody knows the error",
			Rating{Watts: watts, Error: new(0.1)},
			Fact{Energy: ByMode[KWh]{Busy: 12, Idle: 2}, Beside: &Beside{MemoryEnergy: 0.5}},
			1.35, 1.35,
			ByMode[KWh]{Idle: 0.5},
		},
		{
			"devices, one with a known error",
			Rating{Watts: watts, Error: new(0.1)},
			Fact{Energy: ByMode[KWh]{Busy: 12, Idle: 2, Measured: 7}, Beside: &Beside{Devices: []DeviceEnergy{{"fpga", 3, nil}, {"gpu", 4, new(0.05)}}}},
			1.4 + 0.2, 1.4 + 0.2,
			ByMode[KWh]{Measured: 3},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := c.rating.Margin(c.fact)
			if !alike(m.Down, c.down) || !alike(m.Up, c.up) {
				t.Errorf("off by -%v +%v kWh, want -%v +%v", m.Down, m.Up, c.down, c.up)
			}
			if !alike(m.Unknown.Busy, c.unknown.Busy) || !alike(m.Unknown.Idle, c.unknown.Idle) || !alike(m.Unknown.Measured, c.unknown.Measured) {
				t.Errorf("unknown of %+v, want %+v", m.Unknown, c.unknown)
			}
		})
	}
}

func TestAcross(t *testing.T) {
	one := Margin{Down: 0.1 + 0.2, Up: 0.7, Unknown: ByMode[KWh]{Busy: 1}}
	none := Margin{Unknown: ByMode[KWh]{Measured: 2}}
	many := func(n int) (all []Margin) {
		for range n {
			all = append(all, Margin{Down: 1, Up: 2})
		}
		return all
	}
	for _, c := range []struct {
		name     string
		types    []Margin
		down, up float64
	}{
		{"nothing", nil, 0, 0},
		{"one type, to the last bit", []Margin{one}, float64(one.Down), 0.7},
		{"one type, and one of which nothing is known", []Margin{none, one}, float64(one.Down), 0.7},
		{"two equal types", many(2), math.Sqrt(0.3*4 + 0.7*2), 2 * math.Sqrt(0.3*4+0.7*2)},
		{"a hundred: the more, the smaller the share, and never below the part in common", many(100), math.Sqrt(0.3*10000 + 0.7*100), 2 * math.Sqrt(0.3*10000+0.7*100)},
		{"a large and a small one", []Margin{{Down: 10, Up: 10}, {Down: 1, Up: 1}}, math.Sqrt(0.3*121 + 0.7*101), math.Sqrt(0.3*121 + 0.7*101)},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Across(c.types)
			if !alike(m.Down, KWh(c.down)) || !alike(m.Up, KWh(c.up)) {
				t.Errorf("off by -%v +%v, want -%v +%v", m.Down, m.Up, c.down, c.up)
			}
		})
	}
	if m := Across([]Margin{none, one}); m.Unknown != (ByMode[KWh]{Busy: 1, Measured: 2}) {
		t.Errorf("unknown is %+v: energy adds up, whatever its error", m.Unknown)
	}
}

// Errors together are never more than their sum, which they would be if types were wholly akin, and
// never less than if they had nothing in common; and one more type never makes it less.
func TestAcrossLiesBetweenBothExtremes(t *testing.T) {
	var types []Margin
	var sum, squares, last float64
	for n := range 50 {
		m := Margin{Down: KWh(1 + n*n%7), Up: KWh(2 + n%5)}
		types = append(types, m)
		sum, squares = sum+float64(m.Down), squares+float64(m.Down*m.Down)
		down := float64(Across(types).Down)
		if down > sum*(1+1e-12) || down < math.Sqrt(squares)*(1-1e-12) {
			t.Errorf("%d types: %v is not between %v and %v", n+1, down, math.Sqrt(squares), sum)
		}
		if down < last {
			t.Errorf("%d types are off by %v, one less by %v", n+1, down, last)
		}
		last = down
	}
}

func TestBoundsOf(t *testing.T) {
	total := func(project, machine, user string, energy, down, up, undoubted KWh) Total {
		return Total{
			Key: Key{Project: project, Machine: machine, User: user}, Energy: ByMode[KWh]{Busy: energy / 2, Measured: energy / 2},
			Down: down, Up: up, Undoubted: undoubted,
		}
	}
	projects, site := BoundsOf([]Total{
		total("ISIS", "Muon", "a", 10, 1, 2, 0),
		total("ISIS", "Muon", "b", 20, 2, 4, 0),
		total("ISIS", "Laser", "a", 10, 1, 1, 5),
		total("CLF", "Laser", "c", 8, 0, 0, 8),
		total("TDA", "Muon", "d", 4, 8, 1, 0),
		total("old", "Muon", "d", 0, 0, 0, 0),
	})
	isis := Across([]Margin{{Down: 3, Up: 6}, {Down: 1, Up: 1}})
	if b := projects["ISIS"]; !alike(b.Low, 40-isis.Down) || !alike(b.High, 40+isis.Up) {
		t.Errorf("ISIS is between %+v, want 40 -%v +%v: of one type errors add up, across types in part", b, isis.Down, isis.Up)
	}
	if b := projects["TDA"]; b.Low != 0 || b.High != 5 {
		t.Errorf("TDA is between %+v, want no energy below 0", b)
	}
	if len(projects) != 2 {
		t.Errorf("bounds of %v, want none of a project whose errors are all unknown, or that has no energy", projects)
	}
	whole := Across([]Margin{{Down: 11, Up: 7}, {Down: 1, Up: 1}})
	if site == nil || !alike(site.Low, 52-whole.Down) || !alike(site.High, 52+whole.Up) {
		t.Errorf("the site is between %+v, want 52 -%v +%v", site, whole.Down, whole.Up)
	}
	if projects, site := BoundsOf(nil); len(projects) != 0 || site != nil {
		t.Errorf("nothing is between %v and %v", projects, site)
	}
}
