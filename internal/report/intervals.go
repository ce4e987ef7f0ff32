// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Intervals counts the complete intervals that start in a period.
type Intervals struct {
	All         int `json:"all"`
	Settled     int `json:"settled"`
	Provisional int `json:"provisional"`
	Unpriced    int `json:"unpriced"`
	Empty       int `json:"empty"`
	Missing     int `json:"missing"` // due, and not fetched yet
	Unasked     int `json:"unasked"` // nobody has asked Prometheus for them
}

// CountIntervals counts the intervals of a length by their known states.
func CountIntervals(known map[time.Time]usage.State, p usage.Period, length time.Duration, now time.Time) Intervals {
	var n Intervals
	if length <= 0 {
		return n
	}
	first := usage.IntervalAt(p.From, length)
	if first.Start.Before(p.From) {
		first = first.Next()
	}
	for i := first; i.Start.Before(p.To) && !i.End().After(now); i = i.Next() {
		n.All++
		switch known[i.Start] {
		case usage.Settled:
			n.Settled++
		case usage.Provisional:
			n.Provisional++
		case usage.Unpriced:
			n.Unpriced++
		case usage.Empty:
			n.Empty++
		case usage.Missing:
			n.Missing++
		default:
			n.Unasked++
		}
	}
	return n
}

// Plus adds the counts of another period.
func (n Intervals) Plus(o Intervals) Intervals {
	return Intervals{
		All: n.All + o.All, Settled: n.Settled + o.Settled, Provisional: n.Provisional + o.Provisional, Unpriced: n.Unpriced + o.Unpriced,
		Empty: n.Empty + o.Empty, Missing: n.Missing + o.Missing, Unasked: n.Unasked + o.Unasked,
	}
}

// answered counts the intervals that Prometheus has answered for, even without any
// series.
func (n Intervals) answered() int { return n.All - n.Missing - n.Unasked }

// lacking says in words how many intervals there is no answer for.
func (n Intervals) lacking() string {
	text := fmt.Sprintf("%d missing", n.Missing)
	if n.Unasked > 0 {
		text += fmt.Sprintf(", %d unasked", n.Unasked)
	}
	return text
}

// String counts the intervals without usage, for people.
func (n Intervals) String() string {
	return fmt.Sprintf("%d intervals: %d empty, %s", n.All, n.Empty, n.lacking())
}
