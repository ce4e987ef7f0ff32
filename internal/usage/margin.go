// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "math"

// Margin is how far energy may be off, two times in three: the truth is between Down less and Up
// more. Unknown is the energy of which nobody knows how far; it adds nothing to Down and Up.
type Margin struct {
	Down, Up KWh
	Unknown  ByMode[KWh]
}

// Plus adds the margins of energies that err in the same direction.
func (d Margin) Plus(o Margin) Margin {
	return Margin{Down: d.Down + o.Down, Up: d.Up + o.Up, Unknown: d.Unknown.Plus(o.Unknown)}
}

// Margin returns how far a fact's energy may be off that was made with the rating. The errors of
// busy and idle power go the same way, and so do those of all hosts of one type.
func (r Rating) Margin(f Fact) Margin {
	beside := f.Beside.orNone()
	modelled := BusyIdle[KWh]{
		Busy: f.Energy.Busy - beside.Metered.Energy.Busy,
		Idle: f.Energy.Idle - beside.Metered.Energy.Idle - beside.MemoryEnergy,
	}
	d := r.margin(modelled)
	d.Unknown.Idle += beside.MemoryEnergy
	metered := beside.Metered.Energy
	d = d.Plus(meterMargin(ByMode[KWh]{Busy: metered.Busy, Idle: metered.Idle}, beside.Metered.Error))
	for _, device := range beside.Devices {
		d = d.Plus(meterMargin(ByMode[KWh]{Measured: device.Energy}, device.Error))
	}
	return d
}

// margin is the margin of CPU time x average power.
func (r Rating) margin(energy BusyIdle[KWh]) Margin {
	switch {
	case r.Low != nil && r.High != nil:
		return Margin{
			Down: energy.Busy*(1-of(r.Low.Busy, r.Watts.Busy)) + energy.Idle*(1-of(r.Low.Idle, r.Watts.Idle)),
			Up:   energy.Busy*(of(r.High.Busy, r.Watts.Busy)-1) + energy.Idle*(of(r.High.Idle, r.Watts.Idle)-1),
		}
	case r.Error != nil:
		off := energy.Total() * KWh(*r.Error)
		return Margin{Down: off, Up: off}
	}
	return Margin{Unknown: ByMode[KWh]{Busy: energy.Busy, Idle: energy.Idle}}
}

// of is a bound as a multiple of the power; of no power, which makes no energy, it is 1.
func of(bound, power Watts) KWh {
	if power == 0 {
		return 1
	}
	return KWh(bound / power)
}

// meterMargin is the margin of measured energy.
func meterMargin(energy ByMode[KWh], err *float64) Margin {
	if err == nil {
		return Margin{Unknown: energy}
	}
	off := energy.Total() * KWh(*err)
	return Margin{Down: off, Up: off}
}

// Akin is the correlation between the errors of two machine types. They have something in common:
// the same data centre, mostly the same makers, the same way to set servers up. How much, the
// processor table tells: this is the part of the variance between servers of one processor that
// is between their makers. See docs/accuracy.md.
const Akin = 0.3

// Across returns the margin of the energy of several machine types together. Errors of one type
// add up; those of two types cancel out in part, as far as they are not akin:
//
//	total^2 = Akin x (sum of all)^2 + (1 - Akin) x sum of all squares
func Across(types []Margin) Margin {
	var sum Margin
	var down, up float64
	known := 0
	for _, m := range types {
		if m.Down != 0 || m.Up != 0 {
			known++
		}
		sum = sum.Plus(m)
		down += float64(m.Down) * float64(m.Down)
		up += float64(m.Up) * float64(m.Up)
	}
	if known < 2 { // nothing to combine, and no rounding
		return sum
	}
	sum.Down, sum.Up = akin(sum.Down, down), akin(sum.Up, up)
	return sum
}

func akin(sum KWh, squares float64) KWh {
	return KWh(math.Sqrt(Akin*float64(sum)*float64(sum) + (1-Akin)*squares))
}
