// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package statement

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Energy is a whole number of microwatt hours (1e-9 kWh). Whole numbers add up and cancel out
// exactly, in any order; floats do not.
type Energy int64

// Carbon is a whole number of micrograms of CO2eq.
type Carbon int64

// The digits after the point of kWh and of grams.
const (
	energyDigits = 9
	carbonDigits = 6
)

// EnergyOf rounds to a microwatt hour.
func EnergyOf(v usage.KWh) Energy { return Energy(whole(float64(v), energyDigits)) }

// CarbonOf rounds to a microgram.
func CarbonOf(v usage.Grams) Carbon { return Carbon(whole(float64(v), carbonDigits)) }

func whole(v float64, digits int) int64 { return int64(math.Round(v * math.Pow10(digits))) }

// KWh is the energy as a number.
func (e Energy) KWh() usage.KWh { return usage.KWh(float64(e) / 1e9) }

// Grams is the carbon as a number.
func (c Carbon) Grams() usage.Grams { return usage.Grams(float64(c) / 1e6) }

// String is the exact number of kWh.
func (e Energy) String() string { return decimal(int64(e), energyDigits) }

// String is the exact number of grams.
func (c Carbon) String() string { return decimal(int64(c), carbonDigits) }

// MarshalJSON writes a number of kWh with all its digits.
func (e Energy) MarshalJSON() ([]byte, error) { return []byte(e.String()), nil }

// MarshalJSON writes a number of grams with all its digits.
func (c Carbon) MarshalJSON() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *Energy) UnmarshalJSON(b []byte) error {
	v, err := parsed(string(b), energyDigits)
	*e = Energy(v)
	return err
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Carbon) UnmarshalJSON(b []byte) error {
	v, err := parsed(string(b), carbonDigits)
	*c = Carbon(v)
	return err
}

// decimal writes v x 10^-digits without an exponent and without zeros at the end.
func decimal(v int64, digits int) string {
	text := strconv.FormatInt(v, 10)
	sign := ""
	if v < 0 {
		sign, text = "-", text[1:]
	}
	if short := digits + 1 - len(text); short > 0 {
		text = strings.Repeat("0", short) + text
	}
	point := len(text) - digits
	return sign + strings.TrimSuffix(strings.TrimRight(text[:point]+"."+text[point:], "0"), ".")
}

func parsed(text string, digits int) (int64, error) {
	before, after, _ := strings.Cut(text, ".")
	if len(after) > digits {
		return 0, fmt.Errorf("%s has more than %d digits after the point", text, digits)
	}
	return strconv.ParseInt(before+after+strings.Repeat("0", digits-len(after)), 10, 64)
}

// Amounts are what statements add up and compare. What is not known counts as nothing: it is in no
// sum. Embodied emissions are in no other amount.
type Amounts struct {
	Busy, Idle, Measured                            Energy
	BusyEmissions, IdleEmissions, MeasuredEmissions Carbon
	Embodied                                        Carbon
}

// Energy is the energy of all modes.
func (a Amounts) Energy() Energy { return a.Busy + a.Idle + a.Measured }

// Emissions are the emissions of all modes.
func (a Amounts) Emissions() Carbon { return a.BusyEmissions + a.IdleEmissions + a.MeasuredEmissions }

// Plus adds amounts.
func (a Amounts) Plus(o Amounts) Amounts {
	return Amounts{
		a.Busy + o.Busy, a.Idle + o.Idle, a.Measured + o.Measured,
		a.BusyEmissions + o.BusyEmissions, a.IdleEmissions + o.IdleEmissions, a.MeasuredEmissions + o.MeasuredEmissions,
		a.Embodied + o.Embodied,
	}
}

// Minus subtracts amounts.
func (a Amounts) Minus(o Amounts) Amounts {
	return Amounts{
		a.Busy - o.Busy, a.Idle - o.Idle, a.Measured - o.Measured,
		a.BusyEmissions - o.BusyEmissions, a.IdleEmissions - o.IdleEmissions, a.MeasuredEmissions - o.MeasuredEmissions,
		a.Embodied - o.Embodied,
	}
}

// amountsOf rounds what one key used.
func amountsOf(t usage.Total) Amounts {
	return Amounts{
		EnergyOf(t.Energy.Busy), EnergyOf(t.Energy.Idle), EnergyOf(t.Energy.Measured),
		CarbonOf(t.Emissions.Busy), CarbonOf(t.Emissions.Idle), CarbonOf(t.Emissions.Measured),
		CarbonOf(t.Embodied),
	}
}

// Sum adds up what keys used. Each is rounded once, so that all sums of the same keys agree.
func Sum(keys []usage.Total) (a Amounts) {
	for _, k := range keys {
		a = a.Plus(amountsOf(k))
	}
	return a
}
