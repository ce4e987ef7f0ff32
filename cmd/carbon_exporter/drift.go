package main

import (
	"context"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/drift"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// drifted reads what projects have lost that they had for days, and says so once
// whenever it changes. It is called for one snapshot at a time.
func (d *daemon) drifted(ctx context.Context) ([]usage.Drift, error) {
	seen, err := d.store.Sightings(ctx)
	if err != nil {
		return nil, err
	}
	all := drift.Find(seen)
	known := map[string]string{}
	for _, p := range all {
		lost, was := strings.Join(p.Lost, ", "), d.lost[p.Project]
		switch lost {
		case was:
		case "":
			d.log.Info("A project has again what it had lost", "project", p.Project, "had_lost", was)
		case usage.LostSeries:
			d.log.Warn("A project that had series for days has none: its machines are gone, or a label was renamed", "project", p.Project, "since", p.Since.UTC().Format(time.RFC3339))
		default:
			d.log.Warn("The series of a project have lost labels that they had for days", "project", p.Project, "lost", lost, "since", p.Since.UTC().Format(time.RFC3339))
		}
		if lost != "" {
			known[p.Project] = lost
		}
	}
	d.lost = known
	return all, nil
}
