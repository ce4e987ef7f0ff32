// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"maps"
	"strings"
)

var drifted = check{Prometheus, "drift"}

// Drift is about labels of machines that are there now, and were others in the last day.
func Drift(all []Machine, names Names) []Finding {
	byHost := map[string][]Machine{}
	for _, s := range all {
		byHost[s.Host] = append(byHost[s.Host], s)
	}
	var findings []Finding
	for _, p := range names.parts() {
		if !p.shared { // those who have shares come and go
			findings = append(findings, driftOf(byHost, p)...)
		}
	}
	if len(findings) == 0 {
		return []Finding{drifted.ok("no machine has changed its labels in the last day")}
	}
	return findings
}

func driftOf(byHost map[string][]Machine, p part) []Finding {
	var lost, twice, changed []string
	somebody := false // has it now
	for host, sets := range byHost {
		now, before := map[string]bool{}, map[string]bool{}
		for _, s := range sets {
			if s.Now {
				now[p.of(s.Series)] = true
			}
			before[p.of(s.Series)] = true
		}
		delete(before, "")
		named := maps.Clone(now)
		delete(named, "")
		somebody = somebody || len(named) > 0
		switch {
		case len(now) == 0: // it is gone
		case len(named) == 0 && len(before) > 0:
			lost = append(lost, host)
		case len(named) > 1:
			twice = append(twice, host)
		case len(before) > 1:
			changed = append(changed, host)
		}
	}
	var findings []Finding
	if len(lost) > 0 && (p.wants || !somebody) { // a machine may go back to where it has no user
		findings = append(findings, drifted.warn("see what changed in the scrape configuration, the service discovery or the exporter",
			"%s had the label %s within the last day and have lost it: %s", many(len(lost), "machine"), p.name, some(lost)))
	}
	if len(twice) > 0 && p.wants {
		findings = append(findings, drifted.warn("narrow prometheus.matchers to one job, or correct the labels: usage is split between the values",
			"%s have several values of %s at once: %s", many(len(twice), "machine"), p.name, some(twice)))
	}
	if len(changed) > 0 && p.wants {
		findings = append(findings, drifted.warn("nothing, if they were moved or their names given to other machines: usage follows the label of its time",
			"%s had another value of %s within the last day: %s", many(len(changed), "machine"), p.name, some(changed)))
	}
	return findings
}

var honor = check{Prometheus, "honor_labels"}

// Renamed is about our own metrics on the server: the labels of ours that it has renamed.
func Renamed(labels []string, ours bool) Finding {
	switch {
	case len(labels) > 0:
		return honor.warn("set honor_labels: true in the scrape job of carbon_exporter: dashboards and rules want our labels",
			"the server has our metrics with exported_%s: the target has labels of that name, which hide ours", strings.Join(labels, ", exported_"))
	case !ours:
		return honor.ok("the server does not have the metrics of carbon_exporter, or not yet")
	}
	return honor.ok("the server has our metrics with our labels")
}
