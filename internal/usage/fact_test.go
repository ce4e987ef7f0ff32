// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"math"
	"slices"
	"testing"
)

func TestTheErrorOfTwoEnergies(t *testing.T) {
	for _, c := range []struct {
		name string
		a    KWh
		aErr *float64
		b    KWh
		bErr *float64
		want *float64
	}{
		{"equal errors", 1, new(0.05), 3, new(0.05), new(0.05)},
		{"weighted by energy, as if both erred in the same direction", 1, new(0.1), 3, new(0.02), new(0.04)},
		{"no energy has no error", 0, nil, 3, new(0.02), new(0.02)},
		{"nor has the other", 1, new(0.1), 0, nil, new(0.1)},
		{"one is unknown, so both are", 1, nil, 3, new(0.02), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := errorOf(c.a, c.aErr, c.b, c.bErr)
			if (got == nil) != (c.want == nil) || got != nil && math.Abs(*got-*c.want) > 1e-15 {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestTogether(t *testing.T) {
	a := &Beside{
		Metered: Metered{CPU: BusyIdle[CPUSeconds]{Busy: 10}, Energy: BusyIdle[KWh]{Busy: 1}, Error: new(0.1)},
		Memory:  5, MemoryEnergy: 0.5,
		Devices: []DeviceEnergy{{"fpga", 1, nil}, {"gpu", 2, new(0.02)}},
	}
	b := &Beside{
		Metered: Metered{CPU: BusyIdle[CPUSeconds]{Idle: 4}, Energy: BusyIdle[KWh]{Idle: 1}, Error: new(0.3)},
		Memory:  1, MemoryEnergy: 0.25,
		Devices: []DeviceEnergy{{"gpu", 2, new(0.04)}, {"nic", 7, new(0.5)}},
	}
	want := &Beside{
		Metered: Metered{CPU: BusyIdle[CPUSeconds]{Busy: 10, Idle: 4}, Energy: BusyIdle[KWh]{Busy: 1, Idle: 1}, Error: new(0.2)},
		Memory:  6, MemoryEnergy: 0.75,
		Devices: []DeviceEnergy{{"fpga", 1, nil}, {"gpu", 4, new(0.03)}, {"nic", 7, new(0.5)}},
	}
	for name, got := range map[string]*Beside{"a and b": Together(a, b), "b and a": Together(b, a), "facts": BesidesOf([]Fact{{Beside: a}, {}, {Beside: b}})} {
		if !got.Equal(want) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	if !slices.EqualFunc(a.Devices, []DeviceEnergy{{"fpga", 1, nil}, {"gpu", 2, new(0.02)}}, func(x, y DeviceEnergy) bool {
		return x.Name == y.Name && x.Energy == y.Energy && same(x.Error, y.Error)
	}) {
		t.Errorf("adding has changed what was added: %+v", a.Devices)
	}
	if Together(nil, nil) != nil || !Together(a, nil).Equal(a) || !Together(nil, b).Equal(b) {
		t.Error("nothing beside adds nothing")
	}
}

func TestNothingBesideIsAnEmptyBeside(t *testing.T) {
	var none *Beside
	if !none.Equal(&Beside{}) || !(&Beside{}).Equal(nil) || none.Equal(&Beside{Memory: 1}) {
		t.Error("nil and an empty Beside are the same, and nothing else is")
	}
}
