// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"cmp"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// CallsADay is how many requests a source gets in a day in which it is polled all the time, if it
// gets any: one that only stands in for others gets fewer.
func CallsADay(g Grid, settleAfter time.Duration, now time.Time) int {
	counter, ok := g.(interface{ Requests(from, to time.Time) int })
	if !ok {
		return 0
	}
	terms := g.Terms()
	const day = 24 * time.Hour
	window := usage.SlotAt(now.Add(-min(settleAfter+terms.Late+margin, longestWindow)))
	every := cmp.Or(terms.Every, pollEvery)
	calls := int((day+every-1)/every) * counter.Requests(window, usage.SlotAt(now).Add(usage.SlotLength))
	if terms.Forecasts {
		calls += int(day / usage.SlotLength)
	}
	return calls
}
