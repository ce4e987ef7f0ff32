// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"iter"
	"time"
)

// Slot is the carbon intensity of a grid in one half hour, [From, From+SlotLength). Forecast
// and Actual are nil while the provider has not published them.
type Slot struct {
	From      time.Time
	Forecast  *GramsPerKWh
	Actual    *GramsPerKWh
	Quality   Quality // of Actual; empty: the provider does not say, and may revise it
	Basis     Basis
	Index     string // the provider's own rating ("low", "high"); its bounds change every year, so it is never computed
	Provider  string
	Grid      string
	FetchedAt time.Time
	DoubtedAt time.Time // when an actual of 0 was first seen that is not believed yet; zero: there is none
}

// ProviderStatic is the provider of a value that the operator gives for all time. It has no
// forecast.
const ProviderStatic = "static"

// GridName names a grid, and whose intensities of it are meant.
type GridName struct{ Provider, Grid string }

// MaxIntensity is above the dirtiest half hour of any grid, lifecycle included. Anything above it
// is a mistake of the provider or another unit.
const MaxIntensity = 2000

// Kind tells a forecast from an actual.
type Kind string

// The kinds of an intensity.
const (
	Forecast Kind = "forecast"
	Actual   Kind = "actual"
)

// Price is the intensity chosen for a piece, and where it comes from.
type Price struct {
	Intensity GramsPerKWh
	Kind      Kind
	Quality   Quality // empty: nobody says
	Basis     Basis
	Provider  string
	Grid      string
	SlotFrom  time.Time
	FetchedAt time.Time
}

// Price returns the best known value: the actual, else the forecast. ok is false if there is
// neither.
func (s Slot) Price() (Price, bool) {
	p := Price{Basis: s.Basis, Provider: s.Provider, Grid: s.Grid, SlotFrom: s.From, FetchedAt: s.FetchedAt}
	switch {
	case s.Actual != nil:
		p.Intensity, p.Kind, p.Quality = *s.Actual, Actual, s.Quality
	case s.Forecast != nil:
		p.Intensity, p.Kind, p.Quality = *s.Forecast, Forecast, QualityForecast
	default:
		return Price{}, false
	}
	return p, true
}

// Complete adds to what counts of each half hour the slots of the next source: of each half hour the
// first source that has a value counts.
func Complete(counts map[time.Time]Slot, next iter.Seq[Slot]) {
	for slot := range next {
		_, taken := counts[slot.From]
		if _, ok := slot.Price(); ok && !taken {
			counts[slot.From] = slot
		}
	}
}

// SlotAt returns the start of the carbon slot that contains t.
func SlotAt(t time.Time) time.Time { return FloorEpoch(t, SlotLength) }
