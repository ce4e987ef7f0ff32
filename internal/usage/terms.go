// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "time"

// Terms are what is known of a source of carbon intensity without asking it.
type Terms struct {
	Basis Basis
	// Open is whether what Basis leaves empty is left open on purpose, because it stands in for either.
	Open bool
	// Forecasts is whether it has forecasts of the time to come.
	Forecasts bool
	// Every is how often it is asked for recent values; 0: every ten minutes.
	Every time.Duration
	// Late is how long after a half hour its value comes, beyond the few hours that all need.
	Late time.Duration
	// Longest is the longest time that one request can ask for; 0: there is no limit.
	Longest time.Duration
	// Gap is the shortest time between two requests that it likes; 0: any.
	Gap time.Duration
	// GapByPath is whether it likes that between two requests of one path only.
	GapByPath bool
	Licence   string // of its values, in the words of whoever grants it; empty: not known
	Credit    string // what its licence asks everybody to name who shows its values; empty: nothing
	Link      string // its page, for people
}

// GridSource is a configured source of carbon intensity, and what is known of it.
type GridSource struct {
	GridName
	Terms
}
