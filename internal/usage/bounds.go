// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"maps"
	"slices"
)

// EnergyBounds is what energy is between two times in three.
type EnergyBounds struct{ Low, High KWh }

// nearlyAll is a share that equals 1 except for rounding.
const nearlyAll = 1 - 1e-9

// Around returns the bounds of energy with this margin. Energy of which the margin is unknown
// counts as exact; the result is false if that is all of it.
func (d Margin) Around(energy KWh) (b EnergyBounds, known bool) {
	return EnergyBounds{Low: max(0, energy-d.Down), High: energy + d.Up}, energy > 0 && d.Unknown.Total() < energy*nearlyAll
}

// MarginSums adds up margins by machine type, exactly. Errors of one type go in the same
// direction.
type MarginSums map[string]*marginSum

type marginSum struct{ down, up Sum }

// Add adds how far energy of a machine type may be off.
func (m MarginSums) Add(machine string, down, up KWh) {
	if m[machine] == nil {
		m[machine] = &marginSum{}
	}
	m[machine].down.Add(float64(down))
	m[machine].up.Add(float64(up))
}

// ByType returns the margins by machine type; what is unknown is not in them.
func (m MarginSums) ByType() map[string]Margin {
	types := make(map[string]Margin, len(m))
	for machine, s := range m {
		types[machine] = Margin{Down: KWh(s.down.Float64()), Up: KWh(s.up.Float64())}
	}
	return types
}

// AcrossTypes is Across, of margins by machine type. It adds in order of the names, so that it
// comes out the same to the last bit.
func AcrossTypes(types map[string]Margin) Margin {
	all := make([]Margin, 0, len(types))
	for _, machine := range slices.Sorted(maps.Keys(types)) {
		all = append(all, types[machine])
	}
	return Across(all)
}

// BoundsOf returns the bounds of the energy of each project, as far as they are known, and of the
// whole site; nil: not known. Errors cancel out in part, so the bounds of projects do not add up
// to those of the site.
func BoundsOf(totals []Total) (projects map[string]EnergyBounds, site *EnergyBounds) {
	whole := newInDoubt()
	byProject := map[string]*inDoubt{}
	for _, t := range totals {
		of := byProject[t.Project]
		if of == nil {
			of = newInDoubt()
			byProject[t.Project] = of
		}
		of.add(t)
		whole.add(t)
	}
	projects = map[string]EnergyBounds{}
	for project, of := range byProject {
		if b, known := of.bounds(); known {
			projects[project] = b
		}
	}
	if b, known := whole.bounds(); known {
		site = &b
	}
	return projects, site
}

// inDoubt adds up energy and how far it may be off.
type inDoubt struct {
	energy    ByModeSum[KWh]
	undoubted Sum
	margins   MarginSums
}

func newInDoubt() *inDoubt { return &inDoubt{margins: MarginSums{}} }

func (b *inDoubt) add(t Total) {
	b.energy.Add(t.Energy)
	b.undoubted.Add(float64(t.Undoubted))
	b.margins.Add(t.Machine, t.Down, t.Up)
}

func (b *inDoubt) bounds() (EnergyBounds, bool) {
	margin := AcrossTypes(b.margins.ByType())
	margin.Unknown.Busy = KWh(b.undoubted.Float64()) // of whichever mode
	return margin.Around(b.energy.Total())
}
