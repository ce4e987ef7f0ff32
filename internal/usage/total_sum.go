// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "time"

// TotalSum adds up totals of several keys exactly, whatever their order.
type TotalSum struct {
	last   time.Time
	priced bool

	cpu                              BusyIdleSum[CPUSeconds]
	energy, settledEnergy            ByModeSum[KWh]
	emissions, settledEmissions      ByModeSum[Grams]
	down, up, undoubted              Sum
	embodied, settledEmbodied, cores Sum
}

// Add adds all of a total.
func (s *TotalSum) Add(t *Total) {
	s.Used(t)
	s.cpu.Add(t.CPU)
	s.energy.Add(t.Energy)
	s.emissions.Add(t.Emissions)
	s.down.Add(float64(t.Down))
	s.up.Add(float64(t.Up))
	s.undoubted.Add(float64(t.Undoubted))
	s.embodied.Add(float64(t.Embodied))
	s.cores.Add(float64(t.Hardware))
	s.AddSettled(SettledUsage{Energy: t.SettledEnergy, Emissions: t.SettledEmissions, Embodied: t.SettledEmbodied})
}

// Used adds when a total was last used and whether it is priced, and none of its amounts.
func (s *TotalSum) Used(t *Total) {
	if t.Last.After(s.last) {
		s.last = t.Last
	}
	s.priced = s.priced || t.Priced
}

// AddSettled adds to the settled amounts alone.
func (s *TotalSum) AddSettled(u SettledUsage) {
	s.settledEnergy.Add(u.Energy)
	s.settledEmissions.Add(u.Emissions)
	s.settledEmbodied.Add(float64(u.Embodied))
}

// SubSettled subtracts from the settled amounts alone.
func (s *TotalSum) SubSettled(u SettledUsage) {
	s.settledEnergy.Sub(u.Energy)
	s.settledEmissions.Sub(u.Emissions)
	s.settledEmbodied.Sub(float64(u.Embodied))
}

// Total returns the sum, as of one key.
func (s *TotalSum) Total(k Key) Total {
	return Total{
		Key: k, Last: s.last, Priced: s.priced, CPU: s.cpu.BusyIdle(),
		Energy: s.energy.ByMode(), Emissions: s.emissions.ByMode(),
		SettledEnergy: s.settledEnergy.ByMode(), SettledEmissions: s.settledEmissions.ByMode(),
		Down: KWh(s.down.Float64()), Up: KWh(s.up.Float64()), Undoubted: KWh(s.undoubted.Float64()),
		Embodied: Grams(s.embodied.Float64()), SettledEmbodied: Grams(s.settledEmbodied.Float64()),
		Hardware: CPUSeconds(s.cores.Float64()),
	}
}
