// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// gathered are loads with something in common, added up. Sums are exact, so the order of the
// loads, which is the server's, does not matter.
type gathered struct {
	cpu     usage.BusyIdleSum[usage.CPUSeconds]
	metered *metered                   // nil: none was measured
	memory  *usage.Sum                 // GiB x seconds; nil: not asked for
	devices map[string]*measuredEnergy // by name
}

type metered struct {
	cpu    usage.BusyIdleSum[usage.CPUSeconds]
	energy usage.BusyIdleSum[usage.KWh]
	meters measuredEnergy
}

// measuredEnergy is energy of meters, with their error.
type measuredEnergy struct{ energy, margin, unknown usage.Sum }

func (m *measuredEnergy) add(energy usage.KWh, err *float64) {
	m.energy.Add(float64(energy))
	if err == nil {
		m.unknown.Add(float64(energy))
		return
	}
	m.margin.Add(float64(energy) * *err)
}

// error is that of all of it; unknown if that of any is.
func (m *measuredEnergy) error() *float64 {
	energy := m.energy.Float64()
	if energy == 0 || m.unknown != (usage.Sum{}) {
		return nil
	}
	return new(m.margin.Float64() / energy)
}

// gather adds up loads by a common key, in the order in which the keys first appear.
func gather[K comparable](all []load, by func(*load) K) ([]K, []gathered) {
	at := make(map[K]int, len(all)) // most loads have a key of their own
	keys := make([]K, 0, len(all))
	sums := make([]gathered, 0, len(all))
	for i := range all {
		l := &all[i]
		k := by(l)
		n, ok := at[k]
		if !ok {
			n = len(sums)
			at[k] = n
			keys, sums = append(keys, k), append(sums, gathered{})
		}
		sums[n].add(l)
	}
	return keys, sums
}

func (g *gathered) add(l *load) {
	g.cpu.Add(l.CPU)
	b := l.beside
	if b == nil {
		return
	}
	if m := b.Metered; m.CPU != (usage.BusyIdle[usage.CPUSeconds]{}) || m.Energy != (usage.BusyIdle[usage.KWh]{}) {
		if g.metered == nil {
			g.metered = &metered{}
		}
		g.metered.cpu.Add(m.CPU)
		g.metered.energy.Add(m.Energy)
		g.metered.meters.add(m.Energy.Total(), m.Error)
	}
	if b.Memory != 0 {
		if g.memory == nil {
			g.memory = &usage.Sum{}
		}
		g.memory.Add(float64(b.Memory))
	}
	for _, d := range b.Devices {
		if g.devices == nil {
			g.devices = map[string]*measuredEnergy{}
		}
		if g.devices[d.Name] == nil {
			g.devices[d.Name] = &measuredEnergy{}
		}
		g.devices[d.Name].add(d.Energy, d.Error)
	}
}

// beside is what was gathered beside CPU time x average power, with PUE; nil: nothing.
func (g *gathered) beside(power Power, pue float64) *usage.Beside {
	if g.metered == nil && g.memory == nil && g.devices == nil {
		return nil
	}
	b := &usage.Beside{}
	if m := g.metered; m != nil {
		b.Metered = usage.Metered{CPU: m.cpu.BusyIdle(), Energy: m.energy.BusyIdle().Times(pue), Error: m.meters.error()}
	}
	if g.memory != nil {
		b.Memory = usage.GiBSeconds(g.memory.Float64())
		b.MemoryEnergy = power.Memory(b.Memory) * usage.KWh(pue)
	}
	for _, name := range slices.Sorted(maps.Keys(g.devices)) {
		d := g.devices[name]
		b.Devices = append(b.Devices, usage.DeviceEnergy{Name: name, Energy: usage.KWh(d.energy.Float64() * pue), Error: d.error()})
	}
	return b
}

// energyOf is the energy of CPU time of one machine type: that of hosts with a meter as measured,
// the rest by the model, with memory and devices. What is beside includes PUE already.
func energyOf(power Power, rating usage.Rating, cpu usage.BusyIdle[usage.CPUSeconds], beside *usage.Beside, pue float64) usage.ByMode[usage.KWh] {
	if beside == nil {
		e := power.Energy(rating, cpu).Times(pue)
		return usage.ByMode[usage.KWh]{Busy: e.Busy, Idle: e.Idle}
	}
	modelled := usage.BusyIdle[usage.CPUSeconds]{
		Busy: max(cpu.Busy-beside.Metered.CPU.Busy, 0), Idle: max(cpu.Idle-beside.Metered.CPU.Idle, 0),
	}
	e := power.Energy(rating, modelled).Times(pue).Plus(beside.Metered.Energy)
	all := usage.ByMode[usage.KWh]{Busy: e.Busy, Idle: e.Idle + beside.MemoryEnergy}
	for _, d := range beside.Devices {
		all.Measured += d.Energy
	}
	return all
}

// factsOf are the facts of a piece.
func factsOf(power Power, all []load, piece time.Time, rating func(machine string) usage.Rating, pue float64) []usage.Fact {
	keys, sums := gather(all, func(l *load) usage.Key { return l.Key })
	facts := make([]usage.Fact, len(keys))
	for i, k := range keys {
		f := usage.Fact{Key: k, Start: piece, CPU: sums[i].cpu.BusyIdle(), Beside: sums[i].beside(power, pue)}
		f.Energy = energyOf(power, rating(k.Machine), f.CPU, f.Beside, pue)
		facts[i] = f
	}
	return facts
}

// hostsIn is the usage of each host and the end of its stretch. Series without a host are left
// out.
func hostsIn(power Power, all []load, piece time.Time, rating func(machine string) usage.Rating, pue float64) []usage.HostFact {
	all = slices.DeleteFunc(slices.Clone(all), func(l load) bool { return l.Series.Host == usage.Unknown })
	type stretch struct {
		host, machine string
		until         time.Time
	}
	keys, sums := gather(all, func(l *load) stretch { return stretch{l.Series.Host, l.Key.Machine, l.To} })
	hosts := make([]usage.HostFact, len(keys))
	for i, k := range keys {
		h := usage.HostFact{
			Host: k.host, Machine: k.machine, Start: piece, Until: k.until,
			CPU: sums[i].cpu.BusyIdle(), Beside: sums[i].beside(power, pue),
		}
		h.Energy = energyOf(power, rating(k.machine), h.CPU, h.Beside, pue)
		hosts[i] = h
	}
	return hosts
}
