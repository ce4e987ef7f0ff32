// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// bounds shows what power and energy are between two times in three, where that is known.
type bounds struct {
	powerLow, powerHigh *prometheus.Desc
	low, high           *prometheus.Desc // of a project
	siteLow, siteHigh   *prometheus.Desc
}

func newBounds() bounds {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	const (
		power    = " of the current average power per core of a machine type, without PUE. Two times in three the true power lies between low and high. Absent if the error of the power is not known."
		energy   = " of the energy of a project since the first stored interval. Two times in three the true energy lies between low and high. Energy whose error is not known counts as exact; absent if that is all of it."
		sitewide = " of the energy of the whole site since the first stored interval. Errors of machine types cancel out in part, so the bounds of projects do not add up to it. Absent if no error is known."
	)
	return bounds{
		powerLow:  d("carbon_machine_power_low_watts", "Lower bound"+power, "machine", "mode", "source"),
		powerHigh: d("carbon_machine_power_high_watts", "Upper bound"+power, "machine", "mode", "source"),
		low:       d("carbon_energy_low_kwh", "Lower bound"+energy, "project"),
		high:      d("carbon_energy_high_kwh", "Upper bound"+energy, "project"),
		siteLow:   d("carbon_site_energy_low_kwh", "Lower bound"+sitewide),
		siteHigh:  d("carbon_site_energy_high_kwh", "Upper bound"+sitewide),
	}
}

func (b bounds) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{b.powerLow, b.powerHigh, b.low, b.high, b.siteLow, b.siteHigh} {
		ch <- d
	}
}

// collect shows the bounds of all stored usage, also of keys that are not shown any more: usage of
// a project does not vanish with one of its machines.
func (b bounds) collect(out emitter, totals []usage.Total, ratings []usage.Rating) {
	for _, r := range ratings {
		low, high, known := r.Bounds()
		if !known {
			continue
		}
		for _, bound := range []struct {
			desc  *prometheus.Desc
			watts usage.BusyIdle[usage.Watts]
		}{{b.powerLow, low}, {b.powerHigh, high}} {
			out.gauge(bound.desc, float64(bound.watts.Busy), r.Machine, string(usage.Busy), r.Source)
			out.gauge(bound.desc, float64(bound.watts.Idle), r.Machine, string(usage.Idle), r.Source)
		}
	}
	projects, site := usage.BoundsOf(totals)
	for project, e := range projects {
		out.gauge(b.low, float64(e.Low), project)
		out.gauge(b.high, float64(e.High), project)
	}
	if site != nil {
		out.gauge(b.siteLow, float64(site.Low))
		out.gauge(b.siteHigh, float64(site.High))
	}
}
