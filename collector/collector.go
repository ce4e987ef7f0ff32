// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package collector serves /metrics. It shows a snapshot that was made beforehand and
// does no I/O; it must not know how numbers are calculated. Start with
// testdata/metrics.prom, the catalogue of all metrics, then NewUsage and Exposition.
package collector

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Snapshot is everything that the usage metrics show, at one moment.
type Snapshot struct {
	usage.Summary
	// Fold says which labels the metrics of usage lack. Totals, Newest and ToDate have the names
	// nevertheless.
	Fold     usage.Fold
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

// Usage is what a snapshot shows: usage, rates and interval states. It does not change, and holds
// little more than the numbers. Its series by key are in columns; the others are metrics of
// client_golang.
type Usage struct {
	families []keyed // by name
	others   *prometheus.Registry
	wrong    error // what no label can hold, or is there twice, and is left out
}

// NewUsage makes what a snapshot shows; nil: nothing.
func NewUsage(s *Snapshot) *Usage {
	u := &Usage{others: prometheus.NewPedanticRegistry()}
	if s == nil {
		return u
	}
	keys := usageColumns(len(s.Totals), s.Fold)
	families := newUsageFamilies(keys)
	begun, twice := keys.totals(families, s.Fold.Totals(s.Totals), s.Since)
	if s.Newest != nil && !s.Newest.Interval.End().Before(s.Since) { // else all keys have expired
		keys.newest(families, s.Newest.Interval.Length, s.Fold.Usage(s.Newest.Usage))
	}
	keys.toDate(&families.day, begun, s.Fold.Usage(s.ToDate.Day), s.Fold)
	keys.toDate(&families.month, begun, s.Fold.Usage(s.ToDate.Month), s.Fold)
	keys.toDate(&families.year, begun, s.Fold.Usage(s.ToDate.Year), s.Fold)
	types := newMachineTypes(s.Ratings)
	u.families = filled(append(families.all(), types.families...))
	u.wrong = errors.Join(twice, keys.finish(), types.columns.finish())
	u.others.MustRegister(newOverview(s))
	return u
}

// totals adds a row for each key that was used lately. It returns which of them are priced.
func (c *columns) totals(f *usageFamilies, totals []usage.Total, since time.Time) (priced []bool, twice error) {
	for i := range totals {
		t := &totals[i]
		if t.Last.Before(since) {
			continue
		}
		r := c.row(t.Key)
		if int(r) < len(priced) {
			twice = errors.Join(twice, fmt.Errorf("usage of %+q was collected before", t.Key))
			continue
		}
		priced = append(priced, t.Priced)
		f.cpu.set(0, r, float64(t.CPU.Busy))
		f.cpu.set(1, r, float64(t.CPU.Idle))
		devices := t.Energy.Measured != 0 || t.SettledEnergy.Measured != 0 // a counter stays
		byMode(&f.energy, r, devices, t.Energy)
		byMode(&f.settledEnergy, r, devices, t.SettledEnergy)
		// A key without any price has no emissions, not emissions of 0.
		if t.Priced {
			byMode(&f.emissions, r, devices, t.Emissions)
			byMode(&f.settledEmissions, r, devices, t.SettledEmissions)
		}
		if t.Hardware > 0 { // of old hardware they are 0
			f.embodied.set(0, r, float64(t.Embodied))
		}
		if t.Hardware > 0 || t.SettledEmbodied > 0 { // the configuration may know it no more
			f.settledEmbodied.set(0, r, float64(t.SettledEmbodied))
		}
	}
	return priced, twice
}

func (c *columns) newest(f *usageFamilies, length time.Duration, keys []usage.KeyUsage) {
	for i := range keys {
		n := &keys[i]
		r := c.row(n.Key)
		devices := n.Energy.Measured != 0
		byMode(&f.power, r, devices, usage.ByMode[usage.Watts]{
			Busy: n.Energy.Busy.Over(length), Idle: n.Energy.Idle.Over(length), Measured: n.Energy.Measured.Over(length),
		})
		if n.Priced {
			byMode(&f.rate, r, devices, usage.ByMode[float64]{
				Busy: n.Emissions.Busy.PerHour(length), Idle: n.Emissions.Idle.PerHour(length), Measured: n.Emissions.Measured.PerHour(length),
			})
		}
	}
}
