// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"cmp"
	"maps"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// load is the part of a series in a stretch of a piece, with what is known of it beside its CPU
// time. Its energies are without PUE.
type load struct {
	*usage.Part
	beside *usage.Beside // nil: nothing
}

// loads are the parts of a piece with what instruments measured of their hosts, and those of
// devices.
func loads(power Power, page Attribution, reading attributed, rating func(machine string) usage.Rating) []load {
	all := make([]load, len(reading.parts))
	for i := range reading.parts {
		all[i].Part = &reading.parts[i]
	}
	if in := reading.instruments; in == nil || len(in.Power) == 0 && len(in.Memory) == 0 && len(in.Devices) == 0 {
		return all // to find the loads of each host takes longer than all the rest
	}
	hosts := hostsOf(all)
	meterHosts(all, hosts, power, reading, rating)
	holdMemory(all, hosts, power, reading.instruments.Memory)
	return addDevices(all, hosts, page, reading)
}

// hosts finds the loads of a host, by their index.
type hosts = directory.ByHost[int]

func hostsOf(all []load) *hosts {
	var named []int
	for i := range all {
		if all[i].Series.Host != usage.Unknown {
			named = append(named, i)
		}
	}
	// Whatever order the server has them in, a division comes out the same to the last bit.
	slices.SortFunc(named, func(a, b int) int { return compareParts(all[a].Part, all[b].Part) })
	var h hosts
	for _, i := range named {
		h.Add(all[i].Series.Host, i)
	}
	return &h
}

func compareParts(a, b *usage.Part) int {
	return cmp.Or(a.Key.Compare(b.Key), compareSeries(a.Series, b.Series), a.From.Compare(b.From), a.To.Compare(b.To))
}

func compareSeries(a, b usage.Series) int {
	return slices.Compare([]string{a.Host, a.Project, a.Machine, a.User}, []string{b.Host, b.Project, b.Machine, b.User})
}

// meterHosts gives the loads of measured hosts the energy that was measured. It is split as the
// model has it: between busy and idle, and so between owners by their CPU time. Where a meter has
// a hole while the host was there, the model counts.
func meterHosts(all []load, hosts *hosts, power Power, reading attributed, rating func(machine string) usage.Rating) {
	meters, taken := reading.instruments.Power, map[int]bool{}
	for _, label := range preferred(meters) {
		m := meters[label]
		own := slices.DeleteFunc(slices.Clone(hosts.Of(label)), func(i int) bool { return taken[i] })
		if len(own) == 0 || m.Covered <= 0 {
			continue
		}
		model := func(i int) usage.BusyIdle[usage.KWh] {
			l := &all[i]
			energy := power.Energy(rating(l.Key.Machine), l.CPU)
			if energy.Total() == 0 { // a model without watts says nothing of how to split
				energy = usage.BusyIdle[usage.KWh]{Busy: usage.Watts(1).For(l.CPU.Busy), Idle: usage.Watts(1).For(l.CPU.Idle)}
			}
			return energy
		}
		var sum usage.BusyIdleSum[usage.KWh]
		for _, i := range own {
			sum.Add(model(i))
		}
		whole := sum.Total()
		if whole <= 0 {
			continue // it was there, and nobody had CPU time
		}
		covered := func(i int) float64 {
			if there := reading.There[all[i].Series.Host]; there > 0 {
				return min(m.Covered/there, 1)
			}
			return min(m.Covered, 1)
		}
		energy := max(m.Energy-included(reading.instruments.Devices, label, m.Includes)*usage.Joules(covered(own[0])), 0)
		for _, i := range own {
			taken[i] = true
			share := energy.KWh() / whole
			modelled := model(i)
			all[i].besides().Metered = usage.Metered{
				CPU:    all[i].CPU.Times(covered(i)),
				Energy: modelled.Times(float64(share)),
				Error:  m.Error,
			}
		}
	}
}

// included is the energy of devices of a host that its meter measures, too. They are a mode of their
// own, so it is not the host's as well.
func included(devices []usage.DeviceSample, label string, names []string) usage.Joules {
	if len(names) == 0 {
		return 0
	}
	var sum usage.Sum
	host := directory.HostName(label)
	for i := range devices {
		if d := &devices[i]; slices.Contains(names, d.Name) && directory.HostName(d.Host) == host {
			sum.Add(float64(d.Energy))
		}
	}
	return usage.Joules(sum.Float64())
}

// preferred are the labels of meters, those first that count for a host with several: the one that
// covers more, then the first of the configuration. Two exporters of a host have two labels.
func preferred(meters map[string]usage.Metering) []string {
	return slices.SortedFunc(maps.Keys(meters), func(a, b string) int {
		x, y := meters[a], meters[b]
		return cmp.Or(cmp.Compare(min(y.Covered, 1), min(x.Covered, 1)), cmp.Compare(x.Place, y.Place), cmp.Compare(a, b))
	})
}

// besides is what a load has beside, to be added to.
func (l *load) besides() *usage.Beside {
	if l.beside == nil {
		l.beside = &usage.Beside{}
	}
	return l.beside
}

// holdMemory divides the memory of a host between its owners by their CPU time, which busy and
// idle together is the time in which they had it. What a meter measured includes memory.
func holdMemory(all []load, hosts *hosts, power Power, memory map[string]usage.GiBSeconds) {
	taken := map[int]bool{}
	for _, label := range slices.Sorted(maps.Keys(memory)) {
		own := slices.DeleteFunc(slices.Clone(hosts.Of(label)), func(i int) bool { return taken[i] })
		var sum usage.BusyIdleSum[usage.CPUSeconds]
		for _, i := range own {
			sum.Add(all[i].CPU)
			taken[i] = true
		}
		whole := sum.Total()
		if whole <= 0 {
			continue
		}
		for _, i := range own {
			b := all[i].besides()
			modelled := all[i].CPU.Total() - b.Metered.CPU.Total()
			b.Memory = memory[label] * usage.GiBSeconds(modelled/whole)
			b.MemoryEnergy = power.Memory(b.Memory)
		}
	}
}

// addDevices adds the loads of devices: to those of their host, by CPU time; where a device says
// itself of which project it is, to those of that project; and where it names a user, or there is
// none of its project, to that owner.
func addDevices(all []load, hosts *hosts, page Attribution, reading attributed) []load {
	devices := slices.Clone(reading.instruments.Devices)
	slices.SortFunc(devices, func(a, b usage.DeviceSample) int {
		return cmp.Or(compareSeries(a.Series, b.Series), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Energy, b.Energy))
	})
	for _, d := range devices {
		own := hosts.Of(d.Host)
		theirs, whole := own, usage.CPUSeconds(0)
		if d.Project != usage.Unknown {
			theirs = slices.DeleteFunc(slices.Clone(own), func(i int) bool { return all[i].Series.Project != d.Project })
		}
		for _, i := range theirs {
			whole += all[i].CPU.Total()
		}
		if d.User == "" && whole > 0 {
			dealt := usage.KWh(0)
			for n, i := range theirs {
				energy := d.Energy.KWh() * usage.KWh(all[i].CPU.Total()/whole)
				if n == len(theirs)-1 {
					energy = d.Energy.KWh() - dealt // nothing is lost to rounding
				}
				dealt += energy
				all[i].device(d, energy)
			}
			continue
		}
		series := d.Series
		if len(own) > 0 {
			series = completed(series, all[own[0]].Series)
		}
		all = append(all, owned(page, reading.Piece, series, d)...)
	}
	return all
}

// device adds the energy of a device to a load.
func (l *load) device(d usage.DeviceSample, energy usage.KWh) {
	one := &usage.Beside{Devices: []usage.DeviceEnergy{{Name: d.Name, Energy: energy, Error: d.Error}}}
	l.beside = usage.Together(l.beside, one)
}

// completed fills what the labels of a device do not say from the series of its host.
func completed(device, host usage.Series) usage.Series {
	if device.Project == usage.Unknown {
		device.Project = host.Project
	}
	if device.Machine == usage.Unknown {
		device.Machine = host.Machine
	}
	device.Host = host.Host
	return device
}

// owned divides the energy of a device between the owners of its series. Attribution divides CPU
// time, so a second of it stands for the whole.
func owned(page Attribution, piece usage.Interval, series usage.Series, d usage.DeviceSample) []load {
	stand := usage.Reading{Piece: piece, Samples: []usage.Sample{{Series: series, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 1}}}}
	var all []load
	for _, p := range page.Parts(stand, nil) {
		share := usage.KWh(p.CPU.Busy)
		p.CPU = usage.BusyIdle[usage.CPUSeconds]{}
		l := load{Part: &p}
		l.device(d, d.Energy.KWh()*share)
		all = append(all, l)
	}
	return all
}
