// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// attended shows which hosts were there in the newest interval, booked or not.
type attended struct {
	hosts, cores, covers, refused, unlisted *prometheus.Desc
}

func newAttended() attended {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return attended{
		hosts: d("carbon_hosts",
			"Number of hosts known to have been there in the newest interval, by how well their CPU time is known: exact, interpolated (spread over a hole in the data), refused (their counters cannot be right, so nothing is booked).", "project", "state"),
		cores: d("carbon_cores",
			"Number of cores of all hosts known to have been there in the newest interval, booked or not. Absent where cores are not known.", "project"),
		covers: d("carbon_coverage_ratio",
			"CPU seconds of all modes seen in the newest interval, divided by cores x interval length of all hosts known to have been there. Below 1 if machines were up for only part of the interval, scrapes failed or hosts were refused.", "project"),
		refused: d("carbon_exporter_refused_hosts",
			"Number of hosts of the newest interval whose CPU time was refused, by reason. The log and carbontool explain name them.", "reason"),
		unlisted: d("carbon_exporter_unlisted_mode_ratio",
			"CPU time of the newest interval in a mode that is in none of busy_modes, idle_modes and other_modes, divided by all CPU time. Only modes with more than 1 % of it.", "mode"),
	}
}

func (a attended) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{a.hosts, a.cores, a.covers, a.refused, a.unlisted} {
		ch <- d
	}
}

func (a attended) collect(out emitter, newest *usage.Attended) {
	for project, cover := range newest.Coverage {
		if cover.Capacity > 0 {
			out.gauge(a.covers, float64(cover.Seen/cover.Capacity), project)
		}
	}
	known := newest.Attendance
	if known == nil {
		return // nobody counted, which is not 0
	}
	for project, p := range known.Present {
		hosts := known.Hosts(project)
		for _, state := range usage.HostStates() {
			out.gauge(a.hosts, float64(hosts[state]), project, string(state))
		}
		if p.Cores > 0 {
			out.gauge(a.cores, float64(p.Cores), project)
		}
	}
	refused := known.ByReason(usage.HostRefused)
	for _, reason := range usage.DoubtReasons() {
		out.gauge(a.refused, float64(refused[reason]), string(reason))
	}
	for mode, share := range known.Named() {
		out.gauge(a.unlisted, share, mode)
	}
}
