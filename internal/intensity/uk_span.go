// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// maxSpan keeps a request well below the API's limit of 14 days.
const maxSpan = 13 * 24 * time.Hour

// span is the slots that begin in [from, to); both are on a half hour.
type span struct{ from, to time.Time }

// spans splits [from, to) into the spans of one request each: at most maxSpan long, not across
// a new year, and with a year's last slot on its own.
func spans(from, to time.Time) []span {
	var all []span
	at, end := firstSlot(from), firstSlot(to)
	for at.Before(end) {
		next := usage.Earlier(end, usage.Earlier(at.Add(maxSpan), newYearAfter(at)))
		if last := lastSlotOf(at); at.Before(last) {
			next = usage.Earlier(next, last)
		}
		all = append(all, span{from: at, to: next})
		at = next
	}
	return all
}

// bounds returns the times for the request, one minute later than the span, because the API
// also returns the slot that ends at its from. The API selects slots by their end, and only in
// the year of its from. So it returns the last slot of a year, which ends in the next year,
// only for requests from the first moment of the new year.
func (s span) bounds() (first, last time.Time) {
	if s.from.Equal(lastSlotOf(s.from)) {
		return s.to, s.to.Add(time.Minute)
	}
	return s.from.Add(time.Minute), s.to.Add(time.Minute)
}

func lastSlotOf(t time.Time) time.Time { return newYearAfter(t).Add(-usage.SlotLength) }

func newYearAfter(t time.Time) time.Time {
	return time.Date(t.UTC().Year()+1, time.January, 1, 0, 0, 0, 0, time.UTC)
}
