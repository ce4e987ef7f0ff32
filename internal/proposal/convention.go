// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package proposal

import (
	"fmt"
	"strings"
)

// convention writes what is different from the profile where an exporter has another name for
// its metric, or follows other conventions.
func (p *Proposal) convention(t *text) {
	e := &p.Exporter
	if p.defaults.Metric == "" || e.Metric == p.defaults.Metric && e.Mode == p.defaults.Mode {
		return
	}
	if e.Metric != p.defaults.Metric {
		t.line(1, "metric: %s", scalar(e.Metric))
	}
	if strings.HasPrefix(e.Metric, "incus_") {
		t.comment(1, "As the profile's, with the names of Incus.")
		t.line(1, "cores_query: %s", scalar(strings.ReplaceAll(p.defaults.CoresQuery, "lxd_", "incus_")))
	}
	if p.newerModes() {
		t.comment(1, "The modes of OpenTelemetry's newer conventions.")
		t.line(1, "busy_modes: [user, nice, system, interrupt, kernel]")
		t.line(1, "idle_modes: [idle, iowait]")
	}
}

// newerModes reports whether the label of the mode is OpenTelemetry's cpu.mode.
func (p *Proposal) newerModes() bool {
	return p.Exporter.Mode == "cpu.mode" || p.Exporter.Mode == "cpu_mode"
}

// coreLabels writes the labels of the core and the mode where they are not those of the profile.
func (p *Proposal) coreLabels(t *text) {
	if p.newerModes() {
		t.line(2, "cpu: %s", scalar(p.Exporter.CPU))
		t.line(2, "mode: %s", scalar(p.Exporter.Mode))
	}
}

// info writes the labels that another metric has for each machine.
func (p *Proposal) info(t *text) {
	metric, why, labels := "", []string{}, []string{}
	for _, part := range Parts() {
		if l := p.Exporter.Label(p.labels[part]); l != nil && l.Info != "" {
			metric = l.Info
			why = append(why, fmt.Sprintf("%s: label %s, %s", part, shown(l.Name), facts(p.Exporter, *l)))
			labels = append(labels, part.Key()+": "+scalar(l.Name))
		}
	}
	if metric == "" {
		return
	}
	t.line(1, "info:")
	for _, line := range why {
		t.comment(2, "%s", line)
	}
	t.line(2, "- query: %s", metric)
	t.line(2, "  labels: {%s}", strings.Join(labels, ", "))
}
