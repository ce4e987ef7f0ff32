// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import "github.com/carbon-exporter/carbon_exporter/internal/usage"

// Equivalent is an everyday activity that emits, or absorbs, a known amount.
type Equivalent struct {
	Name   string      `json:"name"`   // as fields are called
	What   string      `json:"what"`   // one of it is
	Each   usage.Grams `json:"gco2eq"` // of one
	Source string      `json:"source"`
}

// of returns how many of it emit as much.
func (e Equivalent) of(g usage.Grams) float64 { return float64(g) / float64(e.Each) }

// Equivalents lists all of them. They only illustrate a number: most are averages for
// the cars, trees and electricity of other countries. docs/accuracy.md has the full
// sources.
func Equivalents() []Equivalent {
	return []Equivalent{
		{"car_miles", "miles by car", 400, "US EPA, typical passenger vehicle"},
		{"car_km", "km by car", 251, "Green Algorithms (2021), average US car"},
		{"tree_days", "days of growth of a tree", 59.6, "Arbor Day Foundation, 48 lb a year"},
		{"tree_years", "years of growth of a tree", 21772, "Arbor Day Foundation, 48 lb a year"},
		{"smartphone_charges", "smartphone charges", 8.22, "US EPA, equivalencies calculator"},
		{"laptop_charges", "laptop charges", 47, "0.1 kWh at 470 g/kWh (estimate)"},
		{"hd_streaming_hours", "hours of HD streaming", 55, "Carbon Trust (2021), European average"},
		{"kettle_litres", "litres of water boiled in a kettle", 70, "Berners-Lee (2010), electric kettle"},
		{"coal_kg", "kg of coal", 2419, "UK Government factors, industrial coal"},
		{"petrol_litres", "litres of petrol", 2392, "Ecoscore (VITO), 0.652 kg of carbon"},
	}
}
