// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// calendar writes times as somebody would say them now and here.
type calendar struct {
	now  time.Time
	zone *time.Location
}

// clock is the time of day. On the other side of a change of the clocks it has its zone: an hour
// of that night is there twice.
func (c calendar) clock(t time.Time) string {
	t = t.In(c.zone)
	text := t.Format("15:04")
	_, here := c.now.In(c.zone).Zone()
	if name, offset := t.Zone(); offset != here {
		text += " " + name
	}
	return text
}

// day names a day by how near it is.
func (c calendar) day(t time.Time) string {
	switch n := c.days(t); {
	case n == 0:
		return "today"
	case n == 1:
		return "tomorrow"
	case n == -1:
		return "yesterday"
	case n > 1 && n < 7:
		return t.In(c.zone).Format("Monday")
	case t.In(c.zone).Year() == c.now.In(c.zone).Year():
		return t.In(c.zone).Format("2 January")
	default:
		return t.In(c.zone).Format("2 January 2006")
	}
}

// days is how many days from today a time is.
func (c calendar) days(t time.Time) int {
	date := func(t time.Time) time.Time {
		y, m, d := t.In(c.zone).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) // so that each day has 24 hours
	}
	return int(date(t).Sub(date(c.now)) / (24 * time.Hour))
}

// moment is a day and a time of day.
func (c calendar) moment(t time.Time) string { return c.day(t) + " " + c.clock(t) }

// near is a moment that is today unless it says otherwise.
func (c calendar) near(t time.Time) string {
	if c.days(t) == 0 {
		return c.clock(t)
	}
	return c.moment(t)
}

// past is a time from one moment to another that is over.
func (c calendar) past(i usage.Interval) string { return c.near(i.Start) + " to " + c.clock(i.End()) }

// window is a time to come, or that has just begun, from one moment to another: "tomorrow 03:30 to 06:30".
func (c calendar) window(p usage.Period) string {
	to := c.clock(p.To)
	if !p.From.After(c.now) {
		if c.days(p.To) != 0 {
			to = c.day(p.To) + " " + to
		}
		return "now until " + to
	}
	return c.moment(p.From) + " to " + to
}

// span is how long something takes or is ago, in the unit that suits it.
func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return count(int(d/time.Second), "second", "seconds")
	case d < 2*time.Hour:
		return count(int(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return digitsOfHours(d) + nbsp + "hours"
	}
	return count(int(d/(24*time.Hour)), "day", "days")
}

func digitsOfHours(d time.Duration) string {
	hours := grouped(int64(d / time.Hour))
	if d%time.Hour >= 30*time.Minute {
		hours += "½"
	}
	return hours
}
