// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/collector"
	"github.com/carbon-exporter/carbon_exporter/internal/landing"
	"github.com/carbon-exporter/carbon_exporter/internal/privacy"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// dearGC is GOGC while much is read of which little is kept.
const dearGC = 50

// picture is what /metrics and the landing page show of the store at one moment, with users shown
// as configured.
type picture struct {
	usage  *collector.Snapshot
	page   *landing.Numbers
	people privacy.View
}

// publish shows the current content of the store on /metrics and on the landing page.
func (d *daemon) publish(ctx context.Context) error {
	d.publishing.Lock()
	defer d.publishing.Unlock()
	began := d.clock.Now()
	d.pace.begin()
	keys := 0
	defer func() { d.pace.end(keys, began, d.clock.Now()) }()
	if d.pace.dear() { // half of the memory at the peak, for a twentieth of the time
		defer debug.SetGCPercent(debug.SetGCPercent(dearGC))
	}
	cfg, _ := d.current()
	var p picture
	err := d.store.View(ctx, func(v *store.View) (err error) {
		p, err = d.picture(ctx, v)
		return err
	})
	if err != nil {
		return err
	}
	if p.people.Changed {
		if err := d.store.SaveShown(ctx, p.people.Shown); err != nil {
			return err
		}
	}
	keys = len(p.usage.Summary.Totals)
	d.name(p.people.Named)
	d.shown.Store(p.usage.Slim())
	d.numbers.Store(p.page)
	shown := collector.NewUsage(p.usage)
	p = picture{} // which is most of the memory that all of this takes
	d.exposed(d.exposition.Show(shown), cfg)
	if size, err := d.store.SizeBytes(); err == nil {
		d.Size(size)
	}
	return nil
}

func (d *daemon) picture(ctx context.Context, v *store.View) (picture, error) {
	cfg, labels := d.current()
	now := d.clock.Now()
	summary, err := v.Summary(ctx)
	if err != nil {
		return picture{}, err
	}
	shown, err := v.Shown(ctx)
	if err != nil {
		return picture{}, err
	}
	summary.Totals = append(summary.Totals, summary.Held...) // which are part of sums only
	people := labels.Summary(summary, shown, d.caughtUp.Load())
	s := &collector.Snapshot{
		Summary: people.Summary, Fold: cfg.Fold(), PUE: cfg.Power.PUE.Ratio,
		Interval: time.Duration(cfg.Interval), Since: now.Add(-time.Duration(cfg.Metrics.Keep)),
	}
	if s.Fold.User { // nobody is named, and so nobody is hidden
		s.Totals, s.Newest = summary.Totals, summary.Newest
	}
	if d.flags.workspaces {
		active, err := v.Active(ctx)
		if err != nil {
			return picture{}, err
		}
		s.Workspaces = labels.Active(active, people.Named)
	}
	spent, err := periods(ctx, v, cfg, labels, summary, people, now)
	if err != nil {
		return picture{}, err
	}
	s.ToDate, s.Budgets = spent.toDate, spent.budgets
	model, err := parts.Power(ctx, cfg.Power, v, now)
	if err != nil {
		return picture{}, err
	}
	if cfg.Power.PUE.Query != "" {
		measured, err := v.PUE(ctx)
		if err != nil {
			return picture{}, err
		}
		if measured != nil {
			s.PUE = *measured
		}
	}
	models, err := v.Models(ctx)
	if err != nil {
		return picture{}, err
	}
	s.Ratings = parts.Ratings(model, people.Machines, models)
	if s.Zones, err = v.Zones(ctx); err != nil {
		return picture{}, err
	}
	if s.PricedBy, err = v.PricedBy(ctx, usage.Period{From: now.Add(-24 * time.Hour), To: now}); err != nil {
		return picture{}, err
	}
	for _, source := range d.currentParts().Settings.Grid {
		s.Chain = append(s.Chain, source.Provider())
	}
	if s.Factors, err = otherFactors(ctx, v, cfg, summary.Totals); err != nil {
		return picture{}, err
	}
	seen, err := v.Sightings(ctx)
	s.Drift = d.drifted(seen)
	return picture{usage: s, page: numbers(s, people.Newest, spent, seen, models), people: people}, err
}
