// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "slices"

// Fold says which names are left out of keys. Keys that are the same without them are one, with
// the usage of all. The zero Fold leaves every key as it is.
type Fold struct{ Project, Machine, User, Group bool }

// Key returns a key without the names that are left out.
func (f Fold) Key(k Key) Key {
	for _, name := range [...]struct {
		out  bool
		name *string
	}{{f.Project, &k.Project}, {f.Machine, &k.Machine}, {f.User, &k.User}, {f.Group, &k.Group}} {
		if name.out {
			*name.name = ""
		}
	}
	return k
}

// Totals adds up totals, in order of their keys.
func (f Fold) Totals(all []Total) []Total {
	if f == (Fold{}) {
		return all
	}
	sums := map[Key]*TotalSum{}
	for i := range all {
		k := f.Key(all[i].Key)
		s := sums[k]
		if s == nil {
			s = &TotalSum{}
			sums[k] = s
		}
		s.Add(&all[i])
	}
	folded := make([]Total, 0, len(sums))
	for k, s := range sums {
		folded = append(folded, s.Total(k))
	}
	slices.SortFunc(folded, func(a, b Total) int { return a.Compare(b.Key) })
	return folded
}

// Usage adds up the usage of one time, in order of its keys.
func (f Fold) Usage(all []KeyUsage) []KeyUsage {
	if f == (Fold{}) {
		return all
	}
	return MergeUsage(all, f.Key)
}

// MergeUsage adds up usage whose keys become the same, in order of the keys that they become.
func MergeUsage(all []KeyUsage, as func(Key) Key) []KeyUsage {
	type sum struct {
		energy    ByModeSum[KWh]
		emissions ByModeSum[Grams]
		priced    bool
	}
	sums := map[Key]*sum{}
	for i := range all {
		k := as(all[i].Key)
		s := sums[k]
		if s == nil {
			s = &sum{}
			sums[k] = s
		}
		s.energy.Add(all[i].Energy)
		s.emissions.Add(all[i].Emissions)
		s.priced = s.priced || all[i].Priced
	}
	merged := make([]KeyUsage, 0, len(sums))
	for k, s := range sums {
		merged = append(merged, KeyUsage{Key: k, Energy: s.energy.ByMode(), Emissions: s.emissions.ByMode(), Priced: s.priced})
	}
	slices.SortFunc(merged, func(a, b KeyUsage) int { return a.Compare(b.Key) })
	return merged
}
