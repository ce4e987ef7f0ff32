// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/when"
	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// reportLake adds up published days of all sites of a bucket.
type reportLake struct {
	site
	lakeFlags
	span        timeRange
	scope, by   string
	asOf        string
	format      string
	equivalents bool
	top         int
	topGiven    bool
	csvSafe     csvSafe
}

func (r *reportLake) register(app *kingpin.Application) *kingpin.CmdClause {
	c := r.lakeFlags.register(app, "report", "Show energy and emissions of all sites of a lake.").HelpLong(`
Adds up the days that exporters have published to a bucket, by their
manifests. No exporter and no store is needed. The columns and formats are those of
carbontool report; for the whole days of one site the numbers are the same. What a
lake does not have is unknown: the errors of power, so the bounds; CPU coverage;
names of users.

Days are those of each site's own time zone. A range has whole days; without one it
is the current month up to yesterday. Members with the same name at several sites
are one member: use --site for those of one, --scope=site for one row per site.

With --as-of the newest revision of each day counts that was published by then, so
that an earlier report can be had again.

What is missing is said and never counted as 0: days without a manifest, days
outside of what a site has published, and intervals that were never read. In CSV,
which has no place for it, it is said on standard error.

Every file is checked against the hash of its manifest before it counts.

Example:

    carbontool lake report --objstore.config-file=bucket.yml --month=2026-10
    carbontool lake report --scope=project --from=2026-08 --by=month --format=csv
    carbontool lake report --site=harwell --month=2026-10 --as-of=2026-11-05
`)
	r.registerConfig(c)
	r.span.registerPresent(c)
	c.Flag("scope", "What to add up by: site, project, machine, user or group.").Default(usage.Site).EnumVar(&r.scope, answers.ReportScopes()...)
	c.Flag("by", "Split the range by day, week or month.").EnumVar(&r.by, answers.ReportParts()...)
	c.Flag("as-of", "Count the revisions that were published by this time, in the formats of --from.").PlaceHolder("TIME").StringVar(&r.asOf)
	c.Flag("format", "Output format: table, csv or json.").Default(answers.Table).EnumVar(&r.format, answers.ReportFormats()...)
	c.Flag("equivalents", "Add everyday equivalents, such as kilometres by car.").BoolVar(&r.equivalents)
	c.Flag("top", "Show the N members with the most energy, and one row for all others.").
		PlaceHolder("N").IsSetByUser(&r.topGiven).IntVar(&r.top)
	r.csvSafe.register(c)
	return c
}

func (r *reportLake) run(ctx context.Context, s streams) error {
	if r.topGiven && r.top < 1 {
		return wrongUsef("--top: must be at least 1, is %d", r.top)
	}
	c, err := r.config()
	if err != nil {
		return err
	}
	now, zone := time.Now(), c.Location()
	from, until, err := daysOf(when.Range(r.span), zone, now)
	if err != nil {
		return err
	}
	sum := &lakeSum{from: from, until: until, scope: usage.ScopeOf(r.scope), by: r.by, progress: s.err}
	if sum.scope == usage.ScopeAda {
		sum.scope = usage.Site
	}
	if r.asOf != "" {
		at, err := when.Past("--as-of", r.asOf, zone, now)
		if err != nil {
			return err
		}
		at = at.UTC()
		sum.asOf = &at
	}
	if sum.lake, err = r.openLake(ctx, c); err != nil {
		return err
	}
	defer sum.lake.Bucket.Close() //nolint:errcheck // nothing was written
	rep, err := sum.read(ctx)
	if err != nil {
		return err
	}
	rep.Top, rep.Equivalents = r.top, r.equivalents
	if lacks := rep.Lake.Lacks(); len(lacks) > 0 && r.format == answers.CSV {
		fmt.Fprintf(s.err, "carbontool lake report: not in these numbers:\n%s\n", strings.Join(lacks, "\n"))
	}
	if len(rep.Whole.Members) == 0 {
		fmt.Fprintf(s.err, "carbontool lake report: no usage was published of %s to %s\n", from, until)
	}
	return answers.WriteRows(rep, s.out, r.format, r.csvSafe.text)
}

// daysOf are the days [from, until) of a range.
func daysOf(r when.Range, zone *time.Location, now time.Time) (from, until lake.Day, err error) {
	p, err := r.Period(zone, now)
	if err != nil {
		return "", "", err
	}
	from, until = lake.DayOf(p.From, zone), lake.DayOf(p.To, zone)
	whole := func(flag string, at time.Time) error {
		if !budget.Day.Period(at, zone).From.Equal(at) {
			return wrongUsef("%s: a lake has whole days: give a day such as %s", flag, lake.DayOf(at, zone))
		}
		return nil
	}
	if err := whole("--from", p.From); err != nil {
		return "", "", err
	}
	if r.ToGiven && r.To != "now" {
		if err := whole("--to", p.To); err != nil {
			return "", "", err
		}
	}
	if from >= until {
		return "", "", wrongUsef("the range has no whole day: today is not over")
	}
	return from, until, nil
}

// periodOf is the time of the days [from, until).
func periodOf(from, until lake.Day, zone *time.Location) usage.Period {
	return usage.Period{From: beginOf(from, zone), To: beginOf(until, zone)}
}

// beginOf is when a day begins in a zone.
func beginOf(day lake.Day, zone *time.Location) time.Time {
	return budget.DayStart(day.Date(), zone).UTC()
}
