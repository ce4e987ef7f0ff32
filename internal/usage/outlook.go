// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "time"

// OutlookLength is how far ahead forecasts are fetched, shown and planned with; grids publish
// that much.
const OutlookLength = 48 * time.Hour

// Outlook is the forecast from the current slot on. From is the start of that slot, and
// Forecasts[n] is for the slot that begins n slots later, nil if there is none.
type Outlook struct {
	From      time.Time
	Forecasts [OutlookLength/SlotLength + 1]*GramsPerKWh
}

// GridNow is what is known of the grid around now.
type GridNow struct {
	Slots   []Slot // what prices usage, oldest first
	Outlook []Slot // of one source, from now on, oldest first: for when to run
}

// OutlookAt returns the outlook at now from slots of one grid, in any order.
func OutlookAt(slots []Slot, now time.Time) Outlook {
	o := Outlook{From: SlotAt(now)}
	for _, s := range slots {
		if n := s.From.Sub(o.From) / SlotLength; !s.From.Before(o.From) && int(n) < len(o.Forecasts) {
			o.Forecasts[n] = s.Forecast
		}
	}
	return o
}

// Window is a number of consecutive slots, and the mean of their forecasts.
type Window struct {
	Period
	Mean GramsPerKWh
}

// Window returns the window of a length, in whole slots, that begins n slots ahead. ok is false
// if one of its slots has no forecast, because the mean of the others would be that of another
// time, or if it ends after the OutlookLength.
func (o Outlook) Window(n int, length time.Duration) (Window, bool) {
	slots := int(length / SlotLength)
	if n < 0 || slots <= 0 || n+slots > int(OutlookLength/SlotLength) {
		return Window{}, false
	}
	var sum Sum // exact: windows with the same values in another order have the same mean
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

// Best returns the window of a length with the lowest mean, the first if there are several;
// found is false if there is none. It may begin with the current slot: somebody who waits for
// its start would otherwise wait for ever, because the best would always be yet to come.
func (o Outlook) Best(length time.Duration) (best Window, found bool) {
	return o.BestUntil(length, o.From.Add(OutlookLength))
}

// BestUntil is Best of the windows that end by a time.
func (o Outlook) BestUntil(length time.Duration, until time.Time) (best Window, found bool) {
	for n := range o.Forecasts {
		if w, ok := o.Window(n, length); ok && !w.To.After(until) && (!found || w.Mean < best.Mean) {
			best, found = w, true
		}
	}
	return best, found
}

// ForecastLeads are the times ahead of a slot for which its forecasts are archived, to be
// compared with the actual later. The error grows slowly from hour to hour, so a few are
// enough. The longest is the last that an outlook always has: it begins with the current slot
// and is often one slot short.
func ForecastLeads() []time.Duration {
	return []time.Duration{
		30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour,
		12 * time.Hour, 24 * time.Hour, 36 * time.Hour, 47 * time.Hour,
	}
}

// ForecastLead is how far ahead of a slot's start a forecast was seen, counted from the start
// of the slot in which it was seen, like the index in an Outlook. The real lead may have been
// up to a slot shorter.
func ForecastLead(s Slot) time.Duration { return s.From.Sub(SlotAt(s.FetchedAt)) }

// ForecastError is the mean error of forecasts that were seen so far ahead.
type ForecastError struct {
	Provider, Grid string
	Ahead          time.Duration
	Mean           GramsPerKWh // mean absolute difference
	Pairs          int         // number of forecasts that have an actual, at least one
}
