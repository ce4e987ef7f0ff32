// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package power_test

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// metered is a site with meters of every kind.
type metered struct {
	*site
	over   span
	hosts  []*meteredHost
	gpus   []gpu
	owners string    // the directory, as a file
	held   float64   // watts of a GiB of memory
	flat   float64   // the PUE; 0: that of pue
	hole   time.Time // when it begins
	change time.Time // of a label
}

// meteredHost is a host and the truth of it.
type meteredHost struct {
	host
	project, machine string
	watts            func(time.Time) float64 // what its meters show, added up; nil: it has none
	gone             func(time.Time) bool    // when one of them shows nothing; nil: never
	user             func(time.Time) string
	model            usage.BusyIdle[float64] // watts of a thread, as configured
}

// gpu is a device that counts its energy.
type gpu struct {
	watts            float64
	project, machine string
	user             string
	labels           labels
	begins           time.Time // again at 0
}

const (
	memoryGiB      = 64.0
	beyond         = 0.1 // what the meter of the site sees more than all hosts draw
	grams          = 100.0
	intervalsThere = 10
)

// owns is a user all the time.
func owns(user string) func(time.Time) string { return func(time.Time) string { return user } }

// until is one user before a time and another from then on.
func until(one string, at time.Time, other string) func(time.Time) string {
	return func(t time.Time) string {
		if t.Before(at) {
			return one
		}
		return other
	}
}

// pue is that of a half hour, which changes just after its edge.
func (m *metered) pue(at time.Time) float64 {
	n := math.Ceil(at.Sub(m.over.first).Hours()*2 - 1e-9)
	return 1.2 + 0.02*math.Mod(n+100, 7)
}

func newMetered(t *testing.T) *metered {
	t.Helper()
	over := spanOf(halfHour, intervalsThere)
	m := &metered{site: newSite(t, over.first.Add(-45*time.Minute), over.end.Add(time.Hour)), over: over, held: 0.4}
	at := func(intervals, minutes int) time.Time {
		return over.first.Add(time.Duration(intervals)*halfHour + time.Duration(minutes)*time.Minute)
	}
	minute := func(t time.Time) float64 { return t.Sub(over.first).Minutes() }
	m.hole, m.change = at(5, 0), at(6, 20)
	inHole := func(t time.Time) bool {
		return !t.Before(m.hole.Add(10*time.Minute)) && t.Before(m.hole.Add(20*time.Minute))
	}
	handed := at(3, 10)
	m.hosts = []*meteredHost{
		{host{packages: 1, threads: 4, busy: 0.25}, "ISIS", "Muon", func(t time.Time) float64 {
			return math.Round(200+50*math.Sin(minute(t)/9)) + 40 + math.Mod(minute(t)+600, 20)
		}, nil, owns("ada"), usage.BusyIdle[float64]{Busy: 9, Idle: 2}},
		{host{packages: 1, threads: 4, busy: 0.5}, "ISIS", "Muon", func(t time.Time) float64 {
			return 150 + math.Mod(minute(t)+600, 7)
		}, inHole, until("ada", handed, "bob"), usage.BusyIdle[float64]{Busy: 9, Idle: 2}},
		{host{packages: 2, threads: 2, busy: 0.75}, "CLF", "Laser", func(time.Time) float64 { return 65 }, nil, until("carl", m.change, "eve"), usage.BusyIdle[float64]{Busy: 12, Idle: 1}},
		{host{packages: 1, threads: 8, busy: 0.5}, "AI", "Gpu", nil, nil, owns("dora"), usage.BusyIdle[float64]{Busy: 4, Idle: 1}},
		{host{packages: 1, threads: 8, busy: 0.1}, "AI", "Gpu", nil, nil, owns(usage.Unattributed), usage.BusyIdle[float64]{Busy: 4, Idle: 1}},
	}
	m.owners = fmt.Sprintf("host,owner,from,to\n10.1.0.2,ada,%[1]s,%[2]s\n10.1.0.2,bob,%[2]s,\n10.1.0.4,dora,%[1]s,\n",
		over.first.Add(-48*time.Hour).Format(time.RFC3339), handed.Format(time.RFC3339))
	own := labels{"cloud_project_name": "ISIS", "user": "gil"}
	m.gpus = []gpu{
		{300, "AI", "Gpu", "dora", labels{"instance": "10.1.0.4:9400", "gpu": "0", "UUID": "GPU-a"}, time.Time{}},
		{120, "AI", "Gpu", "dora", labels{"instance": "10.1.0.4:9400", "gpu": "1", "UUID": "GPU-b"}, at(2, 13)},
		{90, "ISIS", "Gpu", "gil", own.of(labels{"instance": "10.1.0.5:9400", "gpu": "0", "UUID": "GPU-c"}), time.Time{}},
	}
	m.scraped()
	return m
}

// scraped records what the exporters of the site show.
func (m *metered) scraped() {
	for i, h := range m.hosts {
		address := fmt.Sprintf("10.1.0.%d", i+1)
		h.labels = labels{"instance": address + ":9100", "cloud_project_name": h.project, "machine_name": h.machine}
		m.record("node_memory_MemTotal_bytes", h.labels, constant(memoryGiB*(1<<30)))
		switch i {
		case 0: // a label says whose it is
			h.labels["user"] = "ada"
			fallthrough
		case 1: // two power supplies, by another exporter
			for n, part := range []float64{0.75, 0.25} {
				l := labels{"instance": address + ":9290", "psu": fmt.Sprint(n)}
				m.record("ipmi_watts", l, func(at time.Time) (float64, bool) {
					return part * h.watts(at), n == 0 || h.gone == nil || !h.gone(at)
				})
			}
		case 2:
			for n, watts := range []float64{40, 25} {
				m.record("rapl_joules_total", labels{"instance": address + ":9100", "package": fmt.Sprint(n)}, always(m.grows(watts)))
			}
		}
		if i != 2 {
			m.run(h.host, nil)
			continue
		}
		for _, user := range []string{"carl", "eve"} {
			named := h.host
			named.labels = h.labels.of(labels{"user": user})
			m.run(named, func(at time.Time) bool { return at.Before(m.change) == (user == "carl") })
		}
	}
	for _, g := range m.gpus {
		grown := m.grows(g.watts * 1000)
		m.record("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", g.labels, always(func(at time.Time) float64 {
			if g.begins.IsZero() || at.Before(g.begins) {
				return grown(at)
			}
			return grown(at) - grown(g.begins.Add(-time.Minute))
		}))
	}
	m.record("facility_pue", labels{}, always(m.pue))
	m.record("pdu_watts", labels{"pdu": "a"}, always(func(at time.Time) float64 { return (1 + beyond) * m.draws(at) }))
}

// draws is what all hosts and devices draw, in watts.
func (m *metered) draws(at time.Time) (sum float64) {
	for _, h := range m.hosts {
		if h.watts != nil {
			sum += h.watts(at)
			continue
		}
		sum += h.all()*(h.busy*h.model.Busy+(1-h.busy)*h.model.Idle) + memoryGiB*m.held
	}
	for _, g := range m.gpus {
		sum += g.watts
	}
	return sum
}

// kwh is the integral of watts in an interval, along lines between scrapes. A minute without a
// value is missing, and covered is the part of the interval that is not.
func kwh(i usage.Interval, watts func(time.Time) float64, gone func(time.Time) bool) (sum, covered float64) {
	for at := i.Start; !at.After(i.End()); at = at.Add(time.Minute) {
		part := time.Minute.Hours()
		if at.Equal(i.Start) || at.Equal(i.End()) {
			part /= 2
		}
		if gone == nil || !gone(at) {
			sum += part * watts(at) / 1000
			covered += part / i.Length.Hours()
		}
	}
	return sum, covered
}

// key is whose energy it is, and mode how it was used.
type key struct{ project, machine, user, mode string }

// truth is the energy of each key in an interval, with PUE.
func (m *metered) truth(i usage.Interval) map[key]float64 {
	all := map[key]float64{}
	ratio := cmp.Or(m.flat, m.pue(i.End()))
	add := func(k key, v float64) { all[k] += v * ratio }
	for _, h := range m.hosts {
		cpu := h.cpu(time.Minute)
		busy, idle := cpu.Busy*h.model.Busy/3.6e6, cpu.Idle*h.model.Idle/3.6e6 // of a minute, by the model
		memory := memoryGiB * m.held / 60 / 1000
		by := 1.0
		if h.watts != nil { // a meter says how much it is, and the model how it is divided
			energy, covered := kwh(i, h.watts, h.gone)
			by, memory = energy/(busy+idle)/i.Length.Minutes()+1-covered, memory*(1-covered)
		}
		for at := i.Start; at.Before(i.End()); at = at.Add(time.Minute) {
			k := key{h.project, h.machine, h.user(at), "busy"}
			add(k, busy*by)
			k.mode = "idle"
			add(k, idle*by+memory)
		}
	}
	for _, g := range m.gpus {
		add(key{g.project, g.machine, g.user, "measured"}, g.watts*i.Length.Hours()/1000)
	}
	return all
}

// meteredPower is how the exporter is told of it.
const meteredPower = `power:
  pue: {query: facility_pue, otherwise: 1.5}
  memory_watts_per_gib: 0.4
  machines: {Muon: {busy_watts: 9, idle_watts: 2}, Laser: {busy_watts: 12, idle_watts: 1}, Gpu: {busy_watts: 4, idle_watts: 1}}
  measured:
    - {name: ipmi, query: ipmi_watts, error: 0.02}
    - {name: rapl, query: 'rate(rapl_joules_total[2m])'}
  devices: [{name: gpu, query: DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION, unit: mJ, error: 0.05}]
  reconcile: {query: sum(pdu_watts)}
`

// directory has the owners, and two budgets that last longer than any test.
const directory = `directory: {file: owners.csv}
budgets:
  - {name: all, scope: site, from: 2020-01-01, to: 2999-01-01, mwh: 1}
  - {name: ai, scope: project, target: AI, from: 2020-01-01, to: 2999-01-01, kgco2eq: 1}
`

// place is one for an exporter of this site, that asks a server.
func (m *metered) place(t *testing.T, asks *site, power string) place {
	t.Helper()
	where := newPlace(t, m.over.config(asks, directory+power))
	write(t, filepath.Join(filepath.Dir(where.config), "owners.csv"), m.owners)
	return where
}
