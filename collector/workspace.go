// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// workspaces shows the usage of each active workspace since its start. The owner is in
// one info metric, to be joined on host, and not a label of every metric: otherwise all
// series of a host would end when its owner changes.
type workspaces struct {
	info, start, energy, emissions, estimated *prometheus.Desc
}

func newWorkspaces() workspaces {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, append([]string{"host"}, labels...), nil)
	}
	return workspaces{
		info: d("carbon_workspace_info",
			"An active workspace and the current owner of its usage. Always 1; join on host.", "project", "machine", "user", "group"),
		start: d("carbon_workspace_start_timestamp_seconds",
			"Start of an active workspace: from the directory, otherwise the boot time of its host, otherwise when it was first seen."),
		energy: d("carbon_workspace_energy_kwh",
			"Energy of an active workspace since its start, including PUE. Unlike other metrics it includes estimates for time without data. May be restated, so it is a gauge: use delta, not increase.", "mode"),
		emissions: d("carbon_workspace_emissions_gco2eq",
			"Emissions of the priced energy of an active workspace since its start, as currently known. May be restated, so it is a gauge: use delta, not increase. Absent until some of it is priced.", "mode"),
		estimated: d("carbon_workspace_estimated_ratio",
			"Share of the energy of an active workspace that is estimated from the average of its machine type. Absent while it has no energy."),
	}
}

func (c workspaces) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.info, c.start, c.energy, c.emissions, c.estimated} {
		ch <- d
	}
}

// collect shows each host once. If several workspaces share a host, each has the usage of
// the whole host: adding them up would count it twice, and two owners would break every
// join. So only the first in the list is shown.
func (c workspaces) collect(out emitter, list []usage.ActiveUsage) {
	seen := make(map[string]bool, len(list))
	for _, w := range list {
		if seen[w.Host] {
			continue
		}
		seen[w.Host] = true
		out.gauge(c.info, 1, w.Host, w.Project, w.Machine, w.User, w.Group)
		out.gauge(c.start, timestampSeconds(w.Started), w.Host)
		devices := w.Energy.Measured != 0
		ofHost(out, c.energy, w.Host, devices, w.Energy)
		if w.Priced {
			ofHost(out, c.emissions, w.Host, devices, w.Emissions)
		}
		if all := w.Energy.Total(); all > 0 {
			out.gauge(c.estimated, float64(w.Estimated/all), w.Host)
		}
	}
}

func ofHost[T ~float64](e emitter, d *prometheus.Desc, host string, devices bool, v usage.ByMode[T]) {
	e.gauge(d, float64(v.Busy), host, string(usage.Busy))
	e.gauge(d, float64(v.Idle), host, string(usage.Idle))
	if devices {
		e.gauge(d, float64(v.Measured), host, string(usage.Measured))
	}
}
