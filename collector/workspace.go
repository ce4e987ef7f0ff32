package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// workspaces shows what each active workspace has used since it began. Whose it
// is stands in one metric, to be joined by host, and not on each of them: a host
// that changes hands would end all its series.
type workspaces struct {
	info, start, energy, emissions, estimated *prometheus.Desc
}

func newWorkspaces() workspaces {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, append([]string{"host"}, labels...), nil)
	}
	return workspaces{
		info: d("carbon_workspace_info",
			"An active workspace, and whose usage it is now: 1. Join it by host.", "project", "machine", "user", "group"),
		start: d("carbon_workspace_start_timestamp_seconds",
			"When an active workspace began: as the directory says, else when its host booted, else when it was first seen."),
		energy: d("carbon_workspace_energy_kwh",
			"Energy of an active workspace since it began, PUE included, and estimates, which no other metric has. May be restated, hence a gauge: use delta, never increase.", "mode"),
		emissions: d("carbon_workspace_emissions_gco2eq",
			"Emissions of an active workspace since it began, of what is priced of its energy, as known now. May be restated, hence a gauge: use delta, never increase. Absent while nothing is priced.", "mode"),
		estimated: d("carbon_workspace_estimated_ratio",
			"How much of the energy of an active workspace was not seen but is the average of its machine type. Absent while it has no energy."),
	}
}

func (c workspaces) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.info, c.start, c.energy, c.emissions, c.estimated} {
		ch <- d
	}
}

// collect shows each host once. Where several workspaces share one, each has all
// of the host's usage: added up it would count twice, and two owners of a host
// would break every join. The first in the list stands for it.
func (c workspaces) collect(out emitter, list []usage.ActiveUsage) {
	seen := make(map[string]bool, len(list))
	for _, w := range list {
		if seen[w.Host] {
			continue
		}
		seen[w.Host] = true
		out.gauge(c.info, 1, w.Host, w.Project, w.Machine, w.User, w.Group)
		out.gauge(c.start, seconds(w.Started), w.Host)
		byMode(out, c.energy, w.Host, w.Energy)
		if w.Priced {
			byMode(out, c.emissions, w.Host, w.Emissions)
		}
		if all := w.Energy.Total(); all > 0 {
			out.gauge(c.estimated, float64(w.Estimated/all), w.Host)
		}
	}
}

func byMode[T ~float64](e emitter, d *prometheus.Desc, host string, v usage.BusyIdle[T]) {
	e.gauge(d, float64(v.Busy), host, string(usage.Busy))
	e.gauge(d, float64(v.Idle), host, string(usage.Idle))
}
