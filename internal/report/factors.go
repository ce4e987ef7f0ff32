// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/table"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Factors is a set of factors beside those that the emissions are by. Grams of different sets are
// never added up: they are all of the same energy.
type Factors struct {
	Name    string          `json:"name"`
	Bases   []string        `json:"bases"` // what its sources count; none: not known
	Sources []FactorsSource `json:"sources"`
}

// FactorsSource is a source of a set.
type FactorsSource struct {
	Provider string `json:"provider"`
	Grid     string `json:"grid"`
}

// FactorAmount is what a row emitted by one set, and of how much of its energy that is known.
type FactorAmount struct {
	Emissions *float64 `json:"emissions_gco2eq"`
	Priced    *float64 `json:"priced_ratio"`
	name      string
}

// FactorAmounts are those of all sets, in their order; nil: not asked for.
type FactorAmounts []FactorAmount

// MarshalJSON writes an object keyed by the names of sets.
func (all FactorAmounts) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, a := range all {
		name, err := json.Marshal(a.name)
		if err != nil {
			return nil, err
		}
		v, err := json.Marshal(a)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(v)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// factorsOf returns what members emitted together, by every set. t is their tally.
func (r *Report) factorsOf(s Stretch, t usage.Tally, members []usage.Tally) FactorAmounts {
	if r.Factors == nil {
		return nil
	}
	all := make(FactorAmounts, len(r.Factors))
	for i, set := range r.Factors {
		var sum usage.FactorSum
		for _, m := range members {
			sum.AddTally(s.Factors[set.Name][m.Name])
		}
		all[i].name = set.Name
		tally := sum.Tally()
		if tally.Known {
			all[i].Emissions = value(tally.Emissions)
		}
		all[i].Priced = wholeUnless(part01(ratio(tally.Energy, t.Energy.Total())))
	}
	return all
}

// wholeUnless is a share, without what rounding has taken from it.
func wholeUnless(share *float64) *float64 {
	if share != nil && *share > 1-nothing {
		return value(1.0)
	}
	return share
}

// factorFields are the names of the columns of a CSV file.
func (r *Report) factorFields() (names []string) {
	for _, set := range r.Factors {
		names = append(names, "factors_"+set.Name+"_gco2eq", "factors_"+set.Name+"_priced_ratio")
	}
	return names
}

// writeFactors writes a table of the emissions by every set, beside the ordinary ones.
func (r *Report) writeFactors(out io.Writer, rows []Row) error {
	columns := append(r.who(rows),
		numbers("kWh", rows, func(row Row) *float64 { return &row.Energy }),
		numbers("gCO2eq", rows, func(row Row) *float64 { return row.Emissions }))
	for i, set := range r.Factors {
		columns = append(columns,
			numbers(escape.Name(set.Name)+" g", rows, func(row Row) *float64 { return row.Factors[i].Emissions }),
			percents("OF kWh", rows, func(row Row) *float64 { return row.Factors[i].Priced }))
	}
	fmt.Fprintln(out)
	return table.Table(columns).Write(out, "")
}

// factorNotes say what each set counts, and what it does not know.
func (r *Report) factorNotes(total Row) (notes []string) {
	if r.Factors == nil {
		return nil
	}
	notes = append(notes, "By other factors it is the same energy each time: never add their columns up.")
	for i, set := range r.Factors {
		notes = append(notes, set.note())
		if of := total.Factors[i].Priced; of != nil && *of < 1 {
			notes = append(notes, fmt.Sprintf("WARNING: %s has no factor for %s of the energy, which is not included in its gCO2eq. To fetch what its sources have: %s",
				escape.Line(set.Name), percent(1-*of), r.Fetch))
		}
	}
	return notes
}

// nothing is a share that only rounding has made: both sums are exact, and rounded on their own ways.
const nothing = 1e-9

func percent(share float64) string { return rounded(100*share, 1) + " %" }

func (f Factors) note() string {
	bases := strings.Join(f.Bases, " or ")
	if bases == "" {
		bases = "nobody says what its factors count"
	}
	sources := make([]string, len(f.Sources))
	for i, s := range f.Sources {
		sources[i] = escape.Line(s.Provider) + ", grid " + escape.Line(s.Grid)
	}
	return escape.Line(f.Name) + ": " + bases + "; from " + strings.Join(sources, ", else ")
}
