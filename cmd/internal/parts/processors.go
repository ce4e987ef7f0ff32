// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// WhyNoProcessors says what in the configuration keeps the exporter from asking which processors
// the hosts have, and what to do; empty: it asks.
func WhyNoProcessors(c *config.Config) (why, do string) {
	switch {
	case c.Power.CPUModels == config.CPUModelsOff:
		return "power.cpu_models is off", "set power.cpu_models to auto, so that the processors of the hosts count"
	case c.Prometheus.Processors.Query == "":
		return "prometheus.processors.query is empty, as the profile " + c.Prometheus.Profile + " has it",
			"give a query in prometheus.processors if any series names the processors, set power.machines, or measure hosts with power.measured"
	}
	return "", ""
}

// sayProcessors says what makes the hosts of a profile name their processors.
func sayProcessors(p config.Prometheus) string {
	switch p.Profile {
	case "windows_exporter":
		return "enable the collector cpu_info of windows_exporter"
	case "opentelemetry":
		return "enable host.cpu.model.name in the detector system of resourcedetection, in the OpenTelemetry Collector"
	case "libvirt", "lxd":
		return "scrape node_exporter with --collector.cpu.info on the hypervisors, under the host name that the guests' exporter has"
	case "kubernetes", "slurm":
		return "run node_exporter with --collector.cpu.info on the nodes"
	}
	return "run node_exporter with --collector.cpu.info"
}

// Unrated says why machine types have the default watts whose hosts name no processor, and what to
// do.
func Unrated(c *config.Config) usage.Unrated {
	if why, do := WhyNoProcessors(c); why != "" {
		return usage.Unrated{Why: why, Do: do}
	}
	return usage.Unrated{
		Why: "their hosts do not say their processor",
		Do:  sayProcessors(c.Prometheus) + "; or set their watts in power.machines, or measure their hosts with power.measured",
	}
}
