package report

import "github.com/carbon-exporter/carbon_exporter/internal/usage"

// Bounds are how low and how high a quantity may be, as far as the errors of what
// it was made from are known.
type Bounds[T ~float64] struct{ Low, High T }

// nearlyAll is a share that is all of it but for rounding.
const nearlyAll = 1 - 1e-9

// EnergyBounds are energy less and more the standard error of the average power
// it was made with. The errors of half hours are those of one average, so they do
// not cancel: they are added up. Energy of averages without a known error is in
// it as it stands; false where that is all of it.
func EnergyBounds(t usage.Tally) (Bounds[usage.KWh], bool) {
	energy := t.Energy.Total()
	d, known := powerError(t)
	return Bounds[usage.KWh]{energy * usage.KWh(1-min(1, d)), energy * usage.KWh(1+d)}, known
}

// EmissionsBounds are emissions with both errors at their worst together: energy
// by the error of its average power, and what is priced with a forecast by how far
// forecasts are off on average. With d the error as a part of energy and e the mean
// error of forecasts:
//
//	low  = (1 - d) x (emissions - e x energy priced with a forecast)
//	high = (1 + d) x (emissions + e x energy priced with a forecast)
//
// An actual counts as certain. False where there are no emissions, or neither
// error is known of any of them.
func EmissionsBounds(t usage.Tally, e usage.GramsPerKWh) (Bounds[usage.Grams], bool) {
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

// powerError is the error of the average power as a part of all energy, and
// whether it is known of any.
func powerError(t usage.Tally) (part float64, known bool) {
	energy := float64(t.Energy.Total())
	if energy <= 0 || float64(t.Undoubted) >= energy*nearlyAll {
		return 0, false
	}
	return float64(t.Doubt) / energy, true
}

// DocumentedForecastError is how far the forecasts of the UK's Carbon Intensity API
// are from the actuals on average: the mean absolute difference of 1.3 million
// pairs of half hours.
const DocumentedForecastError = usage.GramsPerKWh(24)

// leastPairs are the forecasts with an actual that must be in the archive for
// their mean error to be taken: a day of half hours.
const leastPairs = 48

// ForecastError is how far a forecast is taken to be off.
type ForecastError struct {
	Mean  usage.GramsPerKWh
	Pairs int // half hours that it was measured over; 0: it is the documented one
}

// WorstForecastError is the largest of the errors of the grids whose forecasts a
// report's prices are from; for one of which too little is known the documented.
func WorstForecastError(used []usage.ForecastError) ForecastError {
	var worst ForecastError
	for _, u := range used {
		e := ForecastError{u.Mean, u.Pairs}
		if u.Pairs < leastPairs {
			e = ForecastError{Mean: DocumentedForecastError}
		}
		if e.Mean > worst.Mean || worst == (ForecastError{}) {
			worst = e
		}
	}
	if len(used) == 0 {
		worst.Mean = DocumentedForecastError
	}
	return worst
}
