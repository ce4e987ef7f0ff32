// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"math"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Bounds are the lowest and highest plausible values of a quantity, given the known
// errors of its inputs.
type Bounds[T ~float64] struct{ Low, High T }

// nearlyAll is a share that equals 1 except for rounding.
const nearlyAll = 1 - 1e-9

// EnergyBounds are what the energy is between two times in three, given the known errors of power
// and meters. Energy without a known error is taken as exact; the result is false if that is all
// of it.
func EnergyBounds(t usage.Tally) (Bounds[usage.KWh], bool) {
	b, known := margin(t).Around(t.Energy.Total())
	return Bounds[usage.KWh](b), known
}

func margin(t usage.Tally) usage.Margin {
	return usage.Margin{Down: t.Down, Up: t.Up, Unknown: usage.ByMode[usage.KWh]{Busy: t.Undoubted}} // of whichever mode
}

// EmissionsBounds combine two errors that have nothing to do with each other, that of the energy
// and that of forecasts, as the root of the sum of their squares. With d the error of the energy
// as a fraction, to the side in question, and e the mean error of forecasts:
//
//	off^2 = (d x emissions)^2 + (e x energy priced with a forecast)^2
//
// Actuals count as exact. The result is false if there are no emissions, or neither error is
// known for any of them.
func EmissionsBounds(t usage.Tally, e usage.GramsPerKWh) (Bounds[usage.Grams], bool) {
	if !t.Priced {
		return Bounds[usage.Grams]{}, false
	}
	_, powerKnown := EnergyBounds(t)
	grams, forecast := t.Emissions.Total(), t.Forecast.At(e)
	off := func(energy usage.KWh) usage.Grams {
		if t.Energy.Total() <= 0 {
			return forecast
		}
		return usage.Grams(math.Hypot(float64(energy/t.Energy.Total())*float64(grams), float64(forecast)))
	}
	return Bounds[usage.Grams]{Low: max(0, grams-off(t.Down)), High: grams + off(t.Up)}, powerKnown || t.Forecast > 0
}

// documentedForecastError is the mean absolute difference between forecasts and actuals
// of the UK Carbon Intensity API, over 1.3 million half hours.
const documentedForecastError = usage.GramsPerKWh(24)

// leastPairs is how many forecasts with an actual are needed to use their mean error: a
// day of half hours.
const leastPairs = 48

// ForecastError is the assumed mean error of forecasts. The zero value means that no forecast
// was used.
type ForecastError struct {
	Mean  usage.GramsPerKWh
	Pairs int // half hours it was measured over; 0: the documented value
}

// WorstForecastError is the largest error among the grids whose forecasts a report
// uses; grids with too little data count with the documented error.
func WorstForecastError(used []usage.ForecastError) ForecastError {
	var worst ForecastError
	for _, u := range used {
		e := ForecastError{u.Mean, u.Pairs}
		if u.Pairs < leastPairs {
			e = ForecastError{Mean: documentedForecastError}
		}
		if e.Mean > worst.Mean || worst == (ForecastError{}) {
			worst = e
		}
	}
	return worst
}
