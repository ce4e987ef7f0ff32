// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"math"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// usageOf calculates grams from the CPU seconds of each key and half hour.
func usageOf(k Known) []Usage {
	all := []Usage{}
	for _, f := range k.Facts {
		if !k.Key.holds(f.Key) {
			continue
		}
		piece := usage.Interval{Start: f.Start, Length: usage.PieceLength(k.Interval.Length)}
		u := Usage{
			Piece: text(piece.Start), End: text(piece.End()), Project: f.Project, Machine: f.Machine, User: f.User, Group: f.Group,
			PUE:  k.PUEAt(f.Start),
			Busy: Steps{CPU: float64(f.CPU.Busy), Energy: float64(f.Energy.Busy)},
			Idle: Steps{CPU: float64(f.CPU.Idle), Energy: float64(f.Energy.Idle)},
		}
		if at := slices.IndexFunc(k.Ratings, func(r usage.Rating) bool { return r.Machine == f.Machine }); at >= 0 {
			u.Busy.Watts, u.Idle.Watts = new(float64(k.Ratings[at].Watts.Busy)), new(float64(k.Ratings[at].Watts.Idle))
		}
		var priced *usage.GramsPerKWh
		if at := slices.IndexFunc(k.Prices, func(p usage.PiecePrice) bool { return p.Start.Equal(f.Start) }); at >= 0 {
			price := k.Prices[at].Intensity
			priced = &price
			u.Intensity = new(float64(price))
			u.Busy.Emissions, u.Idle.Emissions = new(float64(f.Energy.Busy.At(price))), new(float64(f.Energy.Idle.At(price)))
		}
		u.beside(f.Beside, priced)
		u.Embodied = embodiedOf(k, f.Machine, f.CPU.Total())
		all = append(all, u)
	}
	slices.SortStableFunc(all, func(a, b Usage) int { return a.key().Compare(b.key()) })
	return all
}

// totalOf adds up the usage; nil if there is none.
func totalOf(all []Usage) *Total {
	if len(all) == 0 {
		return nil
	}
	var busy, idle, measured sums
	priced := true
	for _, u := range all {
		busy.add(u.Busy)
		idle.add(u.Idle)
		for _, d := range u.Devices {
			measured.add(Steps{Energy: d.Energy, Emissions: d.Emissions})
		}
		priced = priced && u.Intensity != nil
	}
	t := &Total{
		BusyCPU: busy.cpu.Float64(), IdleCPU: idle.cpu.Float64(), BusyEnergy: busy.energy.Float64(), IdleEnergy: idle.energy.Float64(),
		MeasuredEnergy: measured.energy.Float64(), Embodied: embodiedIn(all),
	}
	t.Energy = t.BusyEnergy + t.IdleEnergy + t.MeasuredEnergy
	if priced {
		t.BusyEmissions, t.IdleEmissions, t.MeasuredEmissions = new(busy.emissions.Float64()), new(idle.emissions.Float64()), new(measured.emissions.Float64())
		t.Emissions = new(*t.BusyEmissions + *t.IdleEmissions + *t.MeasuredEmissions)
	}
	return t
}

// sums are the totals of one mode.
type sums struct{ cpu, energy, emissions usage.Sum }

func (s *sums) add(of Steps) {
	s.cpu.Add(of.CPU)
	s.energy.Add(of.Energy)
	if of.Emissions != nil {
		s.emissions.Add(*of.Emissions)
	}
}

func remaining(r *usage.Tally) *Total {
	t := &Total{
		BusyCPU: float64(r.CPU.Busy), IdleCPU: float64(r.CPU.Idle),
		BusyEnergy: float64(r.Energy.Busy), IdleEnergy: float64(r.Energy.Idle), MeasuredEnergy: float64(r.Energy.Measured), Energy: float64(r.Energy.Total()),
	}
	if r.Priced {
		t.BusyEmissions, t.IdleEmissions = new(float64(r.Emissions.Busy)), new(float64(r.Emissions.Idle))
		t.MeasuredEmissions = new(float64(r.Emissions.Measured))
		t.Emissions = new(float64(r.Emissions.Total()))
	}
	return t
}

// agree reports whether the factors make the stored energy. They do unless another program has
// changed the store.
func (u Usage) agree() bool {
	busy, idle := u.terms()
	for _, t := range []term{busy, idle} {
		if t.Watts == nil {
			if t.modelled() == 0 { // nothing to multiply by watts
				continue
			}
			return false
		}
		made := float64(usage.Watts(*t.Watts).For(usage.CPUSeconds(t.modelled())))*u.PUE + t.metered + t.memory
		if math.Abs(made-t.Energy) > 1e-9*math.Abs(t.Energy) {
			return false
		}
	}
	return true
}
