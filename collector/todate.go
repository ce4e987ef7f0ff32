package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// ToDate is what was used since the period began that holds now, by key; a key
// that is not there has used nothing since.
type ToDate struct {
	Day, Month, Year []usage.Total
}

// toDate shows usage since a period began. Busy and idle are one: whoever wants
// them apart has carbon_energy_kwh.
type toDate struct {
	energy, emissions *prometheus.Desc
}

func newToDate(energy, emissions, since string) toDate {
	labels := []string{"project", "machine", "user", "group"}
	return toDate{
		energy: prometheus.NewDesc(energy,
			"Energy since "+since+", PUE included, as known now: from the store, whatever Prometheus has kept. Begins again with 0.", labels, nil),
		emissions: prometheus.NewDesc(emissions,
			"Emissions since "+since+" of what is priced, as known now: from the store, whatever Prometheus has kept. Begins again with 0; absent while there is energy and none of it is priced.", labels, nil),
	}
}

func (c toDate) describe(ch chan<- *prometheus.Desc) { ch <- c.energy; ch <- c.emissions }

// collect shows the keys that are shown elsewhere, so that a period begins with 0
// for each of them and not without it. What others have used in the period, who
// have left since, is other's: the period adds up.
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

// other is the user of whom nobody is named.
const other = "other"

// sum is energy, and emissions of what of it is priced.
type sum struct {
	energy    usage.KWh
	emissions usage.Grams
	priced    bool
	begun     bool // there were emissions before: a period without usage has 0 of them
}

func (s sum) plus(u usage.Total) sum {
	return sum{s.energy + u.Energy.Total(), s.emissions + u.Emissions.Total(), s.priced || u.Priced, s.begun}
}
