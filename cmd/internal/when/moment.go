// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package when

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/commandline"
	"github.com/carbon-exporter/carbon_exporter/internal/budget"
)

// Past reads the value of a flag that must not be in the future.
func Past(flag, value string, zone *time.Location, now time.Time) (time.Time, error) {
	at, err := Moment(value, zone, now)
	switch {
	case err != nil:
		return time.Time{}, commandline.Wrongf("%s: %w", flag, err)
	case at.After(now):
		return time.Time{}, commandline.Wrongf("%s: %s is in the future", flag, value)
	}
	return at, nil
}

// Coming reads the value of a flag that must be in the future, and not further ahead than that.
func Coming(flag, value string, zone *time.Location, now time.Time, most time.Duration) (time.Time, error) {
	at, err := Moment(value, zone, now)
	switch {
	case err != nil:
		return time.Time{}, commandline.Wrongf("%s: %w", flag, err)
	case !at.After(now) || at.Sub(now) > most:
		return time.Time{}, commandline.Wrongf("%s: must be within the coming %.0f hours, is %s", flag, most.Hours(), Written(at, zone))
	}
	return at, nil
}

// unixSeconds is a time as the Prometheus API and promtool take it. With fewer digits
// it would be a year, or a typing error.
var unixSeconds = regexp.MustCompile(`^[0-9]{9,10}$`)

// Moment reads a time, in the given zone unless it names one itself. A day, a month or a year is
// when it begins. A local time that does not exist, or exists twice, because the clocks change is
// refused.
func Moment(value string, zone *time.Location, now time.Time) (time.Time, error) {
	if at, ok := relative(value, zone, now); ok {
		return sinceUnix(value, at)
	}
	if unixSeconds.MatchString(value) {
		seconds, err := strconv.ParseInt(value, 10, 64)
		return time.Unix(seconds, 0).UTC(), err
	}
	typed := value
	value = strings.Replace(value, " ", "T", 1) // as people write it
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, value); err == nil {
			return sinceUnix(value, at.UTC())
		}
	}
	for _, layout := range []string{time.DateOnly, "2006-01", "2006"} {
		if day, err := time.Parse(layout, value); err == nil {
			return sinceUnix(value, budget.DayStart(day, zone).UTC())
		}
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		wall, err := time.Parse(layout, value)
		if err != nil {
			continue
		}
		switch found := moments(wall, zone); len(found) {
		case 0:
			return time.Time{}, fmt.Errorf("%s does not exist in %s: the clocks go forward then", value, zone)
		case 1:
			return sinceUnix(value, found[0])
		default:
			return time.Time{}, fmt.Errorf("%s exists twice in %s: use %s or %s", value, zone, Written(found[0], zone), Written(found[1], zone))
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time such as 2026-10-01, 2026-10-01T10:30, 2026-10-01T10:30:00Z, 2026-10, yesterday or -1h", typed)
}

// relative reads a time that is said from now.
func relative(value string, zone *time.Location, now time.Time) (time.Time, bool) {
	switch today := budget.Day.Period(now, zone).From; value {
	case "now":
		return now.UTC(), true
	case "today":
		return today.UTC(), true
	case "yesterday":
		return budget.Day.Period(today.Add(-1), zone).From.UTC(), true
	}
	back, ok := strings.CutPrefix(value, "-")
	d, err := model.ParseDuration(back)
	if !ok || err != nil {
		return time.Time{}, false
	}
	return now.Add(-time.Duration(d)).UTC(), true
}

// sinceUnix refuses times before 1970.
func sinceUnix(value string, at time.Time) (time.Time, error) {
	if at.Before(time.Unix(0, 0)) {
		return time.Time{}, fmt.Errorf("%s is before 1970", value)
	}
	return at, nil
}

// moments lists when the clocks of a zone show a time, which is given as if it were
// UTC: never if they skip it, twice if they are put back.
func moments(wall time.Time, zone *time.Location) []time.Time {
	var found []time.Time
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := wall.Add(near).In(zone).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second)
		_, shown := at.In(zone).Zone()
		if shown == offset && (len(found) == 0 || found[0].Before(at)) {
			found = append(found, at)
		}
	}
	return found
}

// Written is a time in a format that reads back as the same time. RFC 3339 has no
// seconds in its offsets; old local times that need them are written in UTC.
func Written(at time.Time, zone *time.Location) string {
	if _, offset := at.In(zone).Zone(); offset%60 != 0 {
		zone = time.UTC
	}
	return at.In(zone).Format(time.RFC3339)
}
