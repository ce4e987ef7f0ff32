// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package collector serves /metrics. It shows a snapshot that was made beforehand and
// does no I/O; it must not know how numbers are calculated. Start with
// testdata/metrics.prom, the catalogue of all metrics, then Usage.Collect.
package collector

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Snapshot is everything that the usage metrics show, at one moment. It must not change
// once published.
type Snapshot struct {
	usage.Summary
	Ratings  []usage.Rating // current power of every known machine type
	PUE      float64
	Interval time.Duration
	// Since is the oldest last usage of keys that are shown.
	Since time.Time
	// Workspaces are the active ones; nil if they are not shown.
	Workspaces []usage.ActiveUsage
	ToDate     ToDate
	Budgets    []Budget
	Drift      []usage.Drift // of every project seen in the last week
	// Zones are what meters of the site have measured; nil if there are none.
	Zones []usage.ZoneFact
	// PricedBy is what priced the last 24 hours, and Chain the providers that are to.
	PricedBy usage.PricedBy
	Chain    []string
	// Factors are totals by other factors; empty if there are none.
	Factors usage.FactorTotals
}

// Usage shows usage, rates and interval states.
type Usage struct {
	snapshot atomic.Pointer[Snapshot]

	cpu, energy, emissions          *prometheus.Desc
	power, rate                     *prometheus.Desc
	settledEnergy, settledEmissions *prometheus.Desc
	machinePower, pue, interval     *prometheus.Desc
	complete, states, unpriced      *prometheus.Desc
	drift                           *prometheus.Desc

	attended attended
	bounds   bounds
	embodied embodied
	zones    zones
	priced   priced
	factors  factors

	workspaces       workspaces
	day, month, year toDate
	budgets          budgets
}

// NewUsage makes a collector that shows nothing before Publish.
func NewUsage() *Usage {
	usageLabels := []string{"project", "machine", "user", "group", "mode"}
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &Usage{
		attended: newAttended(), workspaces: newWorkspaces(), budgets: newBudgets(),
		bounds: newBounds(), embodied: newEmbodied(), zones: newZones(), priced: newPriced(), factors: newFactors(),
		day: newToDate("carbon_day_to_date_energy_kwh", "carbon_day_to_date_emissions_gco2eq",
			"midnight in the configured time zone"),
		month: newToDate("carbon_month_to_date_energy_kwh", "carbon_month_to_date_emissions_gco2eq",
			"the start of the month in the configured time zone"),
		year: newToDate("carbon_year_to_date_energy_kwh", "carbon_year_to_date_emissions_gco2eq",
			"the start of the year in the configured time zone"),
		cpu: d("carbon_cpu_seconds",
			"CPU seconds since the first stored interval, busy or idle. May be restated, so it is a gauge: use delta, not increase.", usageLabels...),
		energy: d("carbon_energy_kwh",
			"Energy since the first stored interval: CPU seconds x average power of the machine type x PUE, or what meters have measured. The mode measured is devices with meters of their own, such as GPUs; it is only there where there are any. May be restated, so it is a gauge: use delta, not increase.", usageLabels...),
		emissions: d("carbon_emissions_gco2eq",
			"Emissions of all priced intervals: energy of each half hour x carbon intensity of the grid in that half hour, as currently known. May be restated, so it is a gauge: use delta, not increase. Absent until an interval is priced.", usageLabels...),
		power: d("carbon_power_watts",
			"Mean power over the newest complete interval, including PUE.", usageLabels...),
		rate: d("carbon_emission_rate_gco2eq_per_hour",
			"Mean emission rate over the newest complete interval. Absent while that interval is unpriced.", usageLabels...),
		settledEnergy: d("carbon_settled_energy_kwh_total",
			"Energy of settled (final) intervals, including PUE. Never decreases and survives restarts, so increase works.", usageLabels...),
		settledEmissions: d("carbon_settled_emissions_gco2eq_total",
			"Emissions of settled (final) intervals. Never decreases and survives restarts, so increase works.", usageLabels...),
		machinePower: d("carbon_machine_power_watts",
			"Current average power per core of a machine type, without PUE. The label source says where the average comes from.", "machine", "mode", "source"),
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

// Publish replaces the snapshot.
func (c *Usage) Publish(s *Snapshot) { c.snapshot.Store(s) }

// Snapshot returns the current snapshot, or nil. It must not be changed.
func (c *Usage) Snapshot() *Snapshot { return c.snapshot.Load() }

// Describe implements prometheus.Collector.
func (c *Usage) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.cpu, c.energy, c.emissions, c.power, c.rate, c.settledEnergy, c.settledEmissions,
		c.machinePower, c.pue, c.interval, c.complete, c.states, c.unpriced, c.drift,
	} {
		ch <- d
	}
	c.attended.describe(ch)
	c.workspaces.describe(ch)
	c.budgets.describe(ch)
	c.bounds.describe(ch)
	c.embodied.describe(ch)
	c.zones.describe(ch)
	c.priced.describe(ch)
	c.factors.describe(ch)
	for _, p := range []toDate{c.day, c.month, c.year} {
		p.describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (c *Usage) Collect(ch chan<- prometheus.Metric) {
	s := c.snapshot.Load()
	if s == nil {
		return
	}
	out := emitter{ch}
	totals := slices.DeleteFunc(slices.Clone(s.Totals), func(t usage.Total) bool { return t.Last.Before(s.Since) })
	for _, t := range totals {
		devices := t.Energy.Measured != 0 || t.SettledEnergy.Measured != 0 // a counter stays
		out.cpu(c.cpu, t.Key, t.CPU)
		gauges(out, c.energy, t.Key, devices, t.Energy)
		counters(out, c.settledEnergy, t.Key, devices, t.SettledEnergy)
		// A key without any price has no emissions, not emissions of 0.
		if t.Priced {
			gauges(out, c.emissions, t.Key, devices, t.Emissions)
			counters(out, c.settledEmissions, t.Key, devices, t.SettledEmissions)
		}
	}
	for _, r := range s.Ratings {
		out.gauge(c.machinePower, float64(r.Watts.Busy), r.Machine, string(usage.Busy), r.Source)
		out.gauge(c.machinePower, float64(r.Watts.Idle), r.Machine, string(usage.Idle), r.Source)
	}
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
		c.collectNewest(out, s.Newest, s.Since)
	}
	if s.Attended != nil {
		c.attended.collect(out, s.Attended)
	}
	c.workspaces.collect(out, s.Workspaces)
	c.day.collect(out, totals, s.ToDate.Day)
	c.month.collect(out, totals, s.ToDate.Month)
	c.year.collect(out, totals, s.ToDate.Year)
	c.budgets.collect(out, s.Budgets)
	c.bounds.collect(out, s.Totals, s.Ratings)
	c.embodied.collect(out, totals)
	c.zones.collect(out, s.Zones)
	c.priced.collect(out, s.PricedBy, s.Chain)
	c.factors.collect(out, s.Factors)
}

func (c *Usage) collectNewest(out emitter, n *usage.Newest, since time.Time) {
	length := n.Interval.Length
	keys := n.Usage
	if n.Interval.End().Before(since) {
		keys = nil // nothing was stored for so long that all keys have expired
	}
	for _, u := range keys {
		devices := u.Energy.Measured != 0
		gauges(out, c.power, u.Key, devices, usage.ByMode[usage.Watts]{
			Busy: u.Energy.Busy.Over(length), Idle: u.Energy.Idle.Over(length), Measured: u.Energy.Measured.Over(length),
		})
		if u.Priced {
			gauges(out, c.rate, u.Key, devices, usage.ByMode[float64]{
				Busy: u.Emissions.Busy.PerHour(length), Idle: u.Emissions.Idle.PerHour(length), Measured: u.Emissions.Measured.PerHour(length),
			})
		}
	}
	out.gauge(c.complete, float64(n.Interval.End().Unix()))
}

// emitter makes constant metrics. A metric that cannot be made fails the scrape instead
// of being left out.
type emitter struct {
	ch chan<- prometheus.Metric
}

func (e emitter) gauge(d *prometheus.Desc, v float64, labels ...string) {
	e.metric(d, prometheus.GaugeValue, v, labels...)
}

func (e emitter) metric(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
	m, err := prometheus.NewConstMetric(d, t, v, labels...)
	if err != nil {
		m = prometheus.NewInvalidMetric(d, err)
	}
	e.ch <- m
}

// cpu shows CPU time, which is busy or idle.
func (e emitter) cpu(d *prometheus.Desc, k usage.Key, v usage.BusyIdle[usage.CPUSeconds]) {
	e.mode(d, prometheus.GaugeValue, k, usage.Busy, float64(v.Busy))
	e.mode(d, prometheus.GaugeValue, k, usage.Idle, float64(v.Idle))
}

func gauges[T ~float64](e emitter, d *prometheus.Desc, k usage.Key, devices bool, v usage.ByMode[T]) {
	byMode(e, d, prometheus.GaugeValue, k, devices, v)
}

func counters[T ~float64](e emitter, d *prometheus.Desc, k usage.Key, devices bool, v usage.ByMode[T]) {
	byMode(e, d, prometheus.CounterValue, k, devices, v)
}

// byMode shows what is measured only where there are devices that measure: most keys have none.
func byMode[T ~float64](e emitter, d *prometheus.Desc, t prometheus.ValueType, k usage.Key, devices bool, v usage.ByMode[T]) {
	e.mode(d, t, k, usage.Busy, float64(v.Busy))
	e.mode(d, t, k, usage.Idle, float64(v.Idle))
	if devices {
		e.mode(d, t, k, usage.Measured, float64(v.Measured))
	}
}

func (e emitter) mode(d *prometheus.Desc, t prometheus.ValueType, k usage.Key, mode usage.Mode, v float64) {
	e.metric(d, t, v, k.Project, k.Machine, k.User, k.Group, string(mode))
}
