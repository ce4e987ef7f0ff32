// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/standing"
	"github.com/carbon-exporter/carbon_exporter/collector"
	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/landing"
	"github.com/carbon-exporter/carbon_exporter/internal/privacy"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// spent is the usage since the start of the current day, month and year, and the status of each
// budget.
type spent struct {
	toDate     collector.ToDate
	day, month *landing.Spent
	thisMonth  []usage.KeyUsage    // with users as configured
	bounds     *usage.EnergyBounds // of this month
	budgets    []collector.Budget
}

// periods reads what was spent. It reads the store, so neither the retention of Prometheus nor its
// gaps matter. view was made from summary, which has the users' real ids.
func periods(ctx context.Context, v *store.View, cfg *config.Config, labels privacy.Labels, summary usage.Summary, view privacy.View, now time.Time) (spent, error) {
	held, _, err := v.Span(ctx)
	if err != nil {
		return spent{}, err
	}
	from := func(kind budget.Kind) time.Time { return kind.Period(now, cfg.Location()).From }
	since, err := v.SpentSince(ctx, store.From{Time: from(budget.Day)}, store.From{Time: from(budget.Month), Bounds: true}, store.From{Time: from(budget.Year)})
	if err != nil {
		return spent{}, err
	}
	labelled := func(s *store.Spent) ([]usage.KeyUsage, *landing.Spent) {
		used := s.Keys
		if s.Period == (usage.Period{}) {
			return nil, nil
		}
		s.Keys = labels.Usage(used, view.Named)
		page := landing.SpentOf(s.Keys, s.Missing, s.Unpriced)
		if before := held.From.Sub(s.Period.From); before > 0 {
			page.Since, page.Missing = held.From, s.Missing-before // what was never asked for is not missing
		}
		if cfg.Fold().User { // nobody is named, and so nobody is hidden
			return used, page
		}
		return s.Keys, page
	}
	var all spent
	all.toDate.Day, all.day = labelled(&since[0])
	all.toDate.Month, all.month = labelled(&since[1])
	all.toDate.Year, _ = labelled(&since[2])
	all.thisMonth, all.bounds = since[1].Keys, since[1].Bounds
	book := standing.NewBook(v)
	all.budgets = make([]collector.Budget, 0, len(cfg.Budgets))
	for _, b := range parts.Budgets(cfg) {
		status, err := book.Status(ctx, b, summary.Totals, now)
		if err != nil {
			return spent{}, err
		}
		all.budgets = append(all.budgets, show(b, status, labels, view.Named))
	}
	return all, nil
}

func show(b budget.Budget, s budget.Status, labels privacy.Labels, named map[string]bool) collector.Budget {
	c := collector.Budget{
		Name: b.Name, Scope: b.Scope, Target: b.Target, InKWh: b.Unit == budget.KWh, Limit: b.Limit,
		Period: s.Period, Used: s.Used, Projected: s.Projected, Burn: map[string]float64{},
	}
	if b.Scope == usage.ScopeUser {
		c.Target = labels.Shown(b.Target, named)
	}
	for _, burn := range s.Burn {
		c.Burn[burn.Window.String()] = burn.Ratio
	}
	return c
}

// warnOfBudgets logs budgets that are most likely a mistake.
func (d *daemon) warnOfBudgets(ctx context.Context, cfg *config.Config) {
	if len(cfg.Budgets) == 0 {
		return
	}
	summary, err := d.store.Summary(ctx)
	if err != nil {
		d.log.Warn("Checking the budgets against the store failed", "err", err)
		return
	}
	cores := coresOf(summary)
	model, err := parts.Power(ctx, cfg.Power, d.store, d.clock.Now())
	if err != nil {
		d.log.Warn("Checking the budgets failed", "err", err)
		return
	}
	models, err := d.store.Models(ctx)
	if err != nil {
		d.log.Warn("Checking the budgets failed", "err", err)
		return
	}
	for i, b := range parts.Budgets(cfg) {
		seen := standing.Seen(summary.Totals, b)
		if !seen && b.Scope != usage.ScopeAda { // the site is always there
			d.log.Warn("Budget has a target without any usage so far; exporting it without usage",
				"key", fmt.Sprintf("budgets[%d].target", i), "budget", b.Name, "scope", b.Scope)
			continue
		}
		period, current := b.Period(d.clock.Now())
		n, known := cores[""]
		if b.Scope == usage.ScopeProject {
			n, known = cores[b.Target]
		}
		if !seen || !current || !known {
			continue
		}
		full := usage.Watts(n) * highest(parts.Ratings(model, summary.Machines, models)) * usage.Watts(cfg.Power.PUE.Ratio)
		if !b.Reachable(period, full, parts.Dirtiest(cfg.CarbonIntensity)) {
			d.log.Warn("Budget is so large that its fast-burn alert can never fire, even at full power; is the limit right?",
				"key", fmt.Sprintf("budgets[%d]", i), "budget", b.Name, "limit", b.Limit, "unit", b.Unit, "cores", n)
		}
	}
}

// coresOf returns the number of cores in the newest interval by project; "" is all.
func coresOf(s usage.Summary) map[string]float64 {
	cores := map[string]float64{}
	if s.Attended == nil {
		return cores
	}
	for project, c := range s.Attended.Coverage {
		n := float64(c.Capacity) / s.Attended.Interval.Length.Seconds()
		cores[project] += n
		cores[""] += n
	}
	return cores
}

func highest(ratings []usage.Rating) (w usage.Watts) {
	for _, r := range ratings {
		w = max(w, r.Watts.Busy, r.Watts.Idle)
	}
	return w
}

// followDays publishes a new snapshot when a day ends, because usage since midnight restarts
// then even if nothing is stored at that moment, and when a change has waited long enough.
func (d *daemon) followDays(ctx context.Context) {
	const wake = time.Minute // the wall clock may jump, and timers do not notice
	day := usage.Period{}
	for ctx.Err() == nil {
		cfg, _ := d.current()
		now := d.clock.Now()
		today := budget.Day.Period(now, cfg.Location())
		in, waiting := d.pace.due(now)
		if !day.From.IsZero() && !day.From.Equal(today.From) || waiting && in == 0 {
			d.refresh(ctx)
			waiting = false
		}
		day = today
		sleep := min(today.To.Sub(now), wake)
		if waiting {
			sleep = min(sleep, in)
		}
		d.clock.Sleep(ctx, sleep, d.pace.late)
	}
}
