// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package stating

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/standing"
	"github.com/carbon-exporter/carbon_exporter/internal/report"
	"github.com/carbon-exporter/carbon_exporter/internal/statement"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// leastShare is the least share of energy that is named: rounding leaves a trace of energy where
// all of it was measured.
const leastShare = 1e-9

// shares divides energy by name, most first.
func shares(parts map[string]usage.KWh) (all []statement.Share) {
	var sum usage.Sum
	for _, energy := range parts {
		sum.Add(float64(energy))
	}
	for name, energy := range parts {
		if share := ratio(float64(energy), sum.Float64()); share >= leastShare {
			all = append(all, statement.Share{Name: name, Ratio: share})
		}
	}
	slices.SortFunc(all, func(a, b statement.Share) int {
		return cmp.Or(cmp.Compare(b.Ratio, a.Ratio), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// sources names where the watts of each machine type come from, most energy first.
func (g *making) sources() map[string]string {
	parts := map[string]map[string]usage.KWh{}
	for _, u := range g.power {
		if parts[u.Machine] == nil {
			parts[u.Machine] = map[string]usage.KWh{}
		}
		parts[u.Machine][u.Source] += u.Energy
	}
	all := map[string]string{}
	for machine, of := range parts {
		var names []string
		for _, s := range shares(of) {
			names = append(names, s.Name)
		}
		all[machine] = strings.Join(names, ", ")
	}
	return all
}

// method says how the numbers were made, and whom to credit.
func (g *making) method(ctx context.Context) error {
	m := &g.d.Method
	m.Power, m.Prices = []statement.Share{}, []statement.Price{}
	parts := map[string]usage.KWh{}
	for _, u := range g.power {
		if slices.ContainsFunc(g.d.Machines, func(r statement.Row) bool { return r.Name == u.Machine }) {
			parts[u.Source] += u.Energy
		}
	}
	m.Power = append(m.Power, shares(parts)...)
	low, high, some, err := g.Store.PUEUsed(ctx, g.Period)
	if err != nil {
		return err
	}
	if some {
		m.PUELow, m.PUEHigh = &low, &high
	}
	if g.forecasts != (report.ForecastError{}) {
		m.ForecastError, m.ForecastPairs = new(float64(g.forecasts.Mean)), g.forecasts.Pairs
	}
	return g.prices(ctx)
}

func (g *making) prices(ctx context.Context) error {
	used, err := g.Store.PricesUsed(ctx, g.Period)
	if err != nil {
		return err
	}
	var sum usage.Sum
	for _, u := range used {
		sum.Add(float64(u.Energy))
	}
	slices.SortStableFunc(used, func(a, b usage.PriceUsed) int { return cmp.Compare(b.Energy, a.Energy) })
	for _, u := range used {
		p := statement.Price{
			Provider: u.Provider, Grid: u.Grid, Basis: u.Basis.Name(), Quality: string(u.Quality), Ratio: ratio(float64(u.Energy), sum.Float64()),
		}
		if s := g.Config.CarbonIntensity.Statics()[u.GridName]; s != nil {
			p.Source = s.Source
		}
		g.d.Method.Prices = append(g.d.Method.Prices, p)
	}
	return nil
}

// factors adds what the same energy emitted by other factors, and the credits of all sources whose
// values are in the statement.
func (g *making) factors(ctx context.Context) error {
	grids, err := parts.NewGrids(g.Config, func() time.Time { return g.Now })
	if err != nil {
		return err
	}
	for _, source := range grids.Priced {
		if slices.ContainsFunc(g.d.Method.Prices, func(p statement.Price) bool { return p.Provider == source.Provider() && p.Grid == source.Grid() }) {
			g.credit(source.Terms())
		}
	}
	if len(grids.Factors) == 0 || g.d.Whole == nil {
		return nil
	}
	var sets []usage.FactorSet
	for _, set := range grids.Factors {
		sets = append(sets, set.Named())
	}
	all, err := g.Store.FactorTallies(ctx, g.Scope, sets, g.Period)
	if err != nil {
		return fmt.Errorf("other factors: %w", err)
	}
	for _, set := range grids.Factors {
		f := statement.Factor{Name: set.Name, Bases: []string{}}
		for _, source := range set.Chain {
			if basis := source.Terms().Basis.Name(); !slices.Contains(f.Bases, basis) {
				f.Bases = append(f.Bases, basis)
			}
		}
		if t := all[0][set.Name][g.Member]; t.Known {
			f.Emissions, f.Known = new(statement.CarbonOf(t.Emissions)), ratio(float64(t.Energy), float64(g.d.Whole.Energy.KWh()))
			for _, source := range set.Chain {
				g.credit(source.Terms())
			}
		}
		g.d.Factors = append(g.d.Factors, f)
	}
	return nil
}

func (g *making) credit(t usage.Terms) {
	c := statement.Credit{Text: t.Credit, Licence: t.Licence, Link: t.Link}
	if c.Text != "" && !slices.Contains(g.d.Credits, c) {
		g.d.Credits = append(g.d.Credits, c)
	}
}

// budgets adds where the budgets of the subject stood at the end of the month.
func (g *making) budgets(ctx context.Context) error {
	ever, err := g.Store.Summary(ctx)
	if err != nil {
		return err
	}
	return g.Store.View(ctx, func(v *store.View) error {
		book := standing.NewBook(v)
		for _, b := range parts.Budgets(g.Config) {
			target := b.Target
			if b.Scope == usage.ScopeAda {
				target = string(usage.ScopeAda)
			}
			p, inForce := b.Period(g.To.Add(-time.Nanosecond))
			if b.Scope != g.Scope || target != g.Member || !inForce {
				continue
			}
			status, err := book.Ended(ctx, b, ever.Totals, g.To)
			if err != nil {
				return err
			}
			zone := g.Store.Timezone()
			g.d.Budgets = append(g.d.Budgets, statement.Budget{
				Name: b.Name, Unit: string(b.Unit), Limit: b.Limit, Used: status.Used, From: p.From.In(zone), To: p.To.In(zone),
			})
		}
		return nil
	})
}
