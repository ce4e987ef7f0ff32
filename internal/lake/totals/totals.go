// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package totals adds up rows of facts by site, project, machine type, user or group, exactly: the
// rows of whole days give the numbers that the store they are from gives for these days. It knows
// rows and the vocabulary; it must not know where they are from. Start with Book.
package totals

import (
	"cmp"
	"maps"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// BySite is a scope of lakes alone, whose members are the sites.
const BySite usage.Scope = usage.Site

// Book adds up rows. Make one with New.
type Book struct {
	scope   usage.Scope
	members map[string]*sums
	prices  map[usage.PriceUsed]*usage.Sum
	power   map[usage.PowerUsed]*usage.Sum
}

// New returns a book of the members of a scope.
func New(scope usage.Scope) *Book {
	return &Book{scope, map[string]*sums{}, map[usage.PriceUsed]*usage.Sum{}, map[usage.PowerUsed]*usage.Sum{}}
}

// sums are what a member used.
type sums struct {
	cpu                         usage.BusyIdleSum[usage.CPUSeconds]
	energy                      usage.ByModeSum[usage.KWh]
	emissions                   usage.ByModeSum[usage.Grams]
	unpriced, forecast, nobodys usage.ByModeSum[usage.KWh]
	embodied, hardware          usage.Sum
	priced                      bool
}

// Add adds a row of a site.
func (b *Book) Add(site string, f lake.Fact) {
	name := site
	if b.scope != BySite {
		name = b.scope.Member(usage.Key{Project: f.Project, Machine: f.Machine, User: f.User, Group: f.Group})
	}
	m := b.members[name]
	if m == nil {
		m = &sums{}
		b.members[name] = m
	}
	energy := usage.ByMode[usage.KWh]{Busy: usage.KWh(f.BusyKWh), Idle: usage.KWh(f.IdleKWh), Measured: usage.KWh(f.MeasuredKWh)}
	m.cpu.Add(usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(f.BusyCPUSeconds), Idle: usage.CPUSeconds(f.IdleCPUSeconds)})
	m.energy.Add(energy)
	if f.User == usage.Unattributed {
		m.nobodys.Add(energy)
	}
	if f.EmbodiedGrams != nil {
		m.embodied.Add(*f.EmbodiedGrams)
		m.hardware.Add(f.BusyCPUSeconds)
		m.hardware.Add(f.IdleCPUSeconds)
	}
	b.addPower(f)
	if f.BusyGrams == nil || f.IdleGrams == nil {
		m.unpriced.Add(energy)
		return
	}
	m.priced = true
	grams := usage.ByMode[usage.Grams]{Busy: usage.Grams(*f.BusyGrams), Idle: usage.Grams(*f.IdleGrams)}
	if f.MeasuredGrams != nil {
		grams.Measured = usage.Grams(*f.MeasuredGrams)
	}
	m.emissions.Add(grams)
	if usage.Kind(said(f.Kind)) == usage.Forecast {
		m.forecast.Add(energy)
	}
	add(b.prices, usage.PriceUsed{
		GridName: usage.GridName{Provider: said(f.Provider), Grid: said(f.Grid)},
		Basis:    usage.BasisOf(said(f.Basis)), Quality: usage.Quality(said(f.Quality)),
	}, float64(energy.Total()))
}

// addPower divides the energy of a row by where its power is from.
func (b *Book) addPower(f lake.Fact) {
	source := func(name string) usage.PowerUsed { return usage.PowerUsed{Machine: f.Machine, Source: name} }
	metered := f.MeteredBusyKWh + f.MeteredIdleKWh
	add(b.power, source(usage.PowerMeasured), metered)
	add(b.power, source(usage.PowerDevices), f.MeasuredKWh)
	if f.PowerSource != nil {
		add(b.power, source(*f.PowerSource), f.BusyKWh+f.IdleKWh-metered)
	}
}

func add[K comparable](to map[K]*usage.Sum, key K, v float64) {
	if to[key] == nil {
		to[key] = &usage.Sum{}
	}
	to[key].Add(v)
}

func said(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// Tallies are the members, by name. How far the energy may be off is not in the rows: all of it is
// of unknown error.
func (b *Book) Tallies() []usage.Tally {
	all := make([]usage.Tally, 0, len(b.members))
	for _, name := range slices.Sorted(maps.Keys(b.members)) {
		m := b.members[name]
		all = append(all, usage.Tally{
			Name: name, CPU: m.cpu.BusyIdle(), Energy: m.energy.ByMode(), Emissions: m.emissions.ByMode(), Priced: m.priced,
			Unpriced: m.unpriced.Total(), Forecast: m.forecast.Total(), Unattributed: m.nobodys.Total(), Undoubted: m.energy.Total(),
			Embodied: usage.Grams(m.embodied.Float64()), Hardware: usage.CPUSeconds(m.hardware.Float64()),
		})
	}
	return all
}

// Prices are what priced the energy.
func (b *Book) Prices() []usage.PriceUsed {
	all := make([]usage.PriceUsed, 0, len(b.prices))
	for p, energy := range b.prices {
		p.Energy = usage.KWh(energy.Float64())
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b usage.PriceUsed) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Grid, b.Grid), cmp.Compare(a.Basis.Name(), b.Basis.Name()), cmp.Compare(a.Quality, b.Quality))
	})
	return all
}

// Power is where the power came from, most energy first.
func (b *Book) Power() []usage.PowerUsed {
	all := make([]usage.PowerUsed, 0, len(b.power))
	for p, energy := range b.power {
		if p.Energy = usage.KWh(energy.Float64()); p.Energy > 0 {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b usage.PowerUsed) int {
		return cmp.Or(cmp.Compare(b.Energy, a.Energy), cmp.Compare(a.Machine, b.Machine), cmp.Compare(a.Source, b.Source))
	})
	return all
}
