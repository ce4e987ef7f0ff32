package report

import "github.com/carbon-exporter/carbon_exporter/internal/usage"

// Bounds are the lowest and highest plausible values of a quantity, given the known
// errors of its inputs.
type Bounds[T ~float64] struct{ Low, High T }

// nearlyAll is a share that equals 1 except for rounding.
const nearlyAll = 1 - 1e-9

// energyBounds are the energy minus and plus the standard error of the average power.
// All half hours share the error of one average, so errors add up instead of
// cancelling. Energy of averages without a known error is taken as exact; the result is
// false if that is all of it.
func energyBounds(t usage.Tally) (Bounds[usage.KWh], bool) {
	energy := t.Energy.Total()
	d, known := powerError(t)
	return Bounds[usage.KWh]{energy * usage.KWh(1-min(1, d)), energy * usage.KWh(1+d)}, known
}

// emissionsBounds combine the worst case of both errors: that of the average power, and
// the mean error of forecasts for energy priced with a forecast. With d the relative
// error of the energy and e the mean error of forecasts:
//
//	low  = (1 - d) x (emissions - e x energy priced with a forecast)
//	high = (1 + d) x (emissions + e x energy priced with a forecast)
//
// Actuals count as exact. The result is false if there are no emissions, or neither
// error is known for any of them.
func emissionsBounds(t usage.Tally, e usage.GramsPerKWh) (Bounds[usage.Grams], bool) {
	if !t.Priced {
		return Bounds[usage.Grams]{}, false
	}
	d, known := powerError(t)
	grams, off := t.Emissions.Total(), t.Forecast.At(e)
	return Bounds[usage.Grams]{
		Low:  max(0, grams-off) * usage.Grams(1-min(1, d)),
		High: (grams + off) * usage.Grams(1+d),
	}, known || t.Forecast > 0
}

// powerError is the error of the average power relative to all energy, and whether it
// is known for any of it.
func powerError(t usage.Tally) (part float64, known bool) {
	energy := float64(t.Energy.Total())
	if energy <= 0 || float64(t.Undoubted) >= energy*nearlyAll {
		return 0, false
	}
	return float64(t.Doubt) / energy, true
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
