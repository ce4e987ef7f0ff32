// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package power

import "github.com/carbon-exporter/carbon_exporter/internal/usage"

// mixture is the power of the processors of a machine type, each by its share of the CPU time. A
// model that nobody knows has the default. Hosts that do not say what they have are taken to be
// like those that do. ok is false if no model is known.
//
// Bounds are added up like the power itself: in one machine room, servers with different
// processors mostly err in the same direction.
func (m Model) mixture(models []usage.ModelShare) (r usage.Rating, ok bool) {
	if m.Processor == nil {
		return r, false
	}
	said := 0.0
	var low, high usage.BusyIdle[usage.Watts]
	bounded := true
	for _, s := range models {
		if s.Model == "" {
			continue
		}
		one, known := m.Processor(s.Model, s.Threads)
		if !known {
			one = m.Default
		}
		ok = ok || known
		said += s.Share
		r.Watts = r.Watts.Plus(one.Watts.Times(s.Share))
		l, h, has := one.Bounds()
		bounded = bounded && has
		low, high = low.Plus(l.Times(s.Share)), high.Plus(h.Times(s.Share))
	}
	if !ok || said <= 0 {
		return usage.Rating{}, false
	}
	r.Source = SourceProcessor
	r.Watts = r.Watts.Times(1 / said)
	if bounded {
		r.Low, r.High = new(low.Times(1/said)), new(high.Times(1/said))
	}
	return r, true
}
