// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// timeRange is the time range [from, to) of a command, as it was typed. A command has
// it as a field, calls register (and registerMonth, if a whole month makes sense)
// where it declares its flags, and asks for the period when it runs, before it opens
// the store or sends a query:
//
//	r.span.register(c)
//	...
//	p, err := r.span.period(cfg, time.Now())
//	if err != nil {
//		return err // a usage error: exit code 2
//	}
type timeRange struct {
	from, to, month                string
	fromGiven, toGiven, monthGiven bool
	months                         bool
	ahead                          bool // an end in the future means now
	all                            bool // without --from, the range starts at the first stored interval
	present                        bool // without any flag, the range is the current month up to now
}

const (
	startHelp = "Start of the range: 2026-10-01, 2026-10-01T10:30, 2026-10 or 2026 (when they begin, in the configured time zone), now, today, yesterday, -1h, -7d, RFC 3339, or Unix seconds."
	endHelp   = "End of the range, in the same formats. It is not part of the range: 2026-10-05 means up to the end of 4 October. Default: now."
)

// register declares --from and --to.
func (r *timeRange) register(c *kingpin.CmdClause) {
	c.Flag("from", startHelp).
		PlaceHolder("TIME").IsSetByUser(&r.fromGiven).StringVar(&r.from)
	c.Flag("to", endHelp).
		PlaceHolder("TIME").IsSetByUser(&r.toGiven).StringVar(&r.to)
}

// registerMonth declares --month beside them.
func (r *timeRange) registerMonth(c *kingpin.CmdClause) {
	r.months = true
	c.Flag("month", "A calendar month such as 2026-10, instead of --from and --to.").
		PlaceHolder("MONTH").IsSetByUser(&r.monthGiven).StringVar(&r.month)
}

// registerPresent declares --from, --to and --month for a command that covers the current month
// by default.
func (r *timeRange) registerPresent(c *kingpin.CmdClause) {
	r.present, r.months = true, true
	c.Flag("from", startHelp+" Default, without --to and --month: the current month.").
		PlaceHolder("TIME").IsSetByUser(&r.fromGiven).StringVar(&r.from)
	c.Flag("to", endHelp).
		PlaceHolder("TIME").IsSetByUser(&r.toGiven).StringVar(&r.to)
	r.registerMonth(c)
}

// registerAhead declares --from and --to for a command that takes what is there: an
// end in the future, such as the end of today, means now.
func (r *timeRange) registerAhead(c *kingpin.CmdClause) {
	r.ahead = true
	r.register(c)
}

// registerAll declares --from and --to for a command that covers the whole store by
// default.
func (r *timeRange) registerAll(c *kingpin.CmdClause) {
	r.all = true
	c.Flag("from", startHelp+" Default: the first stored interval.").
		PlaceHolder("TIME").IsSetByUser(&r.fromGiven).StringVar(&r.from)
	c.Flag("to", endHelp).
		PlaceHolder("TIME").IsSetByUser(&r.toGiven).StringVar(&r.to)
}

// period is the range that was meant. It starts before now and ends now or earlier;
// the current month ends now. Every error is a usage error.
func (r *timeRange) period(c *config.Config, now time.Time) (usage.Period, error) {
	zone := c.Location()
	switch {
	case r.monthGiven && (r.fromGiven || r.toGiven):
		return usage.Period{}, wrongUsef("--month cannot be combined with --from or --to")
	case r.monthGiven:
		return monthOf(r.month, zone, now)
	case !r.fromGiven && !r.toGiven && r.present:
		return usage.Period{From: budget.Month.Period(now, zone).From.UTC(), To: now.UTC()}, nil
	case !r.fromGiven && r.all:
	case !r.fromGiven && r.months:
		return usage.Period{}, wrongUsef("no range: give --from or --month")
	case !r.fromGiven:
		return usage.Period{}, wrongUsef("no range: give --from")
	}
	from := time.Unix(0, 0).UTC()
	if r.fromGiven {
		var err error
		if from, err = pastMoment("--from", r.from, zone, now); err != nil {
			return usage.Period{}, err
		}
	}
	to, err := r.end(zone, now)
	if err != nil {
		return usage.Period{}, err
	}
	switch {
	case from.Before(to):
	case !r.toGiven:
		return usage.Period{}, wrongUsef("--from: %s is not before now, and without --to the range ends now", r.from)
	default:
		return usage.Period{}, wrongUsef("--to: %s is not after --from", written(to, zone))
	}
	return usage.Period{From: from, To: to}, nil
}

// eastmost is the largest offset of any time zone from UTC.
const eastmost = 14 * time.Hour

// check refuses, before the store is opened, what is not a range in any time zone.
// The zone is the one of the store unless a configuration file was given.
func (s *site) check(r *timeRange, c *config.Config, now time.Time) error {
	_, err := r.period(c, now)
	if s.configGiven || err == nil {
		return err
	}
	utc := *c
	utc.Timezone = "UTC"
	if _, elsewhere := r.period(&utc, now.Add(eastmost)); elsewhere == nil {
		return nil
	}
	return err
}

// checkMoment does the same for a single time.
func (s *site) checkMoment(flag, value string, c *config.Config, now time.Time) error {
	_, err := pastMoment(flag, value, c.Location(), now)
	if s.configGiven || err == nil {
		return err
	}
	if _, elsewhere := pastMoment(flag, value, time.UTC, now.Add(eastmost)); elsewhere == nil {
		return nil
	}
	return err
}

// end is the value of --to; without it, now.
func (r *timeRange) end(zone *time.Location, now time.Time) (time.Time, error) {
	if !r.toGiven {
		return now.UTC(), nil
	}
	if to, err := moment(r.to, zone, now); err == nil && r.ahead && to.After(now) {
		return now.UTC(), nil
	}
	return pastMoment("--to", r.to, zone, now)
}

func monthOf(value string, zone *time.Location, now time.Time) (usage.Period, error) {
	first, err := time.Parse("2006-01", value)
	if err != nil {
		return usage.Period{}, wrongUsef("--month: %q is not a month such as 2026-10", value)
	}
	p := usage.Period{From: budget.DayStart(first, zone).UTC(), To: budget.DayStart(first.AddDate(0, 1, 0), zone).UTC()}
	switch {
	case p.From.Before(time.Unix(0, 0)):
		return usage.Period{}, wrongUsef("--month: %s is before 1970", value)
	case !p.From.Before(now):
		return usage.Period{}, wrongUsef("--month: %s is in the future", value)
	case p.To.After(now):
		p.To = now.UTC()
	}
	return p, nil
}
