// Package power turns CPU seconds into energy by the average power of machine
// types. It knows where an average may come from and which one wins; it must
// not know who used the energy. Start with Model.Energy.
package power

import "github.com/carbon-exporter/carbon_exporter/internal/usage"

// Sources of a rating that are not stored averages, which bring their own.
const (
	SourceConfig  = "config"
	SourceDefault = "default"
)

// Model holds the power in force. It is not changed once made.
type Model struct {
	Default usage.BusyIdle[usage.Watts]
	// Configured are the machine types the operator has written down. They win.
	Configured map[string]usage.BusyIdle[usage.Watts]
	// Stored are averages kept in the store. They win over the default.
	Stored map[string]usage.Rating
	// PUE multiplies energy: what the data centre draws over what its machines
	// draw; 1 counts the machines alone.
	PUE float64
}

// Rating is the power in force for a machine type, and where it is from.
func (m Model) Rating(machine string) usage.Rating {
	if w, ok := m.Configured[machine]; ok {
		return usage.Rating{Machine: machine, Watts: w, Source: SourceConfig}
	}
	if r, ok := m.Stored[machine]; ok {
		return r
	}
	return usage.Rating{Machine: machine, Watts: m.Default, Source: SourceDefault}
}

// Energy is what CPU time of a machine type draws: watts per core x core
// seconds x PUE. Busy and idle are kept apart, for idle energy can be saved.
func (m Model) Energy(r usage.Rating, cpu usage.BusyIdle[usage.CPUSeconds]) usage.BusyIdle[usage.KWh] {
	return usage.BusyIdle[usage.KWh]{
		Busy: r.Watts.Busy.For(cpu.Busy) * usage.KWh(m.PUE),
		Idle: r.Watts.Idle.For(cpu.Idle) * usage.KWh(m.PUE),
	}
}
