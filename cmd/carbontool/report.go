package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/report"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// reportUsage adds up what was used, for people and for spreadsheets.
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
}

func (r *reportUsage) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("report", "Add up energy and emissions by project, machine type, user or group.").HelpLong(`
A period holds the intervals that begin in it; days, weeks (from Monday) and
months are those of the store's timezone. Emissions are those of the energy that
has a carbon intensity: the rest is shown as unpriced, never as 0. What is not
known is "-" in a table, an empty cell in CSV and null in JSON. Every sum is that
of its rows, with --top as well: the others are one row.

Low and high: with d the standard error of the average power as a part of the
energy, and e the mean error of forecasts,

  energy     (1 - d) x kWh                    (1 + d) x kWh
  emissions  (1 - d) x (g - e x forecast kWh) (1 + d) x (g + e x forecast kWh)

where "forecast kWh" is the energy that is priced with a forecast. e is measured
on the forecasts of the last 28 days and of the period, if there are 48 half
hours of them, else the 24 gCO2eq/kWh that are documented for the UK. Where d is
not known (watts that were written down, not measured) it is in no bound:
error_unknown_ratio says for how much of the energy.

CPU coverage is known by project, so it is shown for the scopes ada and project.
Users appear by id; --names adds what people are called. Equivalents are given
with their source in tables and JSON, and in docs/accuracy.md.

The exit code is 0 also where nothing is stored of the period; a line on standard
error then says so.

Example:

    carbontool report --scope=project --month=2026-10 --top=5 --equivalents
    carbontool report --scope=user --from=2026-10-01 --by=week --format=csv
`)
	r.site.register(c)
	r.span.register(c)
	r.span.registerMonth(c)
	scopes := make([]string, 0, len(usage.Scopes()))
	for _, s := range usage.Scopes() {
		scopes = append(scopes, string(s))
	}
	c.Flag("scope", "Whose usage is added up: ada (the whole site), project, machine, user or group.").
		Default(string(usage.ScopeProject)).EnumVar(&r.scope, scopes...)
	c.Flag("by", "Divide the period: day, week or month.").EnumVar(&r.by, report.ByDay, report.ByWeek, report.ByMonth)
	c.Flag("format", "table, csv or json.").Default("table").EnumVar(&r.format, "table", "csv", "json")
	c.Flag("equivalents", "Say what else emits as much.").BoolVar(&r.equivalents)
	c.Flag("top", "Show only the N members with the most energy, and the others as one.").
		PlaceHolder("N").IsSetByUser(&r.topGiven).IntVar(&r.top)
	c.Flag("names", "With --scope=user: show what people are called, too.").BoolVar(&r.names)
	return c
}

func (r *reportUsage) run(ctx context.Context, s streams) error {
	switch {
	case r.topGiven && r.top < 1:
		return wrongUsef("--top: must be at least 1, is %d", r.top)
	case r.names && usage.Scope(r.scope) != usage.ScopeUser:
		return wrongUsef("--names: only users have names, give --scope=user")
	}
	c, err := r.config()
	if err != nil {
		return err
	}
	now := time.Now()
	if err := r.check(&r.span, c, now); err != nil {
		return err
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
	if len(rep.Whole.Members) == 0 {
		if err := sayNothing(ctx, s, st, rep); err != nil {
			return err
		}
	}
	switch r.format {
	case "csv":
		return rep.WriteCSV(s.out)
	case "json":
		return rep.WriteJSON(s.out)
	}
	return rep.WriteTable(s.out)
}

// read asks the store for all that the report says.
func (r *reportUsage) read(ctx context.Context, st *store.Store, p usage.Period, now time.Time) (*report.Report, error) {
	rep := &report.Report{
		Scope: usage.Scope(r.scope), By: r.by, Zone: st.Timezone(), Top: r.top, Equivalents: r.equivalents,
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
	rep.Forecasts, err = forecastError(ctx, st, p)
	return rep, err
}

// forecastErrorOver is the least time that the error of forecasts is taken over.
const forecastErrorOver = 28 * 24 * time.Hour

// forecastError is how far the forecasts are off that a period is priced with. Of
// the leads that are archived the shortest is that of prices: they are made as a
// half hour ends.
func forecastError(ctx context.Context, st *store.Store, p usage.Period) (report.ForecastError, error) {
	since := p.To.Add(-forecastErrorOver)
	if p.From.Before(since) {
		since = p.From
	}
	used, err := st.ForecastsUsed(ctx, p, usage.ForecastLeads()[0], since)
	return report.WorstForecastError(used), err
}

// wholeDays names the whole days that hold a period, as flags.
func wholeDays(p usage.Period, zone *time.Location, now time.Time) string {
	flags := "--from=" + budget.Day.Period(p.From, zone).From.Format(time.DateOnly)
	to := budget.Day.Period(p.To.Add(-1), zone).To
	if to.After(now) {
		return flags + " without --to" // today is not over
	}
	return flags + " --to=" + to.In(zone).Format(time.DateOnly)
}

// sayNothing says that nothing is stored of a period, and of which there is.
func sayNothing(ctx context.Context, s streams, st *store.Store, rep *report.Report) error {
	has := "the store has no usage at all"
	span, some, err := st.Span(ctx)
	if err != nil {
		return err
	}
	if some {
		has = fmt.Sprintf("the store has usage of %s to %s", written(span.From, rep.Zone), written(span.To, rep.Zone))
	}
	n := rep.Whole.Intervals
	fmt.Fprintf(s.err, "carbontool report: no usage is stored of %s to %s (%d intervals: %d empty, %d missing); %s\n",
		written(rep.Whole.From, rep.Zone), written(rep.Whole.To, rep.Zone), n.All, n.Empty, n.Missing, has)
	return nil
}
