package usage

import "time"

// OutlookLength is how far ahead grids forecast, and how far ahead a forecast is
// asked for, shown and planned with.
const OutlookLength = 48 * time.Hour

// Outlook is what is forecast from the slot of now on: From is its start, and
// Forecasts[n] is of the slot that begins n slots later, nil where there is none.
type Outlook struct {
	From      time.Time
	Forecasts [OutlookLength/SlotLength + 1]*GramsPerKWh
}

// OutlookAt finds the outlook of now in slots of one grid, in any order.
func OutlookAt(slots []Slot, now time.Time) Outlook {
	o := Outlook{From: SlotAt(now)}
	for _, s := range slots {
		if n := s.From.Sub(o.From) / SlotLength; !s.From.Before(o.From) && int(n) < len(o.Forecasts) {
			o.Forecasts[n] = s.Forecast
		}
	}
	return o
}

// Window is a stretch of whole slots, and the mean of their forecasts.
type Window struct {
	Period
	Mean GramsPerKWh
}

// Window is the one of a length, in whole slots, that begins n slots ahead. One
// with a slot that has no forecast is none: the mean of the others would be that
// of another time. Nor is one that ends after the OutlookLength.
func (o Outlook) Window(n int, length time.Duration) (Window, bool) {
	slots := int(length / SlotLength)
	if n < 0 || slots <= 0 || n+slots > int(OutlookLength/SlotLength) {
		return Window{}, false
	}
	var sum Sum // exact: two windows of the same values are equal, in whatever order they have them
	for _, forecast := range o.Forecasts[n : n+slots] {
		if forecast == nil {
			return Window{}, false
		}
		sum.Add(float64(*forecast))
	}
	from := o.From.Add(time.Duration(n) * SlotLength)
	return Window{
		Period: Period{From: from, To: from.Add(time.Duration(slots) * SlotLength)},
		Mean:   GramsPerKWh(sum.Float64() / float64(slots)),
	}, true
}

// Best is the window of a length with the lowest mean, the first of several;
// false if there is none. It may begin with the slot of now: who waits for its
// start would otherwise wait for ever, as the best would always be yet to come.
func (o Outlook) Best(length time.Duration) (best Window, found bool) {
	for n := range o.Forecasts {
		if w, ok := o.Window(n, length); ok && (!found || w.Mean < best.Mean) {
			best, found = w, true
		}
	}
	return best, found
}

// ForecastLeads are how far ahead of its slot a forecast is kept as it was first
// seen, so that it can be held against the actual later. The error grows slowly
// from hour to hour, so a few tell it. The longest is the last that an outlook
// has for sure: it begins with the slot of now and often is a slot short.
func ForecastLeads() []time.Duration {
	return []time.Duration{
		30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour,
		12 * time.Hour, 24 * time.Hour, 36 * time.Hour, 47 * time.Hour,
	}
}

// ForecastLead is how far ahead of a slot's start a forecast was seen, counted
// from the start of the slot in which it was: the forecast that Outlook has at
// that place. It may have been up to a slot less.
func ForecastLead(s Slot) time.Duration { return s.From.Sub(SlotAt(s.FetchedAt)) }

// ForecastError is how far forecasts that were seen so far ahead are from the
// actual on average.
type ForecastError struct {
	Provider, Grid string
	Ahead          time.Duration
	Mean           GramsPerKWh // of the absolute differences
	Pairs          int         // forecasts that have an actual, at least one
}
