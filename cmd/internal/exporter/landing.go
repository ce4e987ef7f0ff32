// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/common/version"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/api"
	"github.com/carbon-exporter/carbon_exporter/collector"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/landing"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The values of --web.landing.
const (
	landingFull  = "full"
	landingState = "state"
)

// lateAfter is how many intervals old the newest usage may be: one is being read, one more may
// wait for late scrapes.
const lateAfter = 3

// landing is the page for people. It sends no requests: everything in it was published before.
func (d *daemon) landing(w http.ResponseWriter, _ *http.Request) {
	cfg, _ := d.current()
	now := d.clock.Now()
	state, err := d.state(now)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	known := landing.Known{
		Now: now, Zone: cfg.Location(), Version: version.Version, StateOnly: d.flags.landing == landingState,
		Notices: d.Notices(), Parts: state, Grid: d.gridShown(cfg),
		Unrated:   d.currentParts().Settings.Unrated,
		Directory: d.currentParts().Settings.Directory != nil, Late: lateAfter*time.Duration(cfg.Interval) + time.Duration(cfg.Prometheus.Lag),
		Numbers: d.numbers.Load(), Budgets: budgetsShown(d.shown.Load()),
		Labels: landing.LabelNames{
			Project: cfg.Prometheus.Labels.Project, Machine: cfg.Prometheus.Labels.Machine,
			Host: cfg.Prometheus.Labels.Host, User: cfg.Prometheus.Labels.User,
		},
		Links: []landing.Link{
			{Address: d.flags.telemetryPath, Text: "Metrics"},
			{Address: "/config", Text: "Configuration"},
			{Address: "/-/healthy", Text: "Healthy"},
			{Address: "/-/ready", Text: "Ready"},
		},
	}
	if d.flags.enableAPI {
		known.Links = append(known.Links, landing.Link{Address: api.Prefix + "openapi.yml", Text: "API"})
	}
	landing.Write(w, known)
}

func (d *daemon) gridShown(cfg *config.Config) landing.Grid {
	now := d.grid.Known()
	settings := d.currentParts().Settings
	g := landing.Grid{Provider: settings.Grid[0].Provider(), Slots: now.Slots, Outlook: now.Outlook}
	for _, source := range settings.Sources() {
		credit := landing.Credit{Text: source.Terms.Credit, Licence: source.Terms.Licence, Link: source.Terms.Link}
		if credit.Text != "" && !slices.Contains(g.Credits, credit) {
			g.Credits = append(g.Credits, credit)
		}
	}
	if static := cfg.CarbonIntensity.Priced().Fixed(); static != nil {
		g.Static, g.From, g.Name = new(usage.GramsPerKWh(*static.GCO2eqPerKWh)), static.Source, static.Grid
	}
	return g
}

// budgetsShown are those of /metrics, with users as they may be shown.
func budgetsShown(s *collector.Snapshot) (all []landing.Budget) {
	if s == nil {
		return nil
	}
	for _, b := range s.Budgets {
		all = append(all, landing.Budget{
			Name: b.Name, Target: b.Target, Scope: b.Scope, InKWh: b.InKWh, Limit: b.Limit,
			Period: b.Period, Used: b.Used, Projected: b.Projected,
		})
	}
	return all
}

// numbers is what the page says of a snapshot, and of the newest interval with users as configured.
func numbers(s *collector.Snapshot, newest *usage.Newest, spent spent, seen usage.Sightings, models map[string][]usage.ModelShare) *landing.Numbers {
	n := &landing.Numbers{
		Newest: landing.RecentOf(newest), Day: spent.day, Month: spent.month,
		Attended: s.Attended, Lacking: seen.Now, Drift: s.Drift, States: s.States, Unpriced: s.Unpriced,
		Power: landing.PowerOf(usage.RatedOf(s.Ratings, models), spent.bounds, s.Zones),
	}
	top := func(scope usage.Scope) landing.Top { return landing.TopOf(scope, spent.thisMonth, newest) }
	projects, groups := top(usage.ScopeProject), top(usage.ScopeGroup)
	n.Tops = []landing.Top{projects}
	if !groups.Same(projects) {
		n.Tops = append(n.Tops, groups)
	}
	if users := top(usage.ScopeUser); users.NamesAnybody() {
		n.Tops = append(n.Tops, users)
	}
	return n
}
