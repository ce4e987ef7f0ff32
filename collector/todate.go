// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// ToDate is the usage since the start of the current day, month and year, by key. A key
// that is missing has no usage since then.
type ToDate struct {
	Day, Month, Year []usage.Total
}

// toDate shows usage since the start of a period, busy and idle together:
// carbon_energy_kwh has them apart.
type toDate struct {
	energy, emissions *prometheus.Desc
}

func newToDate(energy, emissions, since string) toDate {
	labels := []string{"project", "machine", "user", "group"}
	return toDate{
		energy: prometheus.NewDesc(energy,
			"Energy since "+since+", including PUE, as currently known. Calculated from the store, so independent of the retention of Prometheus. Starts again at 0 with each period.", labels, nil),
		emissions: prometheus.NewDesc(emissions,
			"Emissions of priced energy since "+since+", as currently known. Calculated from the store, so independent of the retention of Prometheus. Starts again at 0 with each period. Absent while none of the energy is priced.", labels, nil),
	}
}

func (c toDate) describe(ch chan<- *prometheus.Desc) { ch <- c.energy; ch <- c.emissions }

// collect shows the same keys as other metrics, so that a period starts at 0 for each of
// them. The usage of keys that have expired since is shown as user "other", so that the
// period adds up.
func (c toDate) collect(out emitter, shown []usage.Total, used []usage.Total) {
	keys := make(map[usage.Key]sum, len(shown))
	for _, t := range shown {
		keys[t.Key] = sum{begun: t.Priced}
	}
	for _, u := range used {
		k := u.Key
		if _, ok := keys[k]; !ok {
			k.User = other
		}
		keys[k] = keys[k].plus(u)
	}
	for k, s := range keys {
		out.gauge(c.energy, float64(s.energy), k.Project, k.Machine, k.User, k.Group)
		if s.priced || s.begun && s.energy == 0 {
			out.gauge(c.emissions, float64(s.emissions), k.Project, k.Machine, k.User, k.Group)
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
	begun     bool // had emissions before: a period without usage has emissions of 0
}

func (s sum) plus(u usage.Total) sum {
	return sum{s.energy + u.Energy.Total(), s.emissions + u.Emissions.Total(), s.priced || u.Priced, s.begun}
}
