// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package privacy

import (
	"cmp"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// lead is how much more energy a newcomer needs than the last named user. Otherwise two
// users with about equal energy would swap places at every interval, and each change
// leaves a step in their series.
const lead = 1.05

// choose picks the users with the most energy, up to the limit; before lists those
// named now. Nil means all.
func (l Labels) choose(totals []usage.Total, before map[string]bool) map[string]bool {
	if !l.limited() {
		return nil
	}
	energy := map[string]*usage.ByModeSum[usage.KWh]{}
	for _, t := range totals {
		if t.User == usage.Unattributed {
			continue
		}
		if energy[t.User] == nil {
			energy[t.User] = &usage.ByModeSum[usage.KWh]{}
		}
		energy[t.User].Add(t.Energy)
	}
	type ranked struct {
		user string
		rank float64
	}
	var users []ranked
	for user, kwh := range energy {
		r := ranked{user, float64(kwh.Total())}
		if before[user] {
			r.rank *= lead
		}
		users = append(users, r)
	}
	slices.SortFunc(users, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.rank, a.rank), cmp.Compare(a.user, b.user))
	})
	named := map[string]bool{}
	for _, u := range users[:min(l.most(), len(users))] {
		named[u.user] = true
	}
	return named
}
