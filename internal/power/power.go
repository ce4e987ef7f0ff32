// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package power turns CPU seconds into energy by the average power of machine types. It knows
// where an average may come from and which one wins; it must not know who used the energy.
// Start with Model.Energy, then Model.Rating.
package power

import "github.com/carbon-exporter/carbon_exporter/internal/usage"

// The sources of a rating, beside stored averages that were not learned, which have their own.
const (
	SourceCalibrated = usage.RatedCalibrated
	SourceConfig     = usage.RatedConfig
	SourceProcessor  = usage.RatedProcessor
	SourceDefault    = usage.RatedDefault
)

// Model is the current average power. It is not changed once made.
type Model struct {
	// Default is the power of a machine type of which nothing is known.
	Default usage.Rating
	// Configured has the machine types of the configuration.
	Configured map[string]usage.Rating
	// Stored has the averages in the store, of which those count first that were learned.
	Stored map[string]usage.Rating
	// Processor returns the power of a hardware thread of a model of processor; ok is false for a
	// model that it does not know. nil: processors do not count.
	Processor func(model string, threads int) (r usage.Rating, ok bool)
	// MemoryPerGiB is the power of memory, on top of the cores.
	MemoryPerGiB usage.Watts
}

// Rating returns the power of a machine type, and where it comes from. models are the processors
// of its hosts, as far as they are known.
func (m Model) Rating(machine string, models []usage.ModelShare) usage.Rating {
	stored, isStored := m.Stored[machine]
	if isStored && stored.Source == SourceCalibrated {
		return stored
	}
	if r, ok := m.Configured[machine]; ok {
		return r
	}
	if isStored {
		return stored
	}
	r, ok := m.mixture(models)
	if !ok {
		r = m.Default
		r.Source = SourceDefault
	}
	r.Machine = machine
	return r
}

// NeedsModels reports whether the power of a machine type depends on its processors.
func (m Model) NeedsModels(machine string) bool {
	_, isStored := m.Stored[machine]
	_, isConfigured := m.Configured[machine]
	return m.Processor != nil && !isStored && !isConfigured
}

// Energy returns the energy of CPU time, without PUE: watts per core x core seconds. Busy and idle
// stay separate, because idle energy can be saved.
func (m Model) Energy(r usage.Rating, cpu usage.BusyIdle[usage.CPUSeconds]) usage.BusyIdle[usage.KWh] {
	return usage.BusyIdle[usage.KWh]{Busy: r.Watts.Busy.For(cpu.Busy), Idle: r.Watts.Idle.For(cpu.Idle)}
}

// Memory returns the energy of memory, without PUE.
func (m Model) Memory(held usage.GiBSeconds) usage.KWh {
	return m.MemoryPerGiB.For(usage.CPUSeconds(held))
}
