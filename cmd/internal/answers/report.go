// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/commandline"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/when"
	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/report"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Report asks for usage, added up.
type Report struct {
	Span        when.Range
	Scope       string // one of ReportScopes
	By          string // one of ReportParts; empty: not split
	Top         int
	TopGiven    bool
	Names       bool
	Equivalents bool
	Factors     bool
	Format      string // one of ReportFormats

	MostParts int // days, weeks or months; more are TooMuch; 0: any number
	MostRows  int // the same of the rows of the answer
}

// ReportScopes lists what usage is added up by.
func ReportScopes() []string {
	scopes := []string{usage.Site}
	for _, s := range usage.Scopes() {
		scopes = append(scopes, string(s))
	}
	return scopes
}

// ReportParts lists what the range of a report is split by.
func ReportParts() []string { return []string{report.ByDay, report.ByWeek, report.ByMonth} }

// ReportFormats lists the formats of a report.
func ReportFormats() []string { return []string{Table, CSV, JSON} }

// Check refuses what has no meaning together.
func (q Report) Check() error {
	switch {
	case q.TopGiven && q.Top < 1:
		return commandline.Wrongf("--top: must be at least 1, is %d", q.Top)
	case q.Names && usage.Scope(q.Scope) != usage.ScopeUser:
		return commandline.Wrongf("--names: only users have names; add --scope=user")
	}
	return nil
}

// CheckFactors refuses --factors where there are no other factors.
func (q Report) CheckFactors(c *config.Config) error {
	if q.Factors && len(c.CarbonIntensity.Also) == 0 {
		return commandline.Wrongf("--factors: the configuration has no other factors; add them to carbon_intensity.also")
	}
	return nil
}

// Answer reads the report from the store. What is wrong with the question is a commandline.Wrong.
func (q Report) Answer(ctx context.Context, from From) (*ReportAnswer, error) {
	p, err := q.Span.Period(from.Zone(), from.Now)
	if err != nil {
		return nil, err
	}
	rep, err := q.read(ctx, from, p)
	if err != nil {
		return nil, err
	}
	rep.Grids = GridsUsed(rep.Whole.Prices, from.Config.CarbonIntensity)
	if q.Factors {
		if err := addFactors(ctx, from, rep); err != nil {
			return nil, err
		}
	}
	a := &ReportAnswer{rep, q.Format}
	if n := a.mostRows(); q.MostRows > 0 && n > q.MostRows {
		return nil, tooMuchf("--top: the report has up to %d rows; at most %d are answered at once: give --top=N, choose a shorter range, or a longer --by", n, q.MostRows)
	}
	return a, nil
}

// ReportAnswer is a report.
type ReportAnswer struct {
	*report.Report
	format string
}

// mostRows is how many rows there may be.
func (a *ReportAnswer) mostRows() int {
	members := len(a.Whole.Members)
	if a.Top > 0 {
		members = min(members, a.Top+1)
	}
	return max(1, len(a.Parts)) * (members + 1)
}

// Empty reports whether nothing is stored for the range.
func (a *ReportAnswer) Empty() bool { return len(a.Whole.Members) == 0 }

// Write writes the report.
func (a *ReportAnswer) Write(out io.Writer, cell func(string) string) error {
	return WriteRows(a.Report, out, a.format, cell)
}

// Rows is what can be written in the formats of a report.
type Rows interface {
	WriteTable(io.Writer) error
	WriteCSV(io.Writer, func(string) string) error
	WriteJSON(io.Writer) error
}

// WriteRows writes rows in a format.
func WriteRows(rows Rows, out io.Writer, format string, cell func(string) string) error {
	switch format {
	case CSV:
		return rows.WriteCSV(out, cell)
	case JSON:
		return rows.WriteJSON(out)
	}
	return rows.WriteTable(out)
}

// read reads everything in the report from the store.
func (q Report) read(ctx context.Context, from From, p usage.Period) (*report.Report, error) {
	st, now := from.Store, from.Now
	rep := &report.Report{
		Scope: usage.ScopeOf(q.Scope), Site: q.Scope, By: q.By, Zone: from.Zone(), Top: q.Top, Equivalents: q.Equivalents,
	}
	periods := []usage.Period{p}
	if q.By != "" {
		periods = append(periods, budget.Split(p, budget.Kind(q.By), rep.Zone)...)
	}
	if n := len(periods) - 1; q.MostParts > 0 && n > q.MostParts {
		return nil, tooMuchf("--by: the range has %s; at most %d are answered at once: choose a shorter range, or longer parts than a %s", counted(n, q.By), q.MostParts, q.By)
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
	if q.Names {
		if rep.Names, err = st.DisplayNames(ctx); err != nil {
			return nil, err
		}
	}
	if rep.Power, err = st.PowerUsed(ctx, p); err != nil {
		return nil, err
	}
	if rep.Forecasts, err = ForecastError(ctx, st, p); err != nil {
		return nil, err
	}
	if rep.Scope == usage.ScopeUser {
		rep.Shown = from.Users
	}
	return rep, nil
}

// GridsUsed lists the grids that price the usage of a period, what their numbers count, and where
// the configuration says that a static value is from.
func GridsUsed(prices report.Prices, c config.CarbonIntensity) (grids []report.Grid) {
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

// ForecastError is the error of the forecasts that a period is priced with. Prices are
// made as a half hour ends, so of the archived lead times the shortest applies.
func ForecastError(ctx context.Context, st *store.Store, p usage.Period) (report.ForecastError, error) {
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

// Nothing says that nothing is stored for the range, and for which range there is usage.
func (a *ReportAnswer) Nothing(ctx context.Context, st *store.Store) (string, error) {
	has := "the store is empty"
	span, some, err := st.Span(ctx)
	if err != nil {
		return "", err
	}
	if some {
		has = fmt.Sprintf("the store has usage from %s to %s", when.Written(span.From, a.Zone), when.Written(span.To, a.Zone))
	}
	return fmt.Sprintf("no usage stored from %s to %s (%s); %s",
		when.Written(a.Whole.From, a.Zone), when.Written(a.Whole.To, a.Zone), a.Whole.Intervals, has), nil
}
