// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"net/http"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	minute   = "2006-01-02T15:04Z" // the API's format of times
	maxRange = 14 * 24 * time.Hour
	notATime = "Please enter a valid datetime in ISO8601 format YYYY-MM-DDThh:mmZ."
)

// timeRange reads {from} and {to}; {to} may be fw24h or fw48h. problem is the API's message for
// a range that it refuses.
func timeRange(r *http.Request) (from, to time.Time, problem string) {
	from, ok := clock(r.PathValue("from"))
	if !ok {
		return from, to, notATime
	}
	switch r.PathValue("to") {
	case "fw24h":
		return from, from.Add(24 * time.Hour), ""
	case "fw48h":
		return from, from.Add(48 * time.Hour), ""
	}
	if to, ok = clock(r.PathValue("to")); !ok {
		return from, to, notATime
	}
	if to.Before(from) {
		return from, to, "The start datetime should be less than the end datetime."
	}
	if to.Sub(from) > maxRange {
		return from, to, "The maximum date range is limited to 14 days."
	}
	return from, to, ""
}

func clock(s string) (time.Time, bool) {
	for _, layout := range []string{minute, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// slots returns the starts of the slots that answer a range. The API selects slots by their
// END, from <= end <= to, which is why the slot that ends at `from` is included; and only in
// the year of `from`, which is why a range over new year stops with the slot of 23:00 on 31
// December. That rule is inferred: it explains every answer that users of the API have
// reported. It also means that the slot of 23:30 is only returned for requests from 1 January
// 00:00Z. Slots beyond the horizon of the forecast are left out.
func slots(from, to, now time.Time) []time.Time {
	var starts []time.Time
	end := usage.SlotAt(from)
	if end.Before(from) {
		end = end.Add(usage.SlotLength)
	}
	for ; !end.After(to) && end.Year() == from.Year(); end = end.Add(usage.SlotLength) {
		if slot := end.Add(-usage.SlotLength); slot.Before(now.Add(horizon)) {
			starts = append(starts, slot)
		}
	}
	return starts
}
