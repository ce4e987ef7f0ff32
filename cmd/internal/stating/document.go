// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package stating

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/internal/privacy"
	"github.com/carbon-exporter/carbon_exporter/internal/report"
	"github.com/carbon-exporter/carbon_exporter/internal/statement"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// making is one document that is being made.
type making struct {
	Maker
	Subject
	usage.Period
	account   store.Account // of the subject
	keys      []usage.Total
	forecasts report.ForecastError
	coverage  map[string]usage.Coverage
	power     []usage.PowerUsed
	d         statement.Document
}

// make reads the store and makes the document. known are the statements of the subject.
func (m Maker) make(ctx context.Context, of Subject, known []usage.Statement) (statement.Document, []usage.StatementPerson, error) {
	if err := m.exists(ctx, of); err != nil {
		return statement.Document{}, nil, err
	}
	zone := m.Store.Timezone()
	p, err := monthOf(of.Month, zone)
	if err != nil {
		return statement.Document{}, nil, err
	}
	g := &making{Maker: m, Subject: of, Period: p, d: statement.Document{
		Scope: of.Scope, Member: of.Member, Month: of.Month, From: p.From, To: p.To, Timezone: zone.String(),
		IssuedAt: m.Now.UTC().Truncate(time.Second), Version: m.Version, PeopleAs: string(m.Labels.Mode),
		Projects: []statement.Row{}, Machines: []statement.Row{}, People: []statement.Person{}, Factors: []statement.Factor{}, Credits: []statement.Credit{},
		Comparisons: []statement.Comparison{}, Budgets: []statement.Budget{},
	}}
	if err := g.read(ctx); err != nil {
		return g.d, nil, err
	}
	var people []usage.StatementPerson
	for _, step := range []func(context.Context) error{
		g.rows,
		func(ctx context.Context) (err error) { people, err = g.people(ctx); return err },
		g.compare, g.budgets, g.method, g.factors,
		func(ctx context.Context) error { return g.adjust(ctx, known) },
	} {
		if err := step(ctx); err != nil {
			return g.d, nil, err
		}
	}
	return g.d, people, nil
}

func (g *making) read(ctx context.Context) (err error) {
	if g.account, err = g.accountOf(ctx, g.Period); err != nil {
		return err
	}
	g.keys = g.account.Keys()
	if g.d.Intervals, err = g.count(ctx, g.Period); err != nil {
		return err
	}
	if g.coverage, err = g.Store.Coverage(ctx, g.Period); err != nil {
		return err
	}
	if g.power, err = g.Store.PowerUsed(ctx, g.Period); err != nil {
		return err
	}
	g.forecasts, err = answers.ForecastError(ctx, g.Store, g.Period)
	return err
}

// accountOf is what the subject used in a period.
func (g *making) accountOf(ctx context.Context, p usage.Period) (store.Account, error) {
	all, err := g.Store.Accounts(ctx, p)
	if err != nil {
		return store.Account{}, err
	}
	return all[0].Of(g.Scope, g.Member), nil
}

// count counts the intervals of a period, those to come included.
func (g *making) count(ctx context.Context, p usage.Period) (statement.Intervals, error) {
	known, err := g.Store.Known(ctx, p)
	if err != nil {
		return statement.Intervals{}, err
	}
	n := report.CountIntervals(known, p, g.Store.Interval(), g.Now)
	all := report.CountIntervals(known, p, g.Store.Interval(), p.To.Add(g.Store.Interval()))
	return statement.Intervals{
		All: all.All, Settled: n.Settled, Provisional: n.Provisional, Unpriced: n.Unpriced, Empty: n.Empty,
		Missing: n.Missing, Unasked: n.Unasked, Ahead: all.All - n.All,
	}, nil
}

// rows makes the total and the rows by project and by machine type.
func (g *making) rows(context.Context) error {
	if len(g.keys) == 0 {
		return nil
	}
	projects, machines := g.ranges(usage.ScopeProject), g.ranges(usage.ScopeMachine)
	g.d.Projects = statement.Rows(g.keys, func(k usage.Key) string { return k.Project }, projects)
	g.d.Machines = statement.Rows(g.keys, func(k usage.Key) string { return k.Machine }, machines)
	var seen usage.Coverage
	for i := range g.d.Projects {
		c := g.coverage[g.d.Projects[i].Name]
		g.d.Projects[i].Coverage = seenOf(c)
		seen.Seen, seen.Capacity = seen.Seen+c.Seen, seen.Capacity+c.Capacity
	}
	sources := g.sources()
	for i := range g.d.Machines {
		g.d.Machines[i].Power = sources[g.d.Machines[i].Name]
	}
	whole := g.account.By(g.Scope)[0]
	w := &statement.Whole{Row: statement.RowOf("", g.keys, g.rangeOf(whole))}
	w.Coverage = seenOf(seen)
	share := func(part usage.KWh) float64 { return ratio(float64(part), float64(whole.Energy.Total())) }
	w.Unpriced, w.Provisional, w.Forecast = share(whole.Unpriced), share(whole.Provisional), share(whole.Forecast)
	w.Unattributed, w.Unbounded = share(whole.Unattributed), share(whole.Undoubted)
	w.Hardware = ratio(float64(whole.Hardware), float64(whole.CPU.Total()))
	if priced := whole.Energy.Total() - whole.Unpriced; whole.Priced && priced > 0 {
		w.Intensity = new(float64(whole.Emissions.Total()) / float64(priced))
	}
	g.d.Whole = w
	return nil
}

// ratio is a share between 0 and 1, whatever rounding does.
func ratio(part, whole float64) float64 {
	if whole <= 0 {
		return 0
	}
	return min(1, max(0, part/whole))
}

func seenOf(c usage.Coverage) *float64 {
	if c.Capacity <= 0 {
		return nil
	}
	return new(float64(c.Seen / c.Capacity))
}

// ranges are the bounds of the members of a scope.
func (g *making) ranges(scope usage.Scope) map[string]statement.Range {
	all := map[string]statement.Range{}
	for _, t := range g.account.By(scope) {
		all[t.Name] = g.rangeOf(t)
	}
	return all
}

func (g *making) rangeOf(t usage.Tally) (r statement.Range) {
	if b, ok := report.EnergyBounds(t); ok {
		r.EnergyLow, r.EnergyHigh = &b.Low, &b.High
	}
	if b, ok := report.EmissionsBounds(t, g.forecasts.Mean); ok {
		r.EmissionsLow, r.EmissionsHigh = &b.Low, &b.High
	}
	return r
}

// people makes the rows by person, as /metrics would show them.
func (g *making) people(ctx context.Context) (people []usage.StatementPerson, err error) {
	if g.Labels.Mode == privacy.None || len(g.keys) == 0 {
		return nil, nil
	}
	summary, err := g.Store.Summary(ctx)
	if err != nil {
		return nil, err
	}
	shown, err := g.Store.Shown(ctx)
	if err != nil {
		return nil, err
	}
	named := g.Labels.Summary(usage.Summary{Totals: summary.Totals}, shown, true).Named
	g.d.People, people = statement.People(g.keys, func(user string) string { return g.Labels.Shown(user, named) }, salt)
	return people, nil
}

// compare adds the month before and the same month a year ago.
func (g *making) compare(ctx context.Context) error {
	for _, c := range []struct {
		what   string
		months int
	}{{statement.MonthBefore, 1}, {statement.YearBefore, 12}} {
		month := before(g.Month, c.months)
		p, err := monthOf(month, g.Store.Timezone())
		if err != nil {
			return err
		}
		of := statement.Comparison{What: c.what, Month: month}
		if of.Intervals, err = g.count(ctx, p); err != nil {
			return err
		}
		account, err := g.accountOf(ctx, p)
		if err != nil {
			return err
		}
		if keys := account.Keys(); len(keys) > 0 {
			row := statement.RowOf("", keys, statement.Range{})
			of.Energy, of.Emissions = &row.Energy, row.Emissions
		}
		g.d.Comparisons = append(g.d.Comparisons, of)
	}
	return nil
}

// adjust compares what was told of earlier months with what the store has now.
func (g *making) adjust(ctx context.Context, known []usage.Statement) (err error) {
	var earlier []statement.Document
	for _, k := range known {
		d, err := statement.Parse(k.Body)
		if err != nil {
			return err
		}
		earlier = append(earlier, d)
	}
	now := func(d statement.Document) (statement.Amounts, error) {
		account, err := g.accountOf(ctx, usage.Period{From: d.From, To: d.To})
		if err != nil {
			return statement.Amounts{}, fmt.Errorf("adjust statement %d: %w", d.Number, err)
		}
		return statement.Sum(account.Keys()), nil
	}
	why := func(d statement.Document) ([]statement.Reason, error) {
		last := earlier[len(earlier)-1]
		since, err := g.Store.Since(ctx, usage.Period{From: d.From, To: d.To}, last.Revision, last.IssuedAt)
		if err != nil {
			return nil, err
		}
		return reasonsOf(since, d), nil
	}
	g.d.Adjustments, err = statement.Adjust(earlier, now, why)
	return err
}

// reasonsOf are the reasons that the store knows for a difference. A first price is one only where
// the statement said that one was missing.
func reasonsOf(since store.Since, d statement.Document) []statement.Reason {
	all := []statement.Reason{}
	add := func(why string, n int) {
		if n > 0 {
			all = append(all, statement.Reason{Why: why, Intervals: n})
		}
	}
	for _, why := range slices.Sorted(maps.Keys(since.Why)) {
		add(string(why), since.Why[why])
	}
	add(statement.Late, since.Read)
	if d.Intervals.Unpriced > 0 {
		add(statement.Priced, since.Priced)
	}
	if len(all) == 0 {
		add(statement.Unsaid, since.All)
	}
	return all
}
