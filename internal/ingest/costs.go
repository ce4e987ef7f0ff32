// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Cost is energy, the emissions of its priced part, and those of making the machines.
type Cost struct {
	Energy    usage.KWh
	Emissions usage.Grams
	Priced    bool // whether any of it is priced; if not, Emissions is unknown
	Embodied  usage.Grams
	Hardware  bool // whether any of it is known; if not, Embodied is unknown
}

// costs are the exact sums of usage by project, so that the order does not matter.
type costs map[string]*costSum

type costSum struct {
	energy    usage.ByModeSum[usage.KWh]
	emissions usage.ByModeSum[usage.Grams]
	priced    bool
	embodied  usage.Sum
	hardware  bool
}

func (all costs) add(r usage.Record) {
	prices := map[time.Time]usage.GramsPerKWh{}
	for _, p := range r.Prices {
		prices[p.Start] = p.Intensity
	}
	for _, f := range r.Facts {
		sum := all[f.Project]
		if sum == nil {
			sum = &costSum{}
			all[f.Project] = sum
		}
		sum.energy.Add(f.Energy)
		if p, ok := prices[f.Start]; ok {
			sum.priced = true
			sum.emissions.Add(usage.EmissionsAt(f.Energy, p))
		}
		if rate, ok := r.Embodied[f.Machine]; ok {
			sum.hardware = true
			sum.embodied.Add(float64(rate.Of(f.CPU.Total())))
		}
	}
}

func (all costs) list() map[string]Cost {
	list := map[string]Cost{}
	for project, sum := range all {
		list[project] = Cost{
			Energy: sum.energy.Total(), Emissions: sum.emissions.Total(), Priced: sum.priced,
			Embodied: usage.Grams(sum.embodied.Float64()), Hardware: sum.hardware,
		}
	}
	return list
}

// factorCosts are the exact sums of usage by other factors, by set and project.
type factorCosts map[string]map[string]*usage.FactorSum

// addFactors adds an interval by every set. Half hours without a factor are left out.
func (c *recost) addFactors(ctx context.Context, r usage.Record) error {
	for _, set := range c.worker.Settings.Factors {
		slots, err := c.windows.known(ctx, set.Chain, usage.Period{From: r.Interval.Start, To: r.Interval.End()})
		if err != nil {
			return err
		}
		if c.factors[set.Name] == nil {
			c.factors[set.Name] = map[string]*usage.FactorSum{}
		}
		for _, f := range r.Facts {
			price, ok := slots[usage.SlotAt(f.Start)].Price()
			if !ok {
				continue
			}
			if c.factors[set.Name][f.Project] == nil {
				c.factors[set.Name][f.Project] = &usage.FactorSum{}
			}
			c.factors[set.Name][f.Project].Add(f.Energy, price.Intensity)
		}
	}
	return nil
}

func (all factorCosts) list() map[string]map[string]usage.FactorTally {
	list := map[string]map[string]usage.FactorTally{}
	for set, projects := range all {
		list[set] = map[string]usage.FactorTally{}
		for project, sum := range projects {
			list[set][project] = sum.Tally()
		}
	}
	return list
}
