// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package gate knows whether work should start now: from what is left of a budget, and from
// what the grid will be like in the next hours. What is not known never holds work back; it is
// said. The package must not know where the numbers come from, or how a decision is shown.
// Start with Decide.
package gate

import (
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Verdict is what to do with the work.
type Verdict string

// The verdicts.
const (
	Go       Verdict = "go"
	Denied   Verdict = "denied"   // the budget has nothing left for it
	Deferred Verdict = "deferred" // a later time is better
)

// Rules are what holds work back.
type Rules struct {
	// At is the share of the limit from which on a budget counts as used up, above 0.
	At float64
	// Projected is the projected share of the limit at the end of the period from which on
	// work is denied; 0: the projection does not count.
	Projected float64
	// Within is how much later the work may begin; 0: the grid does not count.
	Within time.Duration
	// For is how long the work takes: whole slots, at least one.
	For time.Duration
	// Saves is the share of emissions that a later time must save, and more than that.
	Saves float64
}

// Facts are what is known.
type Facts struct {
	Now time.Time
	// Budget is nil if nothing is known of it, or if none was asked for.
	Budget *Budget
	// Grid is nil if nothing is known of it, or if it was not asked for.
	Grid *Grid
	// Doubts are sentences on what is not known, without a full stop.
	Doubts []string
}

// Decision is a verdict and what it rests on.
type Decision struct {
	Verdict Verdict
	Reason  string // a sentence without its full stop
	// Doubts are what was not known: those of the facts, and those that were found.
	Doubts []string
	// Now is what the grid is like if the work begins now, and Best what it is like at the best
	// time to begin, which may be now. Both are nil if that is not known.
	Now, Best *usage.Window
}

// Saving is the share of emissions that waiting for Best saves. ok is false if it is not known,
// or if there is nothing to save.
func (d Decision) Saving() (share float64, ok bool) {
	if d.Now == nil || d.Best == nil || d.Now.Mean <= 0 {
		return 0, false
	}
	return float64(1 - d.Best.Mean/d.Now.Mean), true
}

// Decide judges the budget first: work that it denies is denied at any hour.
func Decide(r Rules, f Facts) Decision {
	d := Decision{Verdict: Go, Reason: "nothing holds the work back", Doubts: slices.Clone(f.Doubts)}
	if f.Budget != nil {
		denied, doubts := f.Budget.judge(r, f.Now)
		d.Doubts = append(d.Doubts, doubts...)
		if denied != "" {
			d.Verdict, d.Reason = Denied, denied
		}
	}
	if f.Grid != nil && r.Within > 0 {
		d.Doubts = append(d.Doubts, d.look(r, f)...)
	}
	if saving, ok := d.Saving(); ok && d.Verdict == Go && saving > r.Saves {
		d.Verdict, d.Reason = Deferred, better(d, saving)
	}
	return d
}
