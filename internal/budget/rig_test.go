// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"math"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const halfHour = 30 * time.Minute

// flow is what was used in the half hour that begins at a time, and what is known
// of it.
type flow func(at time.Time) Amount

// record adds up a flow over the half hours from a time to another.
func record(f flow, from, to time.Time) Record {
	return Record{Held: usage.Period{From: from, To: to}, Seen: true, Used: func(p usage.Period) (Amount, error) {
		var sum Amount
		at := usage.IntervalAt(p.From, halfHour)
		if at.Start.Before(p.From) {
			at = at.Next()
		}
		for ; at.Start.Before(p.To); at = at.Next() {
			if at.Start.Before(from) || !at.Start.Before(to) {
				continue
			}
			a := f(at.Start)
			sum.Energy += a.Energy
			sum.Emissions += a.Emissions
			sum.Priced = sum.Priced || a.Priced
			sum.Missing += a.Missing
			sum.Unpriced += a.Unpriced
		}
		return sum, nil
	}}
}

// grams is a steady flow, a half hour.
func grams(g usage.Grams) flow { return func(time.Time) Amount { return Amount{Emissions: g} } }

// status is how a budget stands, without an error.
func status(t *testing.T, b Budget, now time.Time, r Record) Status {
	t.Helper()
	s, err := b.Status(now, r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// number is the value, NaN for what is not there.
func number(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

func burn(s Status, w Window) float64 {
	for _, b := range s.Burn {
		if b.Window == w {
			return b.Ratio
		}
	}
	return math.NaN()
}

// near also holds two numbers to be both not there.
func near(a, b float64) bool {
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.IsNaN(a) && math.IsNaN(b)
	}
	return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b))
}

// kinds lists the kinds of periods, the shortest first.
func kinds() []Kind { return []Kind{Day, Week, Month, Quarter, Year} }
