// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package grids

import "time"

// Plants is a grid of three kinds of plants. Coal and wind have fixed power together, and as much
// of it is coal as makes the truth. In MW and gCO2eq/kWh.
type Plants struct {
	Coal, Wind, Nuclear float64 // what a kWh of each emits
}

// lifecycle are the medians of the IPCC.
var lifecycle = Plants{Coal: 820, Wind: 11, Nuclear: 12}

const coalAndWind = 10_000

// nuclear changes with the hour, and a little from day to day.
func nuclear(hour time.Time) float64 { return float64(3000 + 10*hour.Hour() + hour.YearDay()) }

// coal is what burns in a time within one hour.
func (p Plants) coal(s *Server, from, to time.Time) float64 {
	n := nuclear(from.UTC().Truncate(time.Hour))
	grams := float64(s.mean(from, to)) * (n + coalAndWind)
	return (grams - n*p.Nuclear - coalAndWind*p.Wind) / (p.Coal - p.Wind)
}
