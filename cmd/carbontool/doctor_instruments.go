// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/doctor"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// meters asks each meter of hosts.
func (d *draw) meters(ctx context.Context) []doctor.Finding {
	is, _ := parts.Instruments(d.cfg)
	var all []doctor.Meter
	for place, one := range is.Meters {
		m := doctor.Meter{Name: one.Name, Label: one.Host}
		got, refused, err := d.ask(ctx, source.Instruments{Meters: []source.Meter{one}})
		if err != nil {
			m.Cause = refusal(err)
			all = append(all, m)
			continue
		}
		m.Refused, m.Remarks = refused, remarksOf(got)
		d.sum(&m, got)
		for i := range got {
			for host, of := range got[i].Power {
				of.Place = place // it was asked alone
				d.prefer(i, host, of)
			}
		}
		all = append(all, m)
	}
	return doctor.Meters(all, d.hosts)
}

// prefer takes of two meters of one host that which covers more, and else the first, as the source
// does.
func (d *draw) prefer(piece int, host string, m usage.Metering) {
	b := &d.beside[piece]
	if b.Power == nil {
		b.Power = map[string]usage.Metering{}
	}
	if other, measured := b.Power[host]; !measured || m.Covered > other.Covered {
		b.Power[host] = m
	}
}

// sum adds up the pieces of what a meter measures, by host.
func (d *draw) sum(m *doctor.Meter, got []usage.Instruments) {
	names := hostNames(d.hosts)
	energy, covered := map[string]usage.Joules{}, map[string]time.Duration{}
	for i := range got {
		for host, of := range got[i].Power {
			energy[host] += of.Energy
			covered[host] += time.Duration(of.Covered * float64(got[i].Piece.Length))
		}
	}
	for host, joules := range energy {
		own := names.Of(host)
		if len(own) == 0 {
			m.Strangers = append(m.Strangers, host)
			continue
		}
		name := own[0]
		m.Hosts = append(m.Hosts, doctor.MeteredHost{
			Host: name, Covered: float64(covered[host]) / float64(d.interval.Length),
			Watts: joules.KWh().Over(covered[host]), Modelled: d.modelled[name].Over(d.interval.Length),
		})
	}
}

// hostNames finds hosts by the labels that other exporters give them.
func hostNames(labels []string) *directory.ByHost[string] {
	var names directory.ByHost[string]
	for _, label := range labels {
		names.Add(label, label)
	}
	return &names
}

// devices asks for each kind of devices.
func (d *draw) devices(ctx context.Context) []doctor.Finding {
	is, _ := parts.Instruments(d.cfg)
	there := hostNames(d.hosts)
	var all []doctor.Device
	for _, one := range is.Devices {
		v := doctor.Device{Name: one.Name}
		got, refused, err := d.ask(ctx, source.Instruments{Devices: []source.Device{one}})
		if err != nil {
			v.Cause = refusal(err)
			all = append(all, v)
			continue
		}
		v.Refused, v.Remarks = refused, remarksOf(got)
		seen, energy := map[usage.Series]bool{}, usage.Joules(0)
		for i := range got {
			d.beside[i].Devices = append(d.beside[i].Devices, got[i].Devices...)
			for _, s := range got[i].Devices {
				energy += s.Energy
				if seen[s.Series] {
					continue
				}
				seen[s.Series] = true
				if there.Of(s.Host) != nil {
					continue
				}
				v.Homeless++
				if s.Project == usage.Unknown {
					v.Nobodys++
				}
			}
		}
		v.Series, v.Watts = len(seen), energy.KWh().Over(d.interval.Length)
		all = append(all, v)
	}
	return doctor.Devices(all)
}

func (d *draw) memory(ctx context.Context) []doctor.Finding {
	is, _ := parts.Instruments(d.cfg)
	if is.Memory.Query == "" {
		return nil
	}
	m := doctor.Memory{Hosts: len(d.hosts)}
	got, refused, err := d.ask(ctx, source.Instruments{Memory: is.Memory})
	if err != nil {
		m.Cause = refusal(err)
		return doctor.MemoryOf(m)
	}
	m.Refused, m.Remarks = refused, remarksOf(got)
	var has []string
	for i := range got {
		d.beside[i].Memory = got[i].Memory
		for host, held := range got[i].Memory {
			has = append(has, host)
			m.GiB += float64(held) / d.interval.Length.Seconds()
		}
	}
	remembered := hostNames(has)
	for _, host := range d.hosts {
		if remembered.Of(host) != nil {
			m.Has++
		}
	}
	return doctor.MemoryOf(m)
}

func (d *draw) pue(ctx context.Context) []doctor.Finding {
	is, _ := parts.Instruments(d.cfg)
	if is.PUE == "" {
		return nil
	}
	otherwise := d.cfg.Power.PUE.Ratio
	got, _, err := d.ask(ctx, source.Instruments{PUE: is.PUE})
	if err != nil {
		return doctor.PUE(nil, otherwise, refusal(err), nil)
	}
	var values []float64
	for i := range got {
		if d.beside[i].PUE = got[i].PUE; got[i].PUE != nil {
			values = append(values, *got[i].PUE)
		}
	}
	return doctor.PUE(values, otherwise, "", remarksOf(got))
}

// zones compares the meters of the site with all that would be booked, so it is asked last.
func (d *draw) zones(ctx context.Context) []doctor.Finding {
	is, _ := parts.Instruments(d.cfg)
	var all []doctor.Zone
	for _, one := range is.Zones {
		z := doctor.Zone{Name: one.Name}
		got, _, err := d.ask(ctx, source.Instruments{Zones: []source.Zone{one}})
		if err != nil {
			z.Cause = refusal(err)
		} else {
			z.Remarks = remarksOf(got)
			for i := range got {
				d.beside[i].Zones = append(d.beside[i].Zones, got[i].Zones...)
			}
		}
		all = append(all, z)
	}
	if len(all) == 0 {
		return nil
	}
	for _, f := range d.draft(d.model, true).Zones {
		for i := range all {
			if all[i].Name == f.Zone {
				all[i].Measured, all[i].Booked = new(f.Measured.Over(d.interval.Length)), new(f.Booked.Over(d.interval.Length))
			}
		}
	}
	return doctor.Zones(all)
}

// embodied looks at the hardware of the machine types.
func (d *draw) embodied() []doctor.Finding {
	fleet := parts.Embodied(d.cfg.Embodied)
	if fleet == nil {
		return nil
	}
	var all []doctor.Hardware
	for _, r := range d.draft(d.model, false).Ratings {
		under, known := fleet.Under(r.Machine)
		all = append(all, doctor.Hardware{Machine: r.Machine, Known: known, Until: under.EndOfUse()})
	}
	return doctor.Embodied(all, d.interval.Start)
}
