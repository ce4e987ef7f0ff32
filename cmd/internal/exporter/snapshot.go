package exporter

import (
	"context"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/collector"
	"github.com/carbon-exporter/carbon_exporter/internal/privacy"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
)

// publish shows the current content of the store on /metrics.
func (d *daemon) publish(ctx context.Context) error {
	d.publishing.Lock()
	defer d.publishing.Unlock()
	var snapshot *collector.Snapshot
	var people privacy.View
	err := d.store.View(ctx, func(v *store.View) (err error) {
		snapshot, people, err = d.snapshot(ctx, v)
		return err
	})
	if err != nil {
		return err
	}
	if people.Changed {
		if err := d.store.SaveShown(ctx, people.Shown); err != nil {
			return err
		}
	}
	d.usage.Publish(snapshot)
	d.exposition.Show(d.registry)
	if size, err := d.store.SizeBytes(); err == nil {
		d.Size(size)
	}
	return nil
}

// snapshot is what /metrics shows of the store at one moment, with users shown as configured.
func (d *daemon) snapshot(ctx context.Context, v *store.View) (*collector.Snapshot, privacy.View, error) {
	cfg, labels := d.current()
	now := d.clock.Now()
	summary, err := v.Summary(ctx)
	if err != nil {
		return nil, privacy.View{}, err
	}
	shown, err := v.Shown(ctx)
	if err != nil {
		return nil, privacy.View{}, err
	}
	people := labels.Summary(summary, shown, d.caughtUp.Load())
	s := &collector.Snapshot{
		Summary: people.Summary, PUE: cfg.Power.PUE,
		Interval: time.Duration(cfg.Interval), Since: now.Add(-time.Duration(cfg.Metrics.Keep)),
	}
	if d.flags.workspaces {
		active, err := v.Active(ctx)
		if err != nil {
			return nil, people, err
		}
		s.Workspaces = labels.Active(active, people.Named)
	}
	if s.ToDate, s.Budgets, err = periods(ctx, v, cfg, labels, summary, people, now); err != nil {
		return nil, people, err
	}
	model, err := parts.Power(ctx, cfg.Power, v, now)
	if err != nil {
		return nil, people, err
	}
	s.Ratings = parts.Ratings(model, people.Machines)
	seen, err := v.Sightings(ctx)
	s.Drift = d.drifted(seen)
	return s, people, err
}
