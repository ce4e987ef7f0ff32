// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// overview shows what a snapshot has beside usage by key: interval states, projects, budgets
// and workspaces.
type overview struct {
	s *Snapshot

	pue, interval              *prometheus.Desc
	complete, states, unpriced *prometheus.Desc
	drift                      *prometheus.Desc

	attended   attended
	bounds     bounds
	zones      zones
	priced     priced
	factors    factors
	workspaces workspaces
	budgets    budgets
}

// newOverview keeps of the snapshot only what it needs: the keys are in columns.
func newOverview(s *Snapshot) *overview {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &overview{
		s:        s.Slim(),
		attended: newAttended(), workspaces: newWorkspaces(), budgets: newBudgets(),
		bounds: newBounds(s.Totals), zones: newZones(), priced: newPriced(), factors: newFactors(s.Fold),
		pue: d("carbon_pue_ratio",
			"Current power usage effectiveness: energy of the data centre divided by energy of its machines. Energy is multiplied by it."),
		interval: d("carbon_interval_seconds",
			"Length of an interval, the unit of time in which usage is stored."),
		complete: d("carbon_last_complete_interval_timestamp_seconds",
			"End of the newest stored interval with usage."),
		states: d("carbon_intervals",
			"Number of intervals by state: missing (due and not fetched yet), empty (no series), unpriced (no carbon intensity yet), provisional (may be restated), settled (final).", "state"),
		unpriced: d("carbon_unpriced_energy_kwh",
			"Energy of unpriced intervals, which have no carbon intensity yet and are not included in emissions."),
		drift: d("carbon_exporter_label_drift",
			"Whether all series of a project, or a label that identifies its users, disappeared after being present for days (1 = yes, 0 = no). The log has details. Absent a week after the project was last seen.", "project"),
	}
}

// Slim is the snapshot without usage by key, which is nearly all of it.
func (s *Snapshot) Slim() *Snapshot {
	slim := *s
	slim.Totals, slim.Held, slim.ToDate, slim.Ratings, slim.Machines = nil, nil, ToDate{}, nil, nil
	if s.Newest != nil {
		slim.Newest = &usage.Newest{Interval: s.Newest.Interval}
	}
	return &slim
}

// Describe implements prometheus.Collector.
func (c *overview) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.pue, c.interval, c.complete, c.states, c.unpriced, c.drift} {
		ch <- d
	}
	c.attended.describe(ch)
	c.workspaces.describe(ch)
	c.budgets.describe(ch)
	c.bounds.describe(ch)
	c.zones.describe(ch)
	c.priced.describe(ch)
	c.factors.describe(ch)
}

// Collect implements prometheus.Collector.
func (c *overview) Collect(ch chan<- prometheus.Metric) {
	s, out := c.s, emitter{ch}
	out.gauge(c.pue, s.PUE)
	out.gauge(c.interval, s.Interval.Seconds())
	for _, state := range usage.States() {
		out.gauge(c.states, float64(s.States[state]), string(state))
	}
	out.gauge(c.unpriced, float64(s.Unpriced))
	for _, p := range s.Drift {
		out.gauge(c.drift, truth(len(p.Lost) > 0), p.Project)
	}
	if s.Newest != nil {
		out.gauge(c.complete, float64(s.Newest.Interval.End().Unix()))
	}
	if s.Attended != nil {
		c.attended.collect(out, s.Attended)
	}
	c.workspaces.collect(out, s.Workspaces)
	c.budgets.collect(out, s.Budgets)
	c.bounds.collect(out)
	c.zones.collect(out, s.Zones)
	c.priced.collect(out, s.PricedBy, s.Chain)
	c.factors.collect(out, s.Factors)
}

// emitter makes constant metrics. A metric that cannot be made is an error of the whole
// gathering, which has all the others.
type emitter struct {
	ch chan<- prometheus.Metric
}

func (e emitter) gauge(d *prometheus.Desc, v float64, labels ...string) {
	m, err := prometheus.NewConstMetric(d, prometheus.GaugeValue, v, labels...)
	if err != nil {
		m = prometheus.NewInvalidMetric(d, err)
	}
	e.ch <- m
}
