// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package power_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// What meters have measured is in every number: by key and half hour in the store, by project,
// machine type, user and mode on /metrics. Nothing that goes wrong on the way changes it.
func TestASiteWithMeters(t *testing.T) {
	t.Parallel()
	m := newMetered(t)
	where := m.place(t, m.site, meteredPower)
	last := where.start(t).settled(intervalsThere)
	sums := m.checkStore(t, where, m.over.intervals())
	for label, want := range sums {
		same(t, "energy on /metrics by "+label, last.by("carbon_energy_kwh", label), want, 1e-6)
		same(t, "settled energy by "+label, last.by("carbon_settled_energy_kwh_total", label), want, 1e-6)
	}
	projects := sums["project"]
	same(t, "budget", last.by("carbon_budget_used_kwh", "budget"), map[string]float64{"all": projects["ISIS"] + projects["CLF"] + projects["AI"]}, 1e-6)
	same(t, "budget", last.by("carbon_budget_used_gco2eq", "budget"), map[string]float64{"ai": grams * projects["AI"]}, 1e-6)
	newest := map[string]float64{}
	for k, v := range m.truth(m.over.intervals()[intervalsThere-1]) {
		newest[k.mode] += v * 1000 / halfHour.Hours()
	}
	same(t, "power of the newest interval", last.by("carbon_power_watts", "mode"), newest, 1e-6)
	m.checkViews(t, where, last)
	m.checkAccount(t, where, last)
	where.tool(t, "check", "store")
	t.Run("every factor has a source", func(t *testing.T) { m.explained(t, where) })
	t.Run("a person who is forgotten, and what is exported", func(t *testing.T) { m.forgotten(t, where) })
	t.Run("an outage of two hours, and two kills", func(t *testing.T) { m.outage(t, where) })
	t.Run("a backfill, and a recost", func(t *testing.T) { m.backfilled(t, where) })
	t.Run("intervals of an hour and of five minutes", m.otherIntervals)
}

// checkStore compares pieces of half an hour or less with the truth, by key, and returns the sums
// by label.
func (m *metered) checkStore(t *testing.T, where place, pieces []usage.Interval) map[string]map[string]float64 {
	t.Helper()
	stored := map[string]map[string]float64{} // by start, then key
	each(t, where.store, "SELECT ts, cloud_project_name || ' ' || machine_name || ' ' || user_id, busy_kwh, idle_kwh, measured_kwh FROM v_usage", func(c []any) {
		ts := fmt.Sprint(c[0])
		if stored[ts] == nil {
			stored[ts] = map[string]float64{}
		}
		for i, mode := range []string{"busy", "idle", "measured"} {
			if v, _ := c[2+i].(float64); v != 0 {
				stored[ts][fmt.Sprint(c[1])+" "+mode] = v
			}
		}
	})
	if len(stored) != len(pieces) {
		t.Errorf("%d pieces have usage, want %d", len(stored), len(pieces))
	}
	sums := map[string]map[string]float64{}
	for _, i := range pieces {
		want, relative := map[string]float64{}, 1e-6
		if i.Holds(m.change) {
			relative = 0.101 // of eleven minutes, one is between two scrapes
		}
		for k, v := range m.truth(i) {
			want[strings.Join([]string{k.project, k.machine, k.user, k.mode}, " ")] = v
		}
		got := stored[i.Start.Format("2006-01-02T15:04:05Z")]
		same(t, "energy in "+i.String(), got, want, relative)
		if i.Holds(m.change) {
			want = got // of which no more is known
		}
		for name, v := range want {
			k := strings.Fields(name)
			for n, label := range []string{"project", "machine", "user", "mode"} {
				if sums[label] == nil {
					sums[label] = map[string]float64{}
				}
				sums[label][k[n]] += v
			}
		}
	}
	return sums
}

// checkViews holds every scope of the store to the site.
func (m *metered) checkViews(t *testing.T, where place, last scrape) {
	t.Helper()
	const all = "sum(busy_kwh) + sum(idle_kwh) + sum(measured_kwh)"
	const emitted = "sum(busy_gCo2eq) + sum(idle_gCo2eq) + sum(measured_gCo2eq)"
	site, mass := last.sum("carbon_energy_kwh"), last.sum("carbon_emissions_gco2eq")
	if !near(mass, grams*site, exact) {
		t.Errorf("%v g for %v kWh", mass, site)
	}
	for _, scope := range []string{"ada", "project", "machine", "user"} {
		got := where.numbers(t, "SELECT scope, "+all+" FROM fact_usage WHERE scope = '"+scope+"' GROUP BY scope")
		same(t, "fact_usage of scope", got, map[string]float64{scope: site}, exact)
	}
	for _, view := range []string{"v_ada_timeseries", "v_project_timeseries", "v_machine_timeseries", "v_user_timeseries", "v_project_totals", "v_machine_totals", "v_user_totals", "v_group_totals", "v_usage"} {
		same(t, view, where.numbers(t, "SELECT 'kWh', "+all+" FROM "+view), map[string]float64{"kWh": site}, exact)
		same(t, view, where.numbers(t, "SELECT 'g', "+emitted+" FROM "+view), map[string]float64{"g": mass}, exact)
	}
	for view, label := range map[string]string{"v_project_totals": "project", "v_machine_totals": "machine", "v_user_totals": "user"} {
		member := map[string]string{"project": "cloud_project_name", "machine": "machine_name", "user": "user_id"}[label]
		got := where.numbers(t, fmt.Sprintf("SELECT %s, %s FROM %s GROUP BY 1", member, all, view))
		same(t, view, got, last.by("carbon_energy_kwh", label), exact)
	}
}

// checkAccount compares the meter of the site with what is booked.
func (m *metered) checkAccount(t *testing.T, where place, last scrape) {
	t.Helper()
	measured := where.numbers(t, "SELECT start, measured_kwh FROM interval_zone WHERE zone = 'site'")
	booked := where.numbers(t, "SELECT start, booked_kwh FROM interval_zone WHERE zone = 'site'")
	ratio := where.numbers(t, "SELECT start, pue FROM interval_pue")
	for _, i := range m.over.intervals() {
		start := fmt.Sprint(i.Start.Unix())
		draws, _ := kwh(i, m.draws, nil)
		if !near(measured[start], (1+beyond)*draws, 1e-6) || !i.Start.Equal(m.hole) && !near(booked[start], draws, 1e-6) {
			t.Errorf("%s: of %v kWh, %v are booked; the truth is %v, of which %v are drawn", i, measured[start], booked[start], (1+beyond)*draws, draws)
		}
		if !near(ratio[start], m.pue(i.End()), 1e-9) {
			t.Errorf("%s: the PUE is %v, want %v", i, ratio[start], m.pue(i.End()))
		}
	}
	var sum, less float64
	for start, v := range measured {
		sum, less = sum+v, less+v-booked[start]
	}
	same(t, "measured energy", last.by("carbon_measured_energy_kwh", "zone"), map[string]float64{"site": sum}, exact)
	same(t, "unexplained energy", last.by("carbon_unexplained_energy_kwh", "zone"), map[string]float64{"site": less}, 1e-6)
}
