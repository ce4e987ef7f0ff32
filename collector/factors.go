// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// factors shows what the same energy emitted by other factors, where there are any.
type factors struct {
	fold                usage.Fold
	emissions, unpriced *prometheus.Desc
}

func newFactors(fold usage.Fold) factors {
	labels := []string{"factors"}
	if !fold.Project {
		labels = append(labels, "project")
	}
	if !fold.Group {
		labels = append(labels, "group")
	}
	return factors{
		fold: fold,
		emissions: prometheus.NewDesc("carbon_factor_emissions_gco2eq",
			"Emissions of the same energy as in carbon_energy_kwh by other factors: those of carbon_intensity.also, as currently known. Sums over factors mean nothing, and they are in no other metric of emissions. May be restated, so it is a gauge: use delta, not increase. Absent where no energy has a factor.",
			labels, nil),
		unpriced: prometheus.NewDesc("carbon_factor_unpriced_energy_kwh",
			"Energy without a factor in a set of carbon_intensity.also, which is not included in its emissions. Usage of the last minutes may be part of it.",
			[]string{"factors"}, nil),
	}
}

func (f factors) describe(ch chan<- *prometheus.Desc) {
	ch <- f.emissions
	ch <- f.unpriced
}

// collect shows all stored usage, also of keys that are not shown any more: a total by which somebody
// accounts must not shrink when a machine is switched off, and projects and groups are few.
func (f factors) collect(out emitter, all usage.FactorTotals) {
	type series struct{ factors, project, group string }
	sums := map[series]*usage.Sum{}
	for _, t := range all.Totals {
		if !t.Known {
			continue
		}
		k := f.fold.Key(usage.Key{Project: t.Project, Group: t.Group})
		of := series{t.Factors, k.Project, k.Group}
		if sums[of] == nil {
			sums[of] = &usage.Sum{}
		}
		sums[of].Add(float64(t.Emissions))
	}
	for of, s := range sums {
		labels := []string{of.factors}
		if !f.fold.Project {
			labels = append(labels, of.project)
		}
		if !f.fold.Group {
			labels = append(labels, of.group)
		}
		out.gauge(f.emissions, s.Float64(), labels...)
	}
	for _, set := range slices.Sorted(maps.Keys(all.Unpriced)) {
		out.gauge(f.unpriced, float64(all.Unpriced[set]), set)
	}
}
