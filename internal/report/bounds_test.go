// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"math"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12*max(math.Abs(a), math.Abs(b)) }

// tally has 10 kWh, of which 2 are idle, at 100 g/kWh.
func tally(change func(*usage.Tally)) usage.Tally {
	t := usage.Tally{
		Name:   "ISIS",
		Energy: usage.ByMode[usage.KWh]{Busy: 8, Idle: 2}, Priced: true,
		Emissions: usage.ByMode[usage.Grams]{Busy: 800, Idle: 200},
		Undoubted: 10,
	}
	if change != nil {
		change(&t)
	}
	return t
}

func TestBounds(t *testing.T) {
	type bounds struct{ energyLow, energyHigh, low, high float64 }
	for _, c := range []struct {
		name           string
		change         func(*usage.Tally)
		energy, grams  bool
		want           bounds
		forecastsMayBe usage.GramsPerKWh
	}{
		{
			name: "watts that nobody has measured, and actuals: nothing is known, which is not no error",
		},
		{
			name:   "a tenth of 10 kWh",
			change: func(t *usage.Tally) { t.Undoubted, t.Down, t.Up = 0, 1, 1 },
			energy: true, grams: true, want: bounds{9, 11, 900, 1100},
		},
		{
			name:   "a fit without an error",
			change: func(t *usage.Tally) { t.Undoubted = 0 },
			energy: true, grams: true, want: bounds{10, 10, 1000, 1000},
		},
		{
			name:   "half of it measured to a tenth, the rest as it stands",
			change: func(t *usage.Tally) { t.Undoubted, t.Down, t.Up = 5, 0.5, 0.5 },
			energy: true, grams: true, want: bounds{9.5, 10.5, 950, 1050},
		},
		{
			name:           "4 kWh priced with forecasts that are off by 24",
			change:         func(t *usage.Tally) { t.Forecast = 4 },
			forecastsMayBe: 24,
			grams:          true, want: bounds{10, 10, 904, 1096},
		},
		{
			name:           "both, which have nothing to do with each other; the energy may be further above than below",
			change:         func(t *usage.Tally) { t.Forecast, t.Undoubted, t.Down, t.Up = 4, 0, 1, 2 },
			forecastsMayBe: 24,
			energy:         true, grams: true, want: bounds{9, 12, 1000 - math.Hypot(100, 96), 1000 + math.Hypot(200, 96)},
		},
		{
			name:           "no bound is below nothing",
			change:         func(t *usage.Tally) { t.Forecast, t.Undoubted, t.Down, t.Up = 10, 0, 20, 20 },
			forecastsMayBe: 200,
			energy:         true, grams: true, want: bounds{0, 30, 0, 1000 + math.Hypot(2000, 2000)},
		},
		{
			name:   "no price, no emissions to be off",
			change: func(t *usage.Tally) { t.Priced, t.Unpriced, t.Undoubted, t.Down, t.Up = false, 10, 0, 1, 1 },
			energy: true, want: bounds{9, 11, 0, 0},
		},
		{
			name:   "no energy",
			change: func(t *usage.Tally) { *t = usage.Tally{Priced: true} },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			of := tally(c.change)
			if e, ok := EnergyBounds(of); ok != c.energy || ok && (!near(float64(e.Low), c.want.energyLow) || !near(float64(e.High), c.want.energyHigh)) {
				t.Errorf("energy %v, %v, want %v to %v, %v", e, ok, c.want.energyLow, c.want.energyHigh, c.energy)
			}
			if g, ok := EmissionsBounds(of, c.forecastsMayBe); ok != c.grams || ok && (!near(float64(g.Low), c.want.low) || !near(float64(g.High), c.want.high)) {
				t.Errorf("emissions %v, %v, want %v to %v, %v", g, ok, c.want.low, c.want.high, c.grams)
			}
		})
	}
}

func TestWorstForecastError(t *testing.T) {
	of := func(mean usage.GramsPerKWh, pairs int) usage.ForecastError {
		return usage.ForecastError{Provider: "uk", Grid: "GB", Mean: mean, Pairs: pairs}
	}
	for _, c := range []struct {
		name string
		used []usage.ForecastError
		want ForecastError
	}{
		{"no forecast was used", nil, ForecastError{}},
		{"measured", []usage.ForecastError{of(11, 1344)}, ForecastError{11, 1344}},
		{"a day is enough", []usage.ForecastError{of(11, 48)}, ForecastError{11, 48}},
		{"one less is not", []usage.ForecastError{of(11, 47)}, ForecastError{24, 0}},
		{"a grid without actuals", []usage.ForecastError{of(0, 0)}, ForecastError{24, 0}},
		{"the worst of two", []usage.ForecastError{of(11, 100), of(31, 100)}, ForecastError{31, 100}},
		{"the documented may be the worst", []usage.ForecastError{of(11, 100), of(0, 0)}, ForecastError{24, 0}},
		{"or not", []usage.ForecastError{of(0, 0), of(31, 100)}, ForecastError{31, 100}},
		{"forecasts that were always right", []usage.ForecastError{of(0, 100)}, ForecastError{0, 100}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := WorstForecastError(c.used); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestEquivalents(t *testing.T) {
	want := map[string]usage.Grams{
		"car_miles": 400, "car_km": 251, "tree_days": 59.6, "tree_years": 21772, "smartphone_charges": 8.22, "laptop_charges": 47,
		"hd_streaming_hours": 55, "kettle_litres": 70, "coal_kg": 2419, "petrol_litres": 2392,
	}
	for _, e := range Equivalents() {
		if e.Each != want[e.Name] {
			t.Errorf("%s is %v g, want %v", e.Name, e.Each, want[e.Name])
		}
		if e.Source == "" || e.What == "" {
			t.Errorf("%s says neither what it is nor where it is from", e.Name)
		}
		if got := e.of(10 * e.Each); !near(got, 10) {
			t.Errorf("%v of %s in ten times its grams", got, e.Name)
		}
		delete(want, e.Name)
	}
	if len(want) > 0 {
		t.Errorf("there is no %v", want)
	}
}
