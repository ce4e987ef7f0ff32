// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Embodied are emissions of making the machines: rate x core hours, whether busy or idle. They are
// in no other number.
type Embodied struct {
	Rate      float64 `json:"gco2eq_per_core_hour"`
	CoreHours float64 `json:"core_hours"`
	Emissions float64 `json:"gco2eq"`
}

// embodiedOf returns what is embodied in CPU time of a machine type; nil: its hardware is not known.
func embodiedOf(k Known, machine string, cpu usage.CPUSeconds) *Embodied {
	rate, ok := k.Embodied[machine]
	if !ok {
		return nil
	}
	return &Embodied{Rate: float64(rate), CoreHours: float64(cpu) / time.Hour.Seconds(), Emissions: float64(rate.Of(cpu))}
}

// embodiedIn adds up what is embodied in usage; nil unless it is known of all of it.
func embodiedIn(all []Usage) *float64 {
	var sum usage.Sum
	for _, u := range all {
		if u.Embodied == nil {
			return nil
		}
		sum.Add(u.Embodied.Emissions)
	}
	return new(sum.Float64())
}

// writeEmbodied says for each machine type where its rate is from. A site without any of it reads
// nothing of it.
func (e *Explanation) writeEmbodied(w *writer) {
	if !slices.ContainsFunc(e.Usage, func(u Usage) bool { return u.Embodied != nil }) {
		return
	}
	said := map[string]bool{}
	for _, u := range e.Usage {
		if said[u.Machine] {
			continue
		}
		said[u.Machine] = true
		switch b := u.Embodied; {
		case b == nil:
			w.line("  machine type %s: embodied emissions unknown; its hardware is not in the configuration", named(u.Machine))
		case b.Rate == 0:
			w.line("  machine type %s: 0 g embodied for each core and hour; source: configuration; outside its years of use, or known to be nothing", named(u.Machine))
		default:
			w.line("  machine type %s: %s g embodied for each core and hour; source: configuration, kgco2eq / years / cores", named(u.Machine), exact(b.Rate))
		}
	}
}

func (u Usage) writeEmbodied(w *writer) {
	if b := u.Embodied; b != nil {
		w.line("    %s  embodied: %s g for each core and hour x %s core hours = %s g", u.Piece, exact(b.Rate), exact(b.CoreHours), exact(b.Emissions))
	}
}
