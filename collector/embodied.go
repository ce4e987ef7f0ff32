// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// embodied shows the emissions of making the machines, where they are configured.
type embodied struct{ all, settled *prometheus.Desc }

func newEmbodied() embodied {
	labels := []string{"project", "machine", "user", "group"}
	return embodied{
		all: prometheus.NewDesc("carbon_embodied_emissions_gco2eq",
			"Embodied emissions since the first stored interval: the share of what making the machines emitted, for each core and hour. They are in no other metric of emissions. May be restated, so it is a gauge: use delta, not increase. Absent where they are not configured.", labels, nil),
		settled: prometheus.NewDesc("carbon_settled_embodied_emissions_gco2eq_total",
			"Embodied emissions of settled (final) intervals. Never decreases and survives restarts, so increase works. Absent where they are not configured.", labels, nil),
	}
}

func (e embodied) describe(ch chan<- *prometheus.Desc) {
	ch <- e.all
	ch <- e.settled
}

func (e embodied) collect(out emitter, totals []usage.Total) {
	for _, t := range totals {
		if t.Hardware > 0 { // of old hardware they are 0
			out.gauge(e.all, float64(t.Embodied), t.Project, t.Machine, t.User, t.Group)
		}
		if t.Hardware > 0 || t.SettledEmbodied > 0 { // the configuration may know it no more
			out.metric(e.settled, prometheus.CounterValue, float64(t.SettledEmbodied), t.Project, t.Machine, t.User, t.Group)
		}
	}
}
