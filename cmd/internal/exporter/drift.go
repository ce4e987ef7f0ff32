// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/drift"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// drifted finds the projects that have lost series or labels that they had for days,
// and logs each change once. It is called for one snapshot at a time.
func (d *daemon) drifted(seen usage.Sightings) []usage.Drift {
	all := drift.Find(seen)
	known := map[string]string{}
	for _, p := range all {
		lost, was := strings.Join(p.Lost, ", "), d.lost[p.Project]
		switch lost {
		case was:
		case "":
			d.log.Info("Project has recovered its lost series or labels", "project", p.Project, "had_lost", was)
		case usage.LostSeries:
			d.log.Warn("Project no longer has any series; were its machines deleted or a label renamed?", "project", p.Project, "since", p.Since.UTC().Format(time.RFC3339))
		default:
			d.log.Warn("Series of a project no longer have some labels", "project", p.Project, "lost", lost, "since", p.Since.UTC().Format(time.RFC3339))
		}
		if lost != "" {
			known[p.Project] = lost
		}
	}
	d.lost = known
	return all
}
