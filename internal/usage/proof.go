// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "time"

// Proof is everything stored about one interval and how it came about; explanations are made
// from it. If Pruned, its per-key rows were deleted and the rest is still there.
type Proof struct {
	Record
	Pruned   bool
	Attempts int       // failed attempts since the last answer
	Error    string    // of the last failed attempt
	RetryAt  time.Time // no attempt before; zero: not waiting, or not fetched again
	RereadAt time.Time // it is read a second time then; zero: not
	Slots    []Slot    // of every provider and grid, within the interval
	Changes  []Change  // since it first had a price, oldest first
}
