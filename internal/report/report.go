// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package report turns sums of usage into reports: shares, bounds, equivalents, rows
// that add up, and their layout. It knows arithmetic and text; it must not know about
// storage or flags. Start with Report.
package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Stretch is a period and what is known about it.
type Stretch struct {
	usage.Period
	Members   []usage.Tally // of the scope; they add up to the site
	Intervals Intervals
	Coverage  map[string]usage.Coverage // by project, where it is known
	Prices    Prices                    // of the site
	// Factors are tallies by other factors, by set and member.
	Factors map[string]map[string]usage.FactorTally
}

// Report is the usage of the members of a scope over a period.
type Report struct {
	Scope usage.Scope
	Site  string // what the whole site is called; empty: as in the store
	Whole Stretch
	Parts []Stretch // days, weeks or months, see By; empty: not split
	By    string
	Zone  *time.Location // that times are written in

	Top   int               // how many members have rows, the others share one; 0: all
	Names map[string]string // names of users by id; nil: not asked for
	// Shown is how a member is shown, and whether as one: false is among the others, who share a
	// row. Sums do not change. Nil: all are, by name.
	Shown       func(name string) (label string, one bool)
	Equivalents bool
	Grids       []Grid // those that price the usage
	Forecasts   ForecastError
	Power       []usage.PowerUsed // where the power came from, over the whole
	Factors     []Factors         // other factors for the same energy; nil: not asked for
	Fetch       string            // the command that fetches what they lack
	Lake        *Lake             // what it was read from; nil: from a store
}

// Grid is a grid, and who says what its carbon intensity is.
type Grid struct {
	Provider string `json:"provider"`
	Grid     string `json:"grid"`
	Source   string `json:"source,omitempty"` // where the operator has the value from; empty: not said
	Basis    string `json:"basis"`            // "undeclared": nobody says
}

// rows returns the rows of the report. Each period lists the member with the most energy
// first and its total last; the grand total comes at the end. If nothing is known there
// are no rows.
func (r *Report) rows() []Row {
	if len(r.Whole.Members) == 0 {
		return nil
	}
	named := r.named()
	var rows []Row
	stretches, kind := r.Parts, PeriodTotal
	if len(r.Parts) == 0 {
		stretches, kind = []Stretch{r.Whole}, Total
	}
	for _, s := range stretches {
		if len(s.Members) > 0 {
			rows = append(rows, r.rowsOf(s, named, kind)...)
		}
	}
	if len(r.Parts) > 0 {
		rows = append(rows, r.total(Total, r.Whole))
	}
	return rows
}

// called is a scope, or its only member, in the words of who asked.
func (r *Report) called(name string) string {
	if r.Scope == usage.ScopeAda && name == string(usage.ScopeAda) && r.Site != "" {
		return r.Site
	}
	return name
}

// named lists the members with rows of their own: the same ones in every period, those
// with the most energy overall.
func (r *Report) named() map[string]bool {
	all := slices.DeleteFunc(byEnergy(r.Whole.Members), func(t usage.Tally) bool {
		_, one := r.shownAs(t.Name)
		return !one
	})
	if r.Top > 0 && r.Top < len(all) {
		all = all[:r.Top]
	}
	named := map[string]bool{}
	for _, t := range all {
		named[t.Name] = true
	}
	return named
}

// shownAs is how a member is shown, and whether as one.
func (r *Report) shownAs(name string) (label string, one bool) {
	if r.Shown == nil {
		return name, true
	}
	return r.Shown(name)
}

func (r *Report) rowsOf(s Stretch, named map[string]bool, total Kind) []Row {
	var rows []Row
	var others []usage.Tally
	for _, t := range byEnergy(s.Members) {
		if named[t.Name] {
			rows = append(rows, r.row(Member, s, t, t))
		} else {
			others = append(others, t)
		}
	}
	if len(others) > 0 {
		t := add(others)
		t.Name = string(Other)
		rows = append(rows, r.row(Other, s, t, others...))
	}
	return append(rows, r.total(total, s))
}

func (r *Report) total(kind Kind, s Stretch) Row {
	t := add(s.Members)
	t.Name = string(Total)
	return r.row(kind, s, t, s.Members...)
}

// seen is the CPU coverage of members, which is known per project.
func (r *Report) seen(s Stretch, members ...usage.Tally) *usage.Coverage {
	var seen, capacity usage.Sum // exact, since nobody orders projects
	plus := func(c usage.Coverage) {
		seen.Add(float64(c.Seen))
		capacity.Add(float64(c.Capacity))
	}
	switch r.Scope {
	case usage.ScopeAda:
		for _, c := range s.Coverage {
			plus(c)
		}
	case usage.ScopeProject:
		for _, m := range members {
			plus(s.Coverage[m.Name])
		}
	}
	sum := usage.Coverage{Seen: usage.CPUSeconds(seen.Float64()), Capacity: usage.CPUSeconds(capacity.Float64())}
	if sum.Capacity <= 0 {
		return nil
	}
	return &sum
}

// byEnergy sorts members by energy, largest first, then by name.
func byEnergy(members []usage.Tally) []usage.Tally {
	ordered := slices.Clone(members)
	slices.SortFunc(ordered, func(a, b usage.Tally) int {
		return cmp.Or(cmp.Compare(b.Energy.Total(), a.Energy.Total()), cmp.Compare(a.Name, b.Name))
	})
	return ordered
}

// add adds tallies up, exactly. How far they may be off together depends on their machine types,
// so that a total is the same by whatever scope it is divided.
func add(all []usage.Tally) usage.Tally {
	var whole usage.Tally
	margins := usage.MarginSums{}
	sums := make([]usage.Sum, len(quantities(&whole)))
	for i := range all {
		for n, q := range quantities(&all[i]) {
			sums[n].Add(*q)
		}
		whole.Priced = whole.Priced || all[i].Priced
		for machine, m := range all[i].Margins {
			margins.Add(machine, m.Down, m.Up)
		}
	}
	for n, q := range quantities(&whole) {
		*q = sums[n].Float64()
	}
	whole.Margins = margins.ByType()
	across := usage.AcrossTypes(whole.Margins)
	whole.Down, whole.Up = across.Down, across.Up
	return whole
}

func quantities(t *usage.Tally) []*float64 {
	return []*float64{
		(*float64)(&t.CPU.Busy), (*float64)(&t.CPU.Idle), (*float64)(&t.Energy.Busy), (*float64)(&t.Energy.Idle),
		(*float64)(&t.Emissions.Busy), (*float64)(&t.Emissions.Idle), (*float64)(&t.Unpriced), (*float64)(&t.Provisional),
		(*float64)(&t.Forecast), (*float64)(&t.Unattributed), (*float64)(&t.Undoubted),
		(*float64)(&t.Energy.Measured), (*float64)(&t.Emissions.Measured), (*float64)(&t.Embodied), (*float64)(&t.Hardware),
	}
}
