// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/when"
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
type timeRange when.Range

const (
	startHelp = "Start of the range: 2026-10-01, 2026-10-01T10:30, 2026-10 or 2026 (when they begin, in the configured time zone), now, today, yesterday, -1h, -7d, RFC 3339, or Unix seconds."
	endHelp   = "End of the range, in the same formats. It is not part of the range: 2026-10-05 means up to the end of 4 October. Default: now."
)

// register declares --from and --to.
func (r *timeRange) register(c *kingpin.CmdClause) { r.registerFrom(c, startHelp) }

func (r *timeRange) registerFrom(c *kingpin.CmdClause, help string) {
	c.Flag("from", help).
		PlaceHolder("TIME").IsSetByUser(&r.FromGiven).StringVar(&r.From)
	c.Flag("to", endHelp).
		PlaceHolder("TIME").IsSetByUser(&r.ToGiven).StringVar(&r.To)
}

// registerMonth declares --month beside them.
func (r *timeRange) registerMonth(c *kingpin.CmdClause) {
	r.Months = true
	c.Flag("month", "A calendar month such as 2026-10, instead of --from and --to.").
		PlaceHolder("MONTH").IsSetByUser(&r.MonthGiven).StringVar(&r.Month)
}

// registerPresent declares --from, --to and --month for a command that covers the current month
// by default.
func (r *timeRange) registerPresent(c *kingpin.CmdClause) {
	r.Present = true
	r.registerFrom(c, startHelp+" Default, without --to and --month: the current month.")
	r.registerMonth(c)
}

// registerAhead declares --from and --to for a command that takes what is there: an
// end in the future, such as the end of today, means now.
func (r *timeRange) registerAhead(c *kingpin.CmdClause) {
	r.Ahead = true
	r.register(c)
}

// registerAll declares --from and --to for a command that covers the whole store by
// default.
func (r *timeRange) registerAll(c *kingpin.CmdClause) {
	r.All = true
	r.registerFrom(c, startHelp+" Default: the first stored interval.")
}

// period is the range that was meant, in the time zone of a configuration.
func (r *timeRange) period(c *config.Config, now time.Time) (usage.Period, error) {
	return when.Range(*r).Period(c.Location(), now)
}

// eastmost is the largest offset of any time zone from UTC.
const eastmost = 14 * time.Hour

// check refuses, before the store is opened, what is not a range in any time zone.
// The zone is the one of the store unless a configuration file was given.
func (s *site) check(r when.Range, c *config.Config, now time.Time) error {
	_, err := r.Period(c.Location(), now)
	if s.configGiven || err == nil {
		return err
	}
	if _, elsewhere := r.Period(time.UTC, now.Add(eastmost)); elsewhere == nil {
		return nil
	}
	return err
}

// checkMoment does the same for a single time.
func (s *site) checkMoment(flag, value string, c *config.Config, now time.Time) error {
	_, err := when.Past(flag, value, c.Location(), now)
	if s.configGiven || err == nil {
		return err
	}
	if _, elsewhere := when.Past(flag, value, time.UTC, now.Add(eastmost)); elsewhere == nil {
		return nil
	}
	return err
}
