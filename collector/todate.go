// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "github.com/carbon-exporter/carbon_exporter/internal/usage"

// ToDate is the usage since the start of the current day, month and year, by key. A key
// that is missing has no usage since then.
type ToDate struct {
	Day, Month, Year []usage.KeyUsage
}

// toDate shows usage since the start of a period, busy and idle together:
// carbon_energy_kwh has them apart.
type toDate struct {
	energy, emissions keyed
}

func newToDate(c *columns, energy, emissions, since string) toDate {
	return toDate{
		energy: c.byKey(family{
			energy,
			"Energy since " + since + ", including PUE, as currently known. Calculated from the store, so independent of the retention of Prometheus. Starts again at 0 with each period.", false,
		}),
		emissions: c.byKey(family{
			emissions,
			"Emissions of priced energy since " + since + ", as currently known. Calculated from the store, so independent of the retention of Prometheus. Starts again at 0 with each period. Absent while none of the energy is priced.", false,
		}),
	}
}

// collect shows the same keys as other metrics, so that a period starts at 0 for each of
// them. The usage of keys that have expired since is shown as user "other", so that the
// period adds up. The first rows are the keys that are shown; begun says which of them had
// emissions before: a period without usage has emissions of 0.
func (c *columns) toDate(p *toDate, begun []bool, used []usage.KeyUsage, fold usage.Fold) {
	sums := make([]sum, len(begun))
	for i := range used {
		k := used[i].Key
		r, ok := c.rows[k]
		if !ok || int(r) >= len(begun) {
			if !fold.User {
				k.User = other
			}
			r = c.row(k)
		}
		for int(r) >= len(sums) {
			sums = append(sums, sum{})
		}
		sums[r].plus(&used[i])
	}
	for i, s := range sums {
		if i >= len(begun) && !s.used {
			continue
		}
		p.energy.set(0, int32(i), float64(s.energy))
		if s.priced || i < len(begun) && begun[i] && s.energy == 0 {
			p.emissions.set(0, int32(i), float64(s.emissions))
		}
	}
}

// other is the user that stands for all who are not named.
const other = "other"

// sum is energy, and the emissions of its priced part.
type sum struct {
	energy    usage.KWh
	emissions usage.Grams
	priced    bool
	used      bool
}

func (s *sum) plus(u *usage.KeyUsage) {
	s.energy += u.Energy.Total()
	s.emissions += u.Emissions.Total()
	s.priced, s.used = s.priced || u.Priced, true
}
