// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "time"

// CPUSeconds is CPU time in seconds of one core.
type CPUSeconds float64

// Watts is average power per core.
type Watts float64

// GiBSeconds is memory in GiB, multiplied by seconds.
type GiBSeconds float64

// Joules is energy as meters count it.
type Joules float64

// KWh is energy in kilowatt hours.
type KWh float64

// Grams is a mass of CO2 equivalent.
type Grams float64

// GramsPerCoreHour are embodied emissions, gCO2eq for each core and hour in which it is reserved.
type GramsPerCoreHour float64

// Of returns the embodied emissions of CPU time.
func (g GramsPerCoreHour) Of(s CPUSeconds) Grams {
	return Grams(float64(g) * float64(s) / time.Hour.Seconds())
}

// GramsPerKWh is the carbon intensity of electricity, gCO2eq/kWh.
type GramsPerKWh float64

// wattSecondsPerKWh is the only conversion between units in this project: 1 kWh = 1000 W x 3600
// s.
const wattSecondsPerKWh = 3_600_000

// For returns the energy of a core of w watts over s seconds.
func (w Watts) For(s CPUSeconds) KWh { return KWh(float64(w) * float64(s) / wattSecondsPerKWh) }

// KWh returns the same energy in kilowatt hours.
func (j Joules) KWh() KWh { return KWh(float64(j) / wattSecondsPerKWh) }

// Over returns the mean power that uses the energy in a time.
func (k KWh) Over(d time.Duration) Watts { return Watts(float64(k) * wattSecondsPerKWh / d.Seconds()) }

// PerHour returns the rate in grams per hour of a mass emitted in a time.
func (g Grams) PerHour(d time.Duration) float64 { return float64(g) / d.Hours() }

// At returns the emissions of energy at an intensity. Both must be of the same half hour: a
// product of means is not the mean of products.
func (k KWh) At(i GramsPerKWh) Grams { return Grams(float64(k) * float64(i)) }

// BusyIdle holds one quantity for the two modes of CPU time.
type BusyIdle[T ~float64] struct {
	Busy, Idle T
}

// Total returns the sum of busy and idle.
func (b BusyIdle[T]) Total() T { return b.Busy + b.Idle }

// Plus adds mode by mode.
func (b BusyIdle[T]) Plus(o BusyIdle[T]) BusyIdle[T] {
	return BusyIdle[T]{Busy: b.Busy + o.Busy, Idle: b.Idle + o.Idle}
}

// Times multiplies both by a factor without a unit.
func (b BusyIdle[T]) Times(factor float64) BusyIdle[T] {
	return BusyIdle[T]{Busy: b.Busy * T(factor), Idle: b.Idle * T(factor)}
}

// ByMode holds energy, or the emissions of it, for every mode: what CPU time used busy and idle,
// and what devices used that have meters of their own.
type ByMode[T ~float64] struct {
	Busy, Idle, Measured T
}

// Total returns the sum of all modes.
func (m ByMode[T]) Total() T { return m.Busy + m.Idle + m.Measured }

// Plus adds mode by mode.
func (m ByMode[T]) Plus(o ByMode[T]) ByMode[T] {
	return ByMode[T]{Busy: m.Busy + o.Busy, Idle: m.Idle + o.Idle, Measured: m.Measured + o.Measured}
}

// Times multiplies every mode by a factor without a unit.
func (m ByMode[T]) Times(factor float64) ByMode[T] {
	return ByMode[T]{Busy: m.Busy * T(factor), Idle: m.Idle * T(factor), Measured: m.Measured * T(factor)}
}

// EmissionsAt returns the emissions of energy, mode by mode, at an intensity.
func EmissionsAt(energy ByMode[KWh], i GramsPerKWh) ByMode[Grams] {
	return ByMode[Grams]{Busy: energy.Busy.At(i), Idle: energy.Idle.At(i), Measured: energy.Measured.At(i)}
}
