// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func (e *Explanation) writeUsage(w *writer) {
	if len(e.Usage) > 0 {
		w.section("CPU seconds x watts / 3600000 x PUE = kWh; kWh x gCO2eq/kWh = gCO2eq")
	}
	var last usage.Key
	for n, u := range e.Usage {
		if k := u.key(); n == 0 || k != last {
			w.line("  machine type %s, user %s, group %s", named(u.Machine), named(u.User), named(u.Group))
			last = k
		}
		busy, idle := u.terms()
		w.line("    %s  busy  %s", u.Piece, u.steps(busy))
		w.line("    %s  idle  %s", u.Piece, u.steps(idle))
		u.writeBeside(w)
		u.writeEmbodied(w)
	}
	t := e.Total
	if t == nil {
		return
	}
	devices := func(v *float64) string { // most sites have none
		if t.MeasuredEnergy == 0 {
			return ""
		}
		return ", measured " + exact(*v)
	}
	grams := "gCO2eq unknown yet"
	if t.Emissions != nil {
		grams = fmt.Sprintf("%s gCO2eq (busy %s, idle %s%s)", exact(*t.Emissions), exact(*t.BusyEmissions), exact(*t.IdleEmissions), devices(t.MeasuredEmissions))
	}
	w.section("Total: %s s busy, %s s idle; %s kWh (busy %s, idle %s%s); %s",
		exact(t.BusyCPU), exact(t.IdleCPU), exact(t.Energy), exact(t.BusyEnergy), exact(t.IdleEnergy), devices(&t.MeasuredEnergy), grams)
	if t.Embodied != nil {
		w.line("  embodied: %s gCO2eq beside it", exact(*t.Embodied))
	}
}

// steps returns the two multiplications for one mode.
func (u Usage) steps(s term) string {
	energy := fmt.Sprintf("%s s x %s W / 3600000 x %s%s = %s kWh", exact(s.modelled()), maybe(s.Watts), exact(u.PUE), s.added(), exact(s.Energy))
	if u.Intensity == nil {
		return energy + "; no carbon intensity yet"
	}
	return energy + fmt.Sprintf("; x %s = %s g", exact(*u.Intensity), exact(*s.Emissions))
}
