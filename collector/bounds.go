// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// bounds shows what energy is between two times in three, where that is known.
type bounds struct {
	low, high         *prometheus.Desc // of a project
	siteLow, siteHigh *prometheus.Desc

	projects map[string]usage.EnergyBounds
	site     *usage.EnergyBounds
}

// newBounds adds up all stored usage, also of keys that are not shown any more: usage of a project
// does not vanish with one of its machines.
func newBounds(totals []usage.Total) bounds {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	const (
		energy   = " of the energy of a project since the first stored interval. Two times in three the true energy lies between low and high. Energy whose error is not known counts as exact; absent if that is all of it."
		sitewide = " of the energy of the whole site since the first stored interval. Errors of machine types cancel out in part, so the bounds of projects do not add up to it. Absent if no error is known."
	)
	projects, site := usage.BoundsOf(totals)
	return bounds{
		projects: projects, site: site,
		low:      d("carbon_energy_low_kwh", "Lower bound"+energy, "project"),
		high:     d("carbon_energy_high_kwh", "Upper bound"+energy, "project"),
		siteLow:  d("carbon_site_energy_low_kwh", "Lower bound"+sitewide),
		siteHigh: d("carbon_site_energy_high_kwh", "Upper bound"+sitewide),
	}
}

func (b bounds) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{b.low, b.high, b.siteLow, b.siteHigh} {
		ch <- d
	}
}

func (b bounds) collect(out emitter) {
	for project, e := range b.projects {
		out.gauge(b.low, float64(e.Low), project)
		out.gauge(b.high, float64(e.High), project)
	}
	if b.site != nil {
		out.gauge(b.siteLow, float64(b.site.Low))
		out.gauge(b.siteHigh, float64(b.site.High))
	}
}
