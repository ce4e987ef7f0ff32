// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles

import (
	"maps"
	"slices"
	"time"
)

// Recorded is a cloud with node_exporter of which a Prometheus keeps only what recording rules
// add up: the modes of each host, and how many cores it has.
func Recorded() *Site {
	node := NodeExporter()
	site := &Site{Profile: "recorded", Work: node.Work}
	sums := map[string]*Series{}
	parts := map[string][]func(time.Duration) float64{}
	cores := map[string]map[string]bool{}
	for _, s := range node.Series {
		core := s.Labels["cpu"]
		l := maps.Clone(s.Labels)
		delete(l, "cpu")
		delete(l, "job")
		l["__name__"] = "carbon:cpu_seconds:sum"
		id := l["instance"] + " " + l["mode"]
		if sums[id] == nil {
			sums[id] = &Series{Labels: l, Shown: s.Shown, Value: func(at time.Duration) (sum float64) {
				for _, part := range parts[id] {
					sum += part(at)
				}
				return sum
			}}
		}
		parts[id] = append(parts[id], s.Value)
		if cores[l["instance"]] == nil {
			cores[l["instance"]] = map[string]bool{}
		}
		cores[l["instance"]][core] = true
	}
	for _, id := range slices.Sorted(maps.Keys(sums)) {
		s := sums[id]
		site.Series = append(site.Series, *s)
		if s.Labels["mode"] == "idle" {
			l := maps.Clone(s.Labels)
			delete(l, "mode")
			l["__name__"] = "carbon:cpu_cores:count"
			site.Series = append(site.Series, Series{Labels: l, Shown: s.Shown, Value: constant(float64(len(cores[l["instance"]])))})
		}
	}
	return site
}
