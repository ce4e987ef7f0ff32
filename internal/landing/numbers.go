// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"cmp"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// most is how many rows a list has; the others share one.
const most = 10

// Numbers are what the page says of usage. They are added up once for each state of the store,
// not for each request.
type Numbers struct {
	Newest     *Recent // nil: nothing was ever found
	Day, Month *Spent  // nil: not known
	Attended   *usage.Attended
	Lacking    map[string]usage.LabelPresence // which labels the series of each project have
	Drift      []usage.Drift
	States     map[usage.State]int
	Unpriced   usage.KWh // energy without an intensity
	Tops       []Top
	Power      *Power // nil: not known
}

// Recent is the newest interval with usage.
type Recent struct {
	Interval usage.Interval
	Energy   usage.ByMode[usage.KWh]
	// Emissions is nil unless all of the energy is priced.
	Emissions *usage.Grams
}

// Spent is what was used since a day or a month began.
type Spent struct {
	Energy    usage.KWh
	Emissions *usage.Grams // of the priced energy; nil: nothing is priced
	Since     time.Time    // when the store begins, if that is later; else zero
	// Missing is how much of the period has no answer from the source, Unpriced how much has
	// energy without an intensity.
	Missing, Unpriced time.Duration
}

// Top is the members of a scope with the most energy this month.
type Top struct {
	Scope  usage.Scope
	Rows   []Row // the most energy first, then the sum of all others, if there are any
	Energy usage.KWh
}

// Row is one member.
type Row struct {
	Name      string
	Others    int          // how many members share this row; 0: it is of one
	Power     *usage.Watts // in the newest interval; nil: it had no usage
	Energy    usage.KWh    // this month
	Emissions *usage.Grams // of the priced energy; nil: nothing is priced
}

// RecentOf adds up the newest interval.
func RecentOf(n *usage.Newest) *Recent {
	if n == nil {
		return nil
	}
	r := &Recent{Interval: n.Interval}
	var energy usage.ByModeSum[usage.KWh]
	var emissions usage.ByModeSum[usage.Grams]
	priced := true
	for _, u := range n.Usage {
		energy.Add(u.Energy)
		emissions.Add(u.Emissions)
		priced = priced && u.Priced
	}
	r.Energy = energy.ByMode()
	if priced {
		r.Emissions = new(emissions.Total())
	}
	return r
}

// SpentOf adds up a period.
func SpentOf(used []usage.KeyUsage, missing, unpriced time.Duration) *Spent {
	var all tally
	for i := range used {
		all.add(&used[i])
	}
	return &Spent{Energy: all.energy.Total(), Emissions: all.grams(), Missing: missing, Unpriced: unpriced}
}

// tally is energy, and the emissions of its priced part.
type tally struct {
	energy    usage.ByModeSum[usage.KWh]
	emissions usage.ByModeSum[usage.Grams]
	priced    bool
	power     *usage.Watts
}

func (t *tally) add(u *usage.KeyUsage) {
	t.energy.Add(u.Energy)
	t.emissions.Add(u.Emissions)
	t.priced = t.priced || u.Priced
}

func (t *tally) grams() *usage.Grams {
	if !t.priced {
		return nil
	}
	return new(t.emissions.Total())
}

func (t *tally) row(name string) Row {
	return Row{Name: name, Power: t.power, Energy: t.energy.Total(), Emissions: t.grams()}
}

// TopOf ranks the members of a scope by their energy this month.
func TopOf(scope usage.Scope, month []usage.KeyUsage, newest *usage.Newest) Top {
	members := map[string]*tally{}
	of := func(k usage.Key) *tally {
		name := scope.Member(k)
		t := members[name]
		if t == nil {
			t = &tally{}
			members[name] = t
		}
		return t
	}
	for i := range month {
		of(month[i].Key).add(&month[i])
	}
	if newest != nil {
		for _, u := range newest.Usage {
			t := of(u.Key)
			w := u.Energy.Total().Over(newest.Interval.Length)
			if t.power != nil {
				w += *t.power
			}
			t.power = &w
		}
	}
	top := Top{Scope: scope}
	for name, t := range members {
		top.Rows = append(top.Rows, t.row(name))
	}
	slices.SortFunc(top.Rows, func(a, b Row) int { return cmp.Or(cmp.Compare(b.Energy, a.Energy), cmp.Compare(a.Name, b.Name)) })
	for _, r := range top.Rows {
		top.Energy += r.Energy
	}
	if len(top.Rows) > most+1 { // one alone has its own row
		top.Rows = append(top.Rows[:most:most], othersOf(top.Rows[most:]))
	}
	return top
}

func othersOf(rows []Row) Row {
	o := Row{Others: len(rows)}
	for _, r := range rows {
		o.Energy += r.Energy
		o.Power, o.Emissions = plus(o.Power, r.Power), plus(o.Emissions, r.Emissions)
	}
	return o
}

// plus adds what is known.
func plus[T ~float64](a, b *T) *T {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return new(*a + *b)
}

// Same reports whether two lists are of the same members with the same energy, such as when each
// project is its own group.
func (t Top) Same(o Top) bool {
	return slices.EqualFunc(t.Rows, o.Rows, func(a, b Row) bool { return a.Name == b.Name && a.Others == b.Others && a.Energy == b.Energy })
}

// NamesAnybody reports whether a list has more than usage of nobody known.
func (t Top) NamesAnybody() bool {
	return slices.ContainsFunc(t.Rows, func(r Row) bool { return r.Name != usage.Unattributed && r.Name != other })
}

// other is the user that stands for all who are not named.
const other = "other"
