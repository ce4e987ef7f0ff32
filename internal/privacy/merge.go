// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package privacy

import (
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// sums adds up quantities exactly, mode by mode and whatever the order.
type sums struct {
	cpu                                                usage.BusyIdleSum[usage.CPUSeconds]
	energy, emissions, settledEnergy, settledEmissions modes
	down, up, undoubted                                usage.Sum
	embodied, settledEmbodied, hardware                usage.Sum
}

type modes struct{ busy, idle, measured usage.Sum }

func plus[T ~float64](m *modes, v usage.ByMode[T]) {
	m.busy.Add(float64(v.Busy))
	m.idle.Add(float64(v.Idle))
	m.measured.Add(float64(v.Measured))
}

func minus[T ~float64](m *modes, v usage.ByMode[T]) {
	m.busy.Sub(float64(v.Busy))
	m.idle.Sub(float64(v.Idle))
	m.measured.Sub(float64(v.Measured))
}

func value[T ~float64](m modes) usage.ByMode[T] {
	return usage.ByMode[T]{Busy: T(m.busy.Float64()), Idle: T(m.idle.Float64()), Measured: T(m.measured.Float64())}
}

// totals adds up by label. elsewhere is the part of the settled counters that is not
// shown under the label of the user: it is under Other for named users and hidden for
// others.
func (l Labels) totals(totals []usage.Total, named map[string]bool, elsewhere map[usage.Key]usage.SettledUsage) []usage.Total {
	merged := map[usage.Key]*usage.Total{}
	added := map[usage.Key]*sums{}
	at := func(k usage.Key) (*usage.Total, *sums) {
		if merged[k] == nil {
			merged[k], added[k] = &usage.Total{Key: k}, &sums{}
		}
		return merged[k], added[k]
	}
	for _, t := range totals {
		k := t.Key
		k.User = l.label(t.User, named)
		m, s := at(k)
		if t.Last.After(m.Last) {
			m.Last = t.Last
		}
		m.Priced = m.Priced || t.Priced
		s.cpu.Add(t.CPU)
		plus(&s.energy, t.Energy)
		plus(&s.emissions, t.Emissions)
		plus(&s.settledEnergy, t.SettledEnergy)
		plus(&s.settledEmissions, t.SettledEmissions)
		s.down.Add(float64(t.Down))
		s.up.Add(float64(t.Up))
		s.undoubted.Add(float64(t.Undoubted))
		s.embodied.Add(float64(t.Embodied))
		s.settledEmbodied.Add(float64(t.SettledEmbodied))
		s.hardware.Add(float64(t.Hardware))
		away, some := elsewhere[t.Key]
		if !some {
			continue
		}
		minus(&s.settledEnergy, away.Energy)
		minus(&s.settledEmissions, away.Emissions)
		s.settledEmbodied.Sub(float64(away.Embodied))
		if k.User != Other {
			k.User = Other
			o, s := at(k)
			if t.Last.After(o.Last) {
				o.Last = t.Last
			}
			o.Priced = o.Priced || t.Priced
			plus(&s.settledEnergy, away.Energy)
			plus(&s.settledEmissions, away.Emissions)
			s.settledEmbodied.Add(float64(away.Embodied))
		}
	}
	all := make([]usage.Total, 0, len(merged))
	for k, m := range merged {
		s := added[k]
		m.CPU, m.Energy, m.Emissions = s.cpu.BusyIdle(), value[usage.KWh](s.energy), value[usage.Grams](s.emissions)
		m.SettledEnergy, m.SettledEmissions = value[usage.KWh](s.settledEnergy), value[usage.Grams](s.settledEmissions)
		m.Down, m.Up, m.Undoubted = usage.KWh(s.down.Float64()), usage.KWh(s.up.Float64()), usage.KWh(s.undoubted.Float64())
		m.Embodied, m.SettledEmbodied = usage.Grams(s.embodied.Float64()), usage.Grams(s.settledEmbodied.Float64())
		m.Hardware = usage.CPUSeconds(s.hardware.Float64())
		all = append(all, *m)
	}
	slices.SortFunc(all, func(a, b usage.Total) int { return a.Compare(b.Key) })
	return all
}

// newest adds up one interval by label.
func (l Labels) newest(keys []usage.KeyUsage, named map[string]bool) []usage.KeyUsage {
	merged := map[usage.Key]*usage.KeyUsage{}
	added := map[usage.Key]*sums{}
	for _, u := range keys {
		k := u.Key
		k.User = l.label(u.User, named)
		if merged[k] == nil {
			merged[k], added[k] = &usage.KeyUsage{Key: k}, &sums{}
		}
		merged[k].Priced = merged[k].Priced || u.Priced
		plus(&added[k].energy, u.Energy)
		plus(&added[k].emissions, u.Emissions)
	}
	all := make([]usage.KeyUsage, 0, len(merged))
	for k, m := range merged {
		m.Energy, m.Emissions = value[usage.KWh](added[k].energy), value[usage.Grams](added[k].emissions)
		all = append(all, *m)
	}
	slices.SortFunc(all, func(a, b usage.KeyUsage) int { return a.Compare(b.Key) })
	return all
}
