// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package when reads times and ranges of time as people say them: 2026-10, yesterday or -1h. It
// must not know what happens then. Start with Range.Period.
package when

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/commandline"
	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Range is a time range [from, to) as it was typed.
type Range struct {
	From, To, Month                string
	FromGiven, ToGiven, MonthGiven bool
	Months                         bool // it may be a month
	Ahead                          bool // an end in the future means now
	All                            bool // without a begin, the range starts at the first stored interval
	Present                        bool // if nothing is given, the range is the current month up to now
}

// Period is the range that was meant. It starts before now and ends now or earlier;
// the current month ends now. Every error is a usage error.
func (r Range) Period(zone *time.Location, now time.Time) (usage.Period, error) {
	switch {
	case r.MonthGiven && (r.FromGiven || r.ToGiven):
		return usage.Period{}, commandline.Wrongf("--month cannot be combined with --from or --to")
	case r.MonthGiven:
		return monthOf(r.Month, zone, now)
	case !r.FromGiven && !r.ToGiven && r.Present:
		return usage.Period{From: budget.Month.Period(now, zone).From.UTC(), To: now.UTC()}, nil
	case !r.FromGiven && r.All:
	case !r.FromGiven && r.Months:
		return usage.Period{}, commandline.Wrongf("no range: give --from or --month")
	case !r.FromGiven:
		return usage.Period{}, commandline.Wrongf("no range: give --from")
	}
	from := time.Unix(0, 0).UTC()
	if r.FromGiven {
		var err error
		if from, err = Past("--from", r.From, zone, now); err != nil {
			return usage.Period{}, err
		}
	}
	to, err := r.end(zone, now)
	if err != nil {
		return usage.Period{}, err
	}
	switch {
	case from.Before(to):
	case !r.ToGiven:
		return usage.Period{}, commandline.Wrongf("--from: %s is not before now, and without --to the range ends now", r.From)
	default:
		return usage.Period{}, commandline.Wrongf("--to: %s is not after --from", Written(to, zone))
	}
	return usage.Period{From: from, To: to}, nil
}

// end is the value of --to; without it, now.
func (r Range) end(zone *time.Location, now time.Time) (time.Time, error) {
	if !r.ToGiven {
		return now.UTC(), nil
	}
	if to, err := Moment(r.To, zone, now); err == nil && r.Ahead && to.After(now) {
		return now.UTC(), nil
	}
	return Past("--to", r.To, zone, now)
}

func monthOf(value string, zone *time.Location, now time.Time) (usage.Period, error) {
	first, err := time.Parse("2006-01", value)
	if err != nil {
		return usage.Period{}, commandline.Wrongf("--month: %q is not a month such as 2026-10", value)
	}
	p := usage.Period{From: budget.DayStart(first, zone).UTC(), To: budget.DayStart(first.AddDate(0, 1, 0), zone).UTC()}
	switch {
	case p.From.Before(time.Unix(0, 0)):
		return usage.Period{}, commandline.Wrongf("--month: %s is before 1970", value)
	case !p.From.Before(now):
		return usage.Period{}, commandline.Wrongf("--month: %s is in the future", value)
	case p.To.After(now):
		p.To = now.UTC()
	}
	return p, nil
}
