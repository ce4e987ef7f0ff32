// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package power_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	epyc = "AMD EPYC 7763 64-Core Processor"
	xeon = "Intel(R) Xeon(R) Gold 6248R CPU @ 3.00GHz"
)

// small is a host of four threads, half of them busy, so that its model of 10 W busy and 2 W idle
// has 24 W.
func small(address, project, machine, model string) host {
	return host{
		labels:   labels{"instance": address, "cloud_project_name": project, "machine_name": machine},
		packages: 1, threads: 4, busy: 0.5, model: model,
	}
}

const (
	modelled   = 24.0
	smallPower = "power:\n  machines: {Muon: {busy_watts: 10, idle_watts: 2}}\n"
)

// What instruments show is now and then not what somebody meant them to show. None of it is lost,
// counted twice or made up.
func TestInstrumentsThatChange(t *testing.T) {
	t.Parallel()
	over := spanOf(halfHour, 3)
	at := func(minutes int) time.Time { return over.first.Add(time.Duration(minutes) * time.Minute) }
	before := func(minutes int) func(time.Time) bool {
		return func(t time.Time) bool { return t.Before(at(minutes)) }
	}
	const one, two = "10.2.0.1:9100", "10.2.0.2:9100"
	meter := smallPower + "  measured: [{name: ipmi, query: ipmi_watts}]\n"
	gpus := smallPower + "  devices: [{name: gpu, query: gpu_joules_total, unit: J}]\n"
	at100 := func(shows func(time.Time) bool) func(*site) {
		return func(s *site) {
			s.run(small(one, "ISIS", "Muon", ""), nil)
			s.record("ipmi_watts", labels{"instance": one}, func(at time.Time) (float64, bool) { return 100, shows(at) })
		}
	}
	for _, c := range []struct {
		name   string
		power  string
		there  func(s *site)
		watts  [3]map[string]float64 // mean in each half hour, by project and mode of energy
		within float64               // of them; 0: exactly
	}{
		{
			name: "a meter that stops for ever: the model takes over", power: meter, there: at100(before(50)),
			watts: [3]map[string]float64{{"ISIS": 100}, {"ISIS": (19.5*100 + 10.5*modelled) / 30}, {"ISIS": modelled}},
		},
		{
			name: "a meter that begins: until then the model counts", power: meter, there: at100(func(t time.Time) bool { return !t.Before(at(30)) }),
			watts: [3]map[string]float64{{"ISIS": (0.5*100 + 29.5*modelled) / 30}, {"ISIS": 100}, {"ISIS": 100}},
		},
		{
			name: "a meter that reads 0 has measured nothing", power: meter,
			there: func(s *site) {
				s.run(small(one, "ISIS", "Muon", ""), nil)
				s.record("ipmi_watts", labels{"instance": one}, always(func(t time.Time) float64 {
					if before(30)(t) {
						return 100
					}
					return 0
				}))
			},
			watts: [3]map[string]float64{{"ISIS": (29.5*100 + 0.5*modelled) / 30}, {"ISIS": modelled}, {"ISIS": modelled}},
		},
		{
			name: "a meter of a host that nobody knows, beside one that is known", power: meter,
			there: func(s *site) {
				at100(before(200))(s)
				s.record("ipmi_watts", labels{"instance": two}, constant(500))
			},
			watts: [3]map[string]float64{{"ISIS": 100}, {"ISIS": 100}, {"ISIS": 100}},
		},
		{
			name: "a device without a host is nobody's, and counts", power: gpus,
			there: func(s *site) {
				s.run(small(one, "ISIS", "Muon", ""), nil)
				s.record("gpu_joules_total", labels{"gpu": "0"}, always(s.grows(70)))
			},
			watts: [3]map[string]float64{
				{"ISIS": modelled, "unknown measured": 70}, {"ISIS": modelled, "unknown measured": 70}, {"ISIS": modelled, "unknown measured": 70},
			},
		},
		{
			name: "a device with a project of its own, and one with that of its host", power: gpus,
			there: func(s *site) {
				s.run(small(one, "ISIS", "Muon", ""), nil)
				s.record("gpu_joules_total", labels{"gpu": "0", "instance": "10.2.0.1:9400", "cloud_project_name": "CLF"}, always(s.grows(70)))
				s.record("gpu_joules_total", labels{"gpu": "1", "instance": "10.2.0.1:9400"}, always(s.grows(30)))
			},
			watts: [3]map[string]float64{
				{"ISIS": modelled, "ISIS measured": 30, "CLF measured": 70},
				{"ISIS": modelled, "ISIS measured": 30, "CLF measured": 70},
				{"ISIS": modelled, "ISIS measured": 30, "CLF measured": 70},
			},
		},
		{
			name: "a device of a host that two projects share", power: gpus,
			there: func(s *site) {
				s.run(small(one, "ISIS", "Muon", ""), before(40))
				s.run(small(one, "CLF", "Muon", ""), func(t time.Time) bool { return !before(40)(t) })
				s.record("gpu_joules_total", labels{"gpu": "0", "instance": one}, always(s.grows(60)))
			},
			watts: [3]map[string]float64{
				{"ISIS": modelled, "ISIS measured": 60},
				{"ISIS": modelled / 3, "ISIS measured": 20, "CLF": modelled * 2 / 3, "CLF measured": 40},
				{"CLF": modelled, "CLF measured": 60},
			},
			within: 0.101, // a minute of ten is between two scrapes
		},
		{
			name: "a hole of the site of twenty minutes: counters lose nothing, and the model counts for the meter", power: meter + "  devices: [{name: gpu, query: gpu_joules_total, unit: J}]\n",
			there: func(s *site) {
				seen := func(t time.Time) bool { return t.Before(at(35)) || !t.Before(at(55)) }
				s.run(small(one, "ISIS", "Muon", ""), seen)
				s.record("ipmi_watts", labels{"instance": one}, func(at time.Time) (float64, bool) { return 100, seen(at) })
				counter := s.grows(60)
				s.record("gpu_joules_total", labels{"gpu": "0", "instance": one}, func(at time.Time) (float64, bool) { return counter(at), seen(at) })
			},
			watts: [3]map[string]float64{
				{"ISIS": 100, "ISIS measured": 60}, {"ISIS": (10*100 + 20*modelled) / 30, "ISIS measured": 60}, {"ISIS": 100, "ISIS measured": 60},
			},
		},
		{
			name: "two meters of a host by two exporters: the first of the configuration, and where it has a hole the other", power: smallPower +
				"  measured: [{name: ipmi, query: ipmi_watts}, {name: rapl, query: rapl_watts}]\n",
			there: func(s *site) {
				s.run(small(one, "ISIS", "Muon", ""), nil)
				s.record("rapl_watts", labels{"instance": one}, constant(60))
				s.record("ipmi_watts", labels{"instance": "10.2.0.1:9290"}, func(t time.Time) (float64, bool) {
					return 100, before(40)(t) || !before(50)(t)
				})
			},
			watts: [3]map[string]float64{{"ISIS": 100}, {"ISIS": 60}, {"ISIS": 100}},
		},
		{
			name: "a host that is switched off with its meter: only what was measured", power: meter,
			there: func(s *site) {
				s.run(small(one, "ISIS", "Muon", ""), before(45))
				s.record("ipmi_watts", labels{"instance": one}, func(t time.Time) (float64, bool) { return 100, before(45)(t) })
			},
			watts:  [3]map[string]float64{{"ISIS": 100}, {"ISIS": 100 * 14.5 / 30}, {}},
			within: 0.04,
		},
		{
			name: "a PUE that is not measured any more: the last one counts", power: smallPower + "  pue: {query: facility_pue, otherwise: 3}\n",
			there: func(s *site) {
				s.run(small(one, "ISIS", "Muon", ""), nil)
				s.record("facility_pue", labels{}, func(at time.Time) (float64, bool) { return 1.5, before(40)(at) })
			},
			watts: [3]map[string]float64{{"ISIS": modelled * 1.5}, {"ISIS": modelled * 1.5}, {"ISIS": modelled * 1.5}},
		},
		{
			name: "a device of a host that nobody scrapes is nobody's, and counts", power: gpus,
			there: func(s *site) {
				s.run(small(one, "ISIS", "Muon", ""), nil)
				s.record("gpu_joules_total", labels{"gpu": "0", "instance": two}, always(s.grows(70)))
			},
			watts: [3]map[string]float64{
				{"ISIS": modelled, "unknown measured": 70}, {"ISIS": modelled, "unknown measured": 70}, {"ISIS": modelled, "unknown measured": 70},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, over.first.Add(-45*time.Minute), over.end.Add(time.Hour))
			c.there(s)
			where := newPlace(t, over.config(s, c.power))
			where.tool(t, over.backfill()...)
			for n, i := range over.intervals() {
				want := map[string]float64{}
				for name, watts := range c.watts[n] {
					want[name] = watts * i.Length.Hours() / 1000
				}
				same(t, "energy in "+i.String(), where.byProject(t, i), want, max(c.within, 1e-6))
			}
			where.tool(t, "check", "store")
		})
	}
}

// byProject is the energy of each project in a piece, and of what is measured of it.
func (p place) byProject(t *testing.T, piece usage.Interval) map[string]float64 {
	t.Helper()
	return p.numbers(t, fmt.Sprintf(`WITH u AS (SELECT * FROM v_usage WHERE ts = '%s')
		SELECT cloud_project_name, sum(busy_kwh + idle_kwh) FROM u GROUP BY 1 HAVING sum(busy_kwh + idle_kwh) > 0
		UNION ALL SELECT cloud_project_name || ' measured', sum(measured_kwh) FROM u GROUP BY 1 HAVING sum(measured_kwh) > 0`, piece.Start.Format(time.RFC3339)))
}

// Machine types are what site calls them. What their hosts are, the hosts say.
func TestProcessorsThatChange(t *testing.T) {
	t.Parallel()
	over := spanOf(halfHour, 3)
	s := newSite(t, over.first.Add(-45*time.Minute), over.end.Add(time.Hour))
	changed := over.first.Add(42 * time.Minute)
	replaced := small("10.3.0.1:9100", "P", "Replaced", "")
	s.run(replaced, nil)
	s.says(replaced, epyc, func(at time.Time) bool { return at.Before(changed) })
	s.says(replaced, xeon, func(at time.Time) bool { return !at.Before(changed) })
	s.run(small("10.3.0.2:9100", "P", "Epyc", epyc), nil)
	s.run(small("10.3.0.3:9100", "P", "Xeon", xeon), nil)
	s.run(small("10.3.0.4:9100", "P", "Both", epyc), nil)
	s.run(small("10.3.0.5:9100", "P", "Both", xeon), nil)
	s.run(small("10.3.0.6:9100", "P", "Both", ""), nil)
	where := newPlace(t, over.config(s, ""))
	where.tool(t, over.backfill()...)
	for n, i := range over.intervals() {
		watts := where.numbers(t, fmt.Sprintf(`SELECT machine_name, (busy_watts + idle_watts) * 1.0 FROM interval_power JOIN dim_machine USING (machine_id)
			WHERE start = %d AND source = 'processor'`, i.Start.Unix()))
		if len(watts) != 4 || watts["Epyc"] <= 0 || watts["Xeon"] <= watts["Epyc"] {
			t.Fatalf("%s: %v", i, watts)
		}
		both := (watts["Epyc"] + watts["Xeon"]) / 2
		mixed := watts["Epyc"] + (watts["Xeon"]-watts["Epyc"])*[]float64{0, 18. / 30, 1}[n]
		if !near(watts["Both"], both, 1e-9) || !near(watts["Replaced"], mixed, 0.03) {
			t.Errorf("%s: %v W; half of each is %v W, and the one that is replaced has %v W", i, watts, both, mixed)
		}
	}
	where.tool(t, "check", "store")
}
