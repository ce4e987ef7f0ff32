// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Kind is a kind of calendar period. Periods of a kind have no gaps and no overlaps,
// even when the clocks change.
type Kind string

// The kinds of periods. Weeks follow ISO 8601 (from Monday); quarters start in January,
// April, July and October.
const (
	Day     Kind = "day"
	Week    Kind = "week"
	Month   Kind = "month"
	Quarter Kind = "quarter"
	Year    Kind = "year"
)

// Period is the calendar period in the zone that contains the time. Its bounds are in
// the zone, so that they print as local time.
func (k Kind) Period(at time.Time, zone *time.Location) usage.Period {
	first := k.first(dateOf(at, zone))
	p := usage.Period{From: startOf(first, zone)}
	for {
		first = k.following(first)
		p.To = startOf(first, zone)
		if at.Before(p.To) {
			return p
		}
		// Either the clocks were put back over midnight, so that the date is yesterday
		// again although today has begun, or the zone has skipped the whole period.
		p.From = p.To
	}
}

// Split splits p at the bounds of calendar periods. The parts add up to p; the first
// and last may be shorter than a calendar period. An empty p has no parts.
func Split(p usage.Period, by Kind, zone *time.Location) []usage.Period {
	var parts []usage.Period
	for at := p.From; at.Before(p.To); {
		part := usage.Period{From: at, To: by.Period(at, zone).To}
		if part.To.After(p.To) {
			part.To = p.To
		}
		parts = append(parts, part)
		at = part.To
	}
	return parts
}

// DayStart is the start of a date, given as a time on it, in the zone. It is later than midnight if
// midnight is skipped, and the start of the next date if the whole date is skipped.
func DayStart(on time.Time, zone *time.Location) time.Time {
	return startOf(date(on.Date()), zone)
}

// A date stands for itself as its midnight in UTC, where every day has one.
func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func dateOf(at time.Time, zone *time.Location) time.Time { return date(at.In(zone).Date()) }

// first is the first date of the period that contains a date.
func (k Kind) first(d time.Time) time.Time {
	year, month, day := d.Date()
	switch k {
	case Week:
		day -= (int(d.Weekday()) + 6) % 7 // days since Monday
	case Month:
		day = 1
	case Quarter:
		month, day = month-(month-1)%3, 1
	case Year:
		month, day = time.January, 1
	}
	return date(year, month, day)
}

// following is the first date of the next period.
func (k Kind) following(first time.Time) time.Time {
	switch k {
	case Week:
		return first.AddDate(0, 0, 7)
	case Month:
		return first.AddDate(0, 1, 0)
	case Quarter:
		return first.AddDate(0, 3, 0)
	case Year:
		return first.AddDate(1, 0, 0)
	}
	return first.AddDate(0, 0, 1)
}

// startOf is the first time at which the zone shows the date or a later one. (time.Date
// picks either side of a midnight that is skipped or repeated.)
func startOf(d time.Time, zone *time.Location) time.Time {
	// No zone is a full day ahead of UTC, so here the date has not begun. From here on,
	// look at one period of unchanged clocks after another.
	at := d.Add(-day).In(zone)
	for {
		_, offset := at.Zone()
		midnight := d.Add(-time.Duration(offset) * time.Second).In(zone)
		_, end := at.ZoneBounds()
		if !end.IsZero() && !end.After(at) {
			// Beyond the years that a zone's table lists, Go 1.26 takes every year to end
			// after 365 days, and so a leap year's last day to end before it begins.
			end = at.Add(day)
		}
		switch {
		case midnight.Before(at):
			return at
		case end.IsZero() || midnight.Before(end):
			return midnight
		}
		at = end
	}
}
