// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package learning

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// hourOfDay is when the daemon learns, local time: few people and reports need the server then.
const hourOfDay = 4

// Due returns the last moment until now at which the daemon was to learn, by power.calibrate: 04:00
// of every day, of every Monday, or of the first of every month. It is the zero time for off.
func Due(every string, now time.Time, zone *time.Location) time.Time {
	local := now.In(zone)
	back := 0
	at := func() time.Time {
		day := local.Day() - back
		return time.Date(local.Year(), local.Month(), day, hourOfDay, 0, 0, 0, zone)
	}
	if at().After(now) {
		back++
	}
	switch every {
	case config.CalibrateDaily:
	case config.CalibrateWeekly:
		back += (int(at().Weekday()) + 6) % 7 // days since Monday
	case config.CalibrateMonthly:
		back += at().Day() - 1
	default:
		return time.Time{}
	}
	return at()
}

// Span is what the daemon learns from: so many complete days that a week, or four, is whole in it,
// since weekends are unlike other days.
func Span(every string, now time.Time, zone *time.Location) usage.Period {
	days := 7
	if every == config.CalibrateWeekly || every == config.CalibrateMonthly {
		days = 28
	}
	return LastDays(days, now, zone)
}

// LastDays are the last so many local days that are complete.
func LastDays(n int, now time.Time, zone *time.Location) usage.Period {
	today := now.In(zone)
	return usage.Period{
		From: budget.DayStart(today.AddDate(0, 0, -n), zone).UTC(),
		To:   budget.DayStart(today, zone).UTC(),
	}
}

// Next is when what is learned begins to count: with the next interval, so that none that is
// there already changes.
func Next(now time.Time, interval time.Duration) time.Time {
	return usage.IntervalAt(now, interval).End()
}
