// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "cmp"

// FactorSet is the sources of other factors for the same energy, in order of preference. What they
// make of it is never added to emissions by other sources.
type FactorSet struct {
	Name    string
	Sources []GridName
}

// FactorTally is what some energy emitted by the factors of one set.
type FactorTally struct {
	Energy    KWh   // that has a factor
	Emissions Grams // of that energy
	Known     bool  // whether any has a factor; if not, Emissions is unknown
}

// FactorTotal is all that a group used in a project, by the factors of one set.
type FactorTotal struct {
	Factors, Project, Group string
	FactorTally
}

// Compare orders totals by set, project and group.
func (t FactorTotal) Compare(o FactorTotal) int {
	return cmp.Or(cmp.Compare(t.Factors, o.Factors), cmp.Compare(t.Project, o.Project), cmp.Compare(t.Group, o.Group))
}

// FactorTotals are all that sets of factors say of a site.
type FactorTotals struct {
	Totals []FactorTotal
	// Unpriced is energy without a factor, by set.
	Unpriced map[string]KWh
}

// FactorsCounted is how far adding up has come.
type FactorsCounted struct {
	Days    int // that were added up
	Changed int // of those, days with another result than before
	More    bool
}

// FactorSum adds up what energy emitted by the factors of one set, exactly. Order does not matter.
type FactorSum struct {
	energy, emissions Sum
	known             bool
}

// Add adds energy with a factor.
func (s *FactorSum) Add(energy ByMode[KWh], factor GramsPerKWh) {
	s.known = true
	grams := EmissionsAt(energy, factor)
	for _, mode := range [...]struct {
		energy    KWh
		emissions Grams
	}{{energy.Busy, grams.Busy}, {energy.Idle, grams.Idle}, {energy.Measured, grams.Measured}} {
		s.energy.Add(float64(mode.energy))
		s.emissions.Add(float64(mode.emissions))
	}
}

// AddTally adds what was added up before.
func (s *FactorSum) AddTally(t FactorTally) {
	s.known = s.known || t.Known
	s.energy.Add(float64(t.Energy))
	s.emissions.Add(float64(t.Emissions))
}

// AddSum adds another sum.
func (s *FactorSum) AddSum(o FactorSum) {
	s.known = s.known || o.known
	s.energy.AddSum(o.energy)
	s.emissions.AddSum(o.emissions)
}

// Tally returns the sum.
func (s *FactorSum) Tally() FactorTally {
	return FactorTally{Energy: KWh(s.energy.Float64()), Emissions: Grams(s.emissions.Float64()), Known: s.known}
}
