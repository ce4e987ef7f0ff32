// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package statement

import (
	"cmp"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Range is between which bounds the truth is; nil: not known.
type Range struct {
	EnergyLow, EnergyHigh       *usage.KWh
	EmissionsLow, EmissionsHigh *usage.Grams
}

// Rows adds keys up by a name, most energy first. bounds are those of each name.
func Rows(keys []usage.Total, name func(usage.Key) string, bounds map[string]Range) []Row {
	sums := map[string][]usage.Total{}
	for _, k := range keys {
		sums[name(k.Key)] = append(sums[name(k.Key)], k)
	}
	rows := make([]Row, 0, len(sums))
	for of, parts := range sums {
		rows = append(rows, RowOf(of, parts, bounds[of]))
	}
	slices.SortFunc(rows, func(a, b Row) int { return cmp.Or(cmp.Compare(b.Energy, a.Energy), cmp.Compare(a.Name, b.Name)) })
	return rows
}

// RowOf adds keys up.
func RowOf(name string, keys []usage.Total, bounds Range) Row {
	a := Sum(keys)
	r := Row{Name: name, Busy: a.Busy, Idle: a.Idle, Measured: a.Measured, Energy: a.Energy()}
	priced, made := false, false
	for _, k := range keys {
		priced, made = priced || k.Priced, made || k.Hardware > 0
	}
	if priced {
		r.BusyEmissions, r.IdleEmissions, r.MeasuredEmissions = &a.BusyEmissions, &a.IdleEmissions, &a.MeasuredEmissions
		r.Emissions = new(a.Emissions())
	}
	if made { // of old hardware it may be 0
		r.Embodied = &a.Embodied
	}
	r.EnergyLow, r.EnergyHigh = each(bounds.EnergyLow, EnergyOf), each(bounds.EnergyHigh, EnergyOf)
	r.EmissionsLow, r.EmissionsHigh = each(bounds.EmissionsLow, CarbonOf), each(bounds.EmissionsHigh, CarbonOf)
	return r
}

func each[T, R any](v *T, of func(T) R) *R {
	if v == nil {
		return nil
	}
	return new(of(*v))
}

// The labels of usage that is of no person who is shown.
const (
	otherPeople = "other"
)

// People adds keys up by person. labels are how each may be shown, by id: nobody is who has no
// label of their own, such as other. Their order is that of the people of the statement that have
// a seal. salt makes a new salt for each.
func People(keys []usage.Total, label func(user string) string, salt func() []byte) (rows []Person, people []usage.StatementPerson) {
	users := map[string]string{} // by label
	for _, k := range keys {
		users[label(k.User)] = k.User
	}
	for _, r := range Rows(keys, func(k usage.Key) string { return label(k.User) }, nil) {
		p := Person{Row: r, Label: r.Name}
		if r.Name != otherPeople && r.Name != usage.Unattributed {
			who := usage.StatementPerson{User: users[r.Name], Label: r.Name, Salt: salt()}
			people, p.Seal, p.Label = append(people, who), who.Seal(), ""
		}
		p.Name = ""
		rows = append(rows, p)
	}
	return rows, people
}
