// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles

import (
	"maps"
	"slices"
)

// Gauge is a series that stands still, such as that of a meter, by pairs of a label and its value.
func Gauge(name string, v float64, pairs ...string) Series {
	return Series{Labels: labels(name, pairs...), Value: constant(v)}
}

// Counter is a series that grows steadily.
func Counter(name string, rate float64, pairs ...string) Series {
	return Series{Labels: labels(name, pairs...), Value: steady(rate)}
}

// While is a series that is there for some minutes after noon only.
func (s Series) While(from, to float64) Series {
	s.Shown = span(from, to)
	return s
}

// With is a site with more series, and what its configuration says of power.
func (s *Site) With(power string, more ...Series) *Site {
	s.Draws, s.Series = power, append(s.Series, more...)
	return s
}

// HostsOf are the values that a label of a metric has.
func (s *Site) HostsOf(metric, label string) []string {
	all := map[string]bool{}
	for _, series := range s.Series {
		if v := series.Labels[label]; series.Labels["__name__"] == metric && v != "" {
			all[v] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Half is half an hour, in hours.
const Half = 0.5
