package usage

import "time"

// Slot is the carbon intensity of a grid in one half hour, [From, From+SlotLength).
// Forecast and Actual are nil while the provider has not said them.
type Slot struct {
	From      time.Time
	Forecast  *GramsPerKWh
	Actual    *GramsPerKWh
	Index     string // the provider's own word ("low", "high"), whose bounds change every year; never computed
	Provider  string
	Grid      string
	FetchedAt time.Time
}

// MaxIntensity is above the dirtiest half hour of any grid: beyond it a provider is
// mistaken, or somebody wrote another unit.
const MaxIntensity = 1000

// Kind says what an intensity is.
type Kind string

// The kinds of an intensity.
const (
	Forecast Kind = "forecast"
	Actual   Kind = "actual"
)

// Price is the intensity in force for a piece of time, and where it is from.
type Price struct {
	Intensity GramsPerKWh
	Kind      Kind
	Provider  string
	Grid      string
	SlotFrom  time.Time
	FetchedAt time.Time
}

// Price is the best the slot knows: the actual, else the forecast, else false.
func (s Slot) Price() (Price, bool) {
	p := Price{Provider: s.Provider, Grid: s.Grid, SlotFrom: s.From, FetchedAt: s.FetchedAt}
	switch {
	case s.Actual != nil:
		p.Intensity, p.Kind = *s.Actual, Actual
	case s.Forecast != nil:
		p.Intensity, p.Kind = *s.Forecast, Forecast
	default:
		return Price{}, false
	}
	return p, true
}

// SlotAt is the start of the carbon slot that holds t.
func SlotAt(t time.Time) time.Time { return FloorEpoch(t, SlotLength) }
