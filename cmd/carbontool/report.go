// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/report"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// reportUsage adds up usage, for people and for spreadsheets.
type reportUsage struct {
	site
	span        timeRange
	scope       string
	by          string
	format      string
	top         int
	topGiven    bool
	names       bool
	equivalents bool
	factors     bool
	csvSafe     csvSafe
	sci         sciFlags
}

func (r *reportUsage) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("report", "Show energy and emissions by project, machine type, user or group.").HelpLong(`
Without a range, the report is of the current month up to now. It covers the intervals
that start in the range. Days, weeks (Monday to
Sunday) and months are in the time zone of the store. Emissions cover the energy
that has a carbon intensity; the rest is shown as unpriced, never as 0. Unknown
values are "-" in a table, an empty cell in CSV and null in JSON. Each total is the
sum of the rows above it; with --top, one row holds all other members.

Low and high bounds, where d is the standard error of the average power relative to
the energy, and e is the mean error of forecasts:

  energy     (1 - d) x kWh                    (1 + d) x kWh
  emissions  (1 - d) x (g - e x forecast kWh) (1 + d) x (g + e x forecast kWh)

"forecast kWh" is the energy priced with a forecast. Where there is any, e is measured
over the forecasts of the last 28 days and of the range if there are at least 48 half
hours of them; otherwise it is 24 gCO2eq/kWh, as documented for the UK. Where d is
unknown (watts that were configured, not measured), the bounds ignore it, and
error_unknown_ratio gives the share of energy concerned.

CPU coverage is known per project, so it is shown for the scopes site and project.
--sci divides by R, what the usage was for, such as jobs: the Software Carbon
Intensity (E x I + M) / R of ISO/IEC 21031:2024. --per is R: a number, or PromQL that
is evaluated once, at the end of the range, in which $__range is its length. R, M or
an I that is unknown makes it unknown.
--factors shows what the same energy emitted by each set of carbon_intensity.also,
such as lifecycle factors or a contract, beside the ordinary emissions, and of which
share of the energy that is known. Their columns are never added up.

Users are shown by id; --names adds their names. Equivalents come with their source
in tables and JSON, and in docs/accuracy.md.

If nothing is stored for the range, the command says so on standard error and exits
with 0.

Example:

    carbontool report --scope=project --month=2026-10 --top=5 --equivalents
    carbontool report --scope=site --from=yesterday --to=today
    carbontool report --scope=user --from=2026-08 --by=week --format=csv
    carbontool report --scope=site --month=2026-10 --factors
    carbontool report --sci --per='sum(increase(jobs_total[$__range]))'
`)
	r.site.register(c)
	r.span.registerPresent(c)
	scopes := []string{usage.Site}
	for _, s := range usage.Scopes() {
		scopes = append(scopes, string(s))
	}
	c.Flag("scope", "What to add up by: site (all of it; ada is the same), project, machine, user or group.").
		Default(string(usage.ScopeProject)).EnumVar(&r.scope, scopes...)
	c.Flag("by", "Split the range by day, week or month.").EnumVar(&r.by, report.ByDay, report.ByWeek, report.ByMonth)
	c.Flag("format", "Output format: table, csv or json.").Default("table").EnumVar(&r.format, "table", "csv", "json")
	c.Flag("equivalents", "Add everyday equivalents, such as kilometres by car.").BoolVar(&r.equivalents)
	c.Flag("factors", "Add what the same energy emitted by the other factors of the configuration, carbon_intensity.also.").BoolVar(&r.factors)
	c.Flag("top", "Show the N members with the most energy, and one row for all others.").
		PlaceHolder("N").IsSetByUser(&r.topGiven).IntVar(&r.top)
	c.Flag("names", "With --scope=user: also show the names of users.").BoolVar(&r.names)
	r.sci.register(c)
	r.csvSafe.register(c)
	return c
}

func (r *reportUsage) run(ctx context.Context, s streams) error {
	switch {
	case r.topGiven && r.top < 1:
		return wrongUsef("--top: must be at least 1, is %d", r.top)
	case r.names && usage.Scope(r.scope) != usage.ScopeUser:
		return wrongUsef("--names: only users have names; add --scope=user")
	}
	if err := r.sci.check(r); err != nil {
		return err
	}
	c, err := r.config()
	if err != nil {
		return err
	}
	now := time.Now()
	if err := r.check(&r.span, c, now); err != nil {
		return err
	}
	if r.factors && len(c.CarbonIntensity.Also) == 0 {
		return wrongUsef("--factors: the configuration has no other factors; add them to carbon_intensity.also")
	}
	st, err := r.openToRead(ctx, c)
	if err != nil {
		return err
	}
	defer st.Close()
	c.Timezone = st.Timezone().String() // without a file, the days are those of the store
	p, err := r.span.period(c, now)
	if err != nil {
		return err
	}
	rep, err := r.read(ctx, st, p, now)
	if err != nil {
		return err
	}
	rep.Grids = gridsUsed(rep.Whole.Prices, c.CarbonIntensity)
	if r.factors {
		if err := addFactors(ctx, st, c, rep); err != nil {
			return err
		}
	}
	if len(rep.Whole.Members) == 0 {
		if err := sayNothing(ctx, s, st, rep); err != nil {
			return err
		}
	}
	if r.sci.asked {
		per, err := r.sci.units(ctx, c, rep, st.Interval(), now)
		if err != nil {
			return err
		}
		return r.write(&report.SCI{Report: *rep, Per: per}, s)
	}
	return r.write(rep, s)
}

// inFormats is what can be written in every format.
type inFormats interface {
	WriteTable(io.Writer) error
	WriteCSV(io.Writer, func(string) string) error
	WriteJSON(io.Writer) error
}

func (r *reportUsage) write(what inFormats, s streams) error {
	switch r.format {
	case "csv":
		return what.WriteCSV(s.out, r.csvSafe.text)
	case "json":
		return what.WriteJSON(s.out)
	}
	return what.WriteTable(s.out)
}

// read reads everything in the report from the store.
func (r *reportUsage) read(ctx context.Context, st *store.Store, p usage.Period, now time.Time) (*report.Report, error) {
	rep := &report.Report{
		Scope: usage.ScopeOf(r.scope), Site: r.scope, By: r.by, Zone: st.Timezone(), Top: r.top, Equivalents: r.equivalents,
	}
	periods := []usage.Period{p}
	if r.by != "" {
		periods = append(periods, budget.Split(p, budget.Kind(r.by), rep.Zone)...)
	}
	accounts, err := st.Accounts(ctx, periods...)
	if errors.Is(err, usage.ErrPruned) {
		return nil, fmt.Errorf("%w; give %s", err, wholeDays(p, rep.Zone, now))
	}
	if err != nil {
		return nil, err
	}
	known, err := st.Known(ctx, p)
	if err != nil {
		return nil, err
	}
	for i, a := range accounts {
		s := report.Stretch{
			Period: a.Period, Members: a.By(rep.Scope),
			Intervals: report.CountIntervals(known, a.Period, st.Interval(), now),
		}
		if s.Coverage, err = st.Coverage(ctx, a.Period); err != nil {
			return nil, err
		}
		if s.Prices, err = st.PricesUsed(ctx, a.Period); err != nil {
			return nil, err
		}
		if i == 0 {
			rep.Whole = s
		} else {
			rep.Parts = append(rep.Parts, s)
		}
	}
	if r.names {
		if rep.Names, err = st.DisplayNames(ctx); err != nil {
			return nil, err
		}
	}
	if rep.Power, err = st.PowerUsed(ctx, p); err != nil {
		return nil, err
	}
	rep.Forecasts, err = forecastError(ctx, st, p)
	return rep, err
}

// gridsUsed lists the grids that price the usage of a period, what their numbers count, and where
// the configuration says that a static value is from.
func gridsUsed(prices report.Prices, c config.CarbonIntensity) (grids []report.Grid) {
	for _, u := range prices {
		g := report.Grid{Provider: u.Provider, Grid: u.Grid, Basis: u.Basis.Name()}
		if s := c.Statics()[u.GridName]; s != nil {
			g.Source = s.Source
		}
		if !slices.Contains(grids, g) {
			grids = append(grids, g)
		}
	}
	return grids
}

// forecastErrorOver is the shortest time over which the error of forecasts is measured.
const forecastErrorOver = 28 * 24 * time.Hour

// forecastError is the error of the forecasts that a period is priced with. Prices are
// made as a half hour ends, so of the archived lead times the shortest applies.
func forecastError(ctx context.Context, st *store.Store, p usage.Period) (report.ForecastError, error) {
	since := p.To.Add(-forecastErrorOver)
	if p.From.Before(since) {
		since = p.From
	}
	used, err := st.ForecastsUsed(ctx, p, usage.ForecastLeads()[0], since)
	return report.WorstForecastError(used), err
}

// wholeDays returns the flags for the whole days that contain a period.
func wholeDays(p usage.Period, zone *time.Location, now time.Time) string {
	flags := "--from=" + budget.Day.Period(p.From, zone).From.Format(time.DateOnly)
	to := budget.Day.Period(p.To.Add(-1), zone).To
	if to.After(now) {
		return flags + " without --to" // today is not over
	}
	return flags + " --to=" + to.In(zone).Format(time.DateOnly)
}

// sayNothing prints that nothing is stored for a period, and for which period there is usage.
func sayNothing(ctx context.Context, s streams, st *store.Store, rep *report.Report) error {
	has := "the store is empty"
	span, some, err := st.Span(ctx)
	if err != nil {
		return err
	}
	if some {
		has = fmt.Sprintf("the store has usage from %s to %s", written(span.From, rep.Zone), written(span.To, rep.Zone))
	}
	fmt.Fprintf(s.err, "carbontool report: no usage stored from %s to %s (%s); %s\n",
		written(rep.Whole.From, rep.Zone), written(rep.Whole.To, rep.Zone), rep.Whole.Intervals, has)
	return nil
}
