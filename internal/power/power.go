// Package power turns CPU seconds into energy by the average power of machine types. It knows
// where an average may come from and which one wins; it must not know who used the energy.
// Start with Model.Energy.
package power

import "github.com/carbon-exporter/carbon_exporter/internal/usage"

// The sources of a rating, beside stored averages, which have their own.
const (
	SourceConfig  = "config"
	SourceDefault = "default"
)

// Model is the current average power. It is not changed once made.
type Model struct {
	Default usage.BusyIdle[usage.Watts]
	// Configured has the machine types of the configuration. They win.
	Configured map[string]usage.BusyIdle[usage.Watts]
	// Stored has the averages in the store. They win over the default.
	Stored map[string]usage.Rating
	// PUE multiplies energy: energy of the data centre divided by that of its machines; 1
	// counts the machines alone.
	PUE float64
}

// Rating returns the power of a machine type, and where it comes from.
func (m Model) Rating(machine string) usage.Rating {
	if w, ok := m.Configured[machine]; ok {
		return usage.Rating{Machine: machine, Watts: w, Source: SourceConfig}
	}
	if r, ok := m.Stored[machine]; ok {
		return r
	}
	return usage.Rating{Machine: machine, Watts: m.Default, Source: SourceDefault}
}

// Energy returns the energy of CPU time of a machine type: watts per core x core seconds x PUE.
// Busy and idle stay separate, because idle energy can be saved.
func (m Model) Energy(r usage.Rating, cpu usage.BusyIdle[usage.CPUSeconds]) usage.ByMode[usage.KWh] {
	return usage.ByMode[usage.KWh]{
		Busy: r.Watts.Busy.For(cpu.Busy) * usage.KWh(m.PUE),
		Idle: r.Watts.Idle.For(cpu.Idle) * usage.KWh(m.PUE),
	}
}
