// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/table"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// byOtherFactors prints what each set of factors would give of the energy after a recost, beside
// the emissions. It adds up projects, never sets.
func byOtherFactors(out io.Writer, sets []ingest.FactorSet, done ingest.Recosted) {
	if len(sets) == 0 || len(done.After) == 0 {
		return
	}
	t := table.Table{table.Words("PROJECT"), table.Numbers("kWh"), table.Numbers("gCO2eq")}
	for _, set := range sets {
		t = append(t, table.Numbers(escape.Name(set.Name)+" g"), table.Numbers("OF kWh"))
	}
	var all ingest.Cost
	site := make([]usage.FactorSum, len(sets))
	for _, project := range slices.Sorted(maps.Keys(done.After)) {
		cost := done.After[project]
		all = plus(all, cost)
		cells := factorCells(project, cost)
		for i, set := range sets {
			tally := done.Factors[set.Name][project]
			site[i].AddTally(tally)
			cells = append(cells, factorAmount(tally, cost.Energy)...)
		}
		t.Add(cells...)
	}
	cells := factorCells("site", all)
	for i := range sets {
		cells = append(cells, factorAmount(site[i].Tally(), all.Energy)...)
	}
	t.Add(cells...)
	fmt.Fprintln(out, "\nThe same energy by other factors; never add their columns up:")
	t.Write(out, "") //nolint:errcheck // out is a buffer; flushing it reports the error
}

func factorCells(name string, c ingest.Cost) []string {
	grams := "-"
	if c.Priced {
		grams = fmt.Sprintf("%.1f", rounded(float64(c.Emissions), 1))
	}
	return []string{escape.Name(name), fmt.Sprintf("%.3f", rounded(float64(c.Energy), 3)), grams}
}

// factorAmount are grams, and the share of the energy that they are of. What is not known is not 0.
func factorAmount(t usage.FactorTally, energy usage.KWh) []string {
	grams, share := "-", "-"
	if t.Known {
		grams = fmt.Sprintf("%.1f", rounded(float64(t.Emissions), 1))
	}
	if energy > 0 {
		share = fmt.Sprintf("%.1f %%", rounded(100*min(1, float64(t.Energy/energy)), 1))
	}
	return []string{grams, share}
}
