// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import "github.com/carbon-exporter/carbon_exporter/internal/usage"

// Adder adds up rows exactly, so that their order does not matter. The zero Adder is ready.
type Adder struct {
	facts   amounts
	members map[string]*amounts
}

// Fact adds a row of facts.
func (a *Adder) Fact(f Fact) {
	a.facts.add(f.BusyCPUSeconds, f.IdleCPUSeconds, f.BusyKWh, f.IdleKWh, f.MeasuredKWh)
	a.facts.price(f.BusyGrams, f.IdleGrams, f.MeasuredGrams)
	a.facts.embodied.addKnown(f.EmbodiedGrams)
}

// Member adds a row of members.
func (a *Adder) Member(m Member) {
	if a.members == nil {
		a.members = map[string]*amounts{}
	}
	scope := a.members[m.Scope]
	if scope == nil {
		scope = &amounts{}
		a.members[m.Scope] = scope
	}
	scope.add(m.BusyCPUSeconds, m.IdleCPUSeconds, m.BusyKWh, m.IdleKWh, m.MeasuredKWh)
	scope.price(m.BusyGrams, m.IdleGrams, m.MeasuredGrams)
}

// Sums returns what was added.
func (a *Adder) Sums() Sums {
	s := Sums{Facts: a.facts.sums(), Members: map[string]Amounts{}}
	for scope, m := range a.members {
		s.Members[scope] = m.sums()
	}
	return s
}

// amounts are Amounts that are being added up.
type amounts struct {
	known                                         [5]usage.Sum
	busyGrams, idleGrams, measuredGrams, embodied mayBe
}

func (a *amounts) add(values ...float64) {
	for i, v := range values {
		a.known[i].Add(v)
	}
}

func (a *amounts) price(busy, idle, measured *float64) {
	a.busyGrams.addKnown(busy)
	a.idleGrams.addKnown(idle)
	a.measuredGrams.addKnown(measured)
}

func (a *amounts) sums() Amounts {
	return Amounts{
		BusyCPUSeconds: a.known[0].Float64(), IdleCPUSeconds: a.known[1].Float64(),
		BusyKWh: a.known[2].Float64(), IdleKWh: a.known[3].Float64(), MeasuredKWh: a.known[4].Float64(),
		BusyGrams: a.busyGrams.value(), IdleGrams: a.idleGrams.value(), MeasuredGrams: a.measuredGrams.value(),
		EmbodiedGrams: a.embodied.value(),
	}
}

// mayBe is a sum of values of which each may be unknown.
type mayBe struct {
	sum usage.Sum
	any bool
}

func (m *mayBe) addKnown(v *float64) {
	if v != nil {
		m.sum.Add(*v)
		m.any = true
	}
}

func (m *mayBe) value() *float64 {
	if !m.any {
		return nil
	}
	return new(m.sum.Float64())
}
