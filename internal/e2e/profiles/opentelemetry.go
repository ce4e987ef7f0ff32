// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles

import (
	"fmt"
	"strings"
	"time"
)

// OpenTelemetry is a site whose machines send host metrics to Prometheus, which keeps their
// names as they are and puts some attributes of each machine on its series.
func OpenTelemetry() *Site {
	return otelSite("system.cpu.time", "host.name", "cpu", "state", "wait", func(k Key) []string {
		return []string{"cloud.account.id", k.Project, "host.type", k.Machine, "user", k.User}
	})
}

// OpenTelemetryUnderscores is the same where Prometheus translates names as it does by default.
func OpenTelemetryUnderscores() *Site {
	site := otelSite("system_cpu_time_seconds_total", "host_name", "cpu", "state", "wait", func(k Key) []string {
		return []string{"cloud_account_id", k.Project, "host_type", k.Machine, "user", k.User}
	})
	site.Section = "metric: system_cpu_time_seconds_total\nlabels: {project: cloud_account_id, machine: host_type, host: host_name}"
	return site
}

// OpenTelemetrySuffixes keeps dots and adds unit and type, as one of Prometheus' strategies does.
func OpenTelemetrySuffixes() *Site {
	site := OpenTelemetry()
	for i := range site.Series {
		site.Series[i].Labels["__name__"] = "system.cpu.time_seconds_total"
	}
	site.Section = "metric: system.cpu.time_seconds_total"
	return site
}

// OpenTelemetryModes has the names of newer conventions.
func OpenTelemetryModes() *Site {
	site := otelSite("system.cpu.time", "host.name", "cpu.logical_number", "cpu.mode", "iowait", func(k Key) []string {
		return []string{"cloud.account.id", k.Project, "host.type", k.Machine, "user", k.User}
	})
	site.Section = `labels: {cpu: cpu.logical_number, mode: cpu.mode}
busy_modes: [user, nice, system, interrupt, kernel]
idle_modes: [idle, iowait]`
	return site
}

// OpenTelemetryTargets has nothing but job and instance on its series: target_info says more.
func OpenTelemetryTargets() *Site {
	site := otelSite("system_cpu_time_seconds_total", "instance", "cpu", "state", "wait", func(Key) []string { return nil })
	for _, m := range otelMachines() {
		site.Series = append(site.Series, Series{
			Labels: labels("target_info", "job", "otel/hostmetrics", "instance", m.name, "host_name", m.name, "os_type", "linux", "cloud_account_id", m.key.Project, "host_type", m.key.Machine, "enduser_id", m.key.User),
			Silent: true, Value: constant(1),
		})
	}
	site.Section = `metric: system_cpu_time_seconds_total
labels: {project: project, machine: machine, host: instance, user: user}
info:
  - query: target_info
    labels: {project: cloud_account_id, machine: host_type, user: enduser_id}`
	return site
}

func otelMachines() []machine {
	one := func(name string, k Key, cores int, user float64) machine {
		return machine{name: name, key: k, cores: cores, modes: map[string]float64{
			"user": user, "nice": 0, "system": 0.05, "interrupt": 0.002, "softirq": 0.008, "idle": 0.90 - user, "wait": 0.04, "steal": 0,
		}, busyModes: []string{"user", "nice", "system", "interrupt", "softirq"}}
	}
	return []machine{
		one("api-1", Key{"prod", "c5.xlarge", "ada"}, 4, 0.4),
		one("api-2", Key{"prod", "c5.xlarge", "bob"}, 4, 0.2),
		one("ml-1", Key{"research", "m5.2xlarge", ""}, 8, 0.75),
	}
}

func otelSite(metric, host, cpu, mode, wait string, of func(Key) []string) *Site {
	s := shape{metric: metric, host: host, cpu: cpu, mode: mode, silent: true, pairs: []string{"job", "otel/hostmetrics"}}
	s.core = func(n int) string { return fmt.Sprint("cpu", n) }
	if cpu != "cpu" {
		s.core = func(n int) string { return fmt.Sprint(n) }
	}
	machines := otelMachines()
	for i := range machines {
		modes := machines[i].modes
		idle := modes["wait"]
		delete(modes, "wait")
		modes[wait] = idle
		if strings.Contains(mode, "mode") { // the newer conventions have no softirq
			modes["interrupt"] += modes["softirq"]
			delete(modes, "softirq")
		}
	}
	site := computers("opentelemetry", s, of, machines...)
	site.Every = time.Minute // what the Collector pushes by default
	return site
}
