// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"math/rand"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// In every table and view that people query, busy, idle and measured are all of it, in every scope
// the same; what is not priced has no grams.
func TestViewsHaveMeasuredEnergy(t *testing.T) {
	s := newStore(t)
	r := rand.New(rand.NewSource(4))
	for n := range 12 {
		rec := threeKeys(at(n))
		if n != 5 {
			rec = withPrice(rec, 100+float64(n), usage.Provisional)
		}
		if n%2 == 1 {
			rec = instrument(r, rec)
		}
		commit(t, s, rec)
	}
	if err := reprice(t.Context(), s, at(3), priced(at(3), 40), usage.Settled); err != nil { // no new facts
		t.Fatal(err)
	}
	sums := summary(t, s)
	var energy usage.ByModeSum[usage.KWh]
	var grams usage.ByModeSum[usage.Grams]
	for _, total := range sums.Totals {
		energy.Add(total.Energy)
		grams.Add(total.Emissions)
	}
	e, g := energy.ByMode(), grams.ByMode()
	if e.Measured == 0 || g.Measured == 0 {
		t.Fatal("nothing is measured")
	}
	want := []any{float64(e.Busy), float64(e.Idle), float64(e.Measured), float64(g.Busy), float64(g.Idle), float64(g.Measured)}
	const columns = "sum(busy_kwh), sum(idle_kwh), sum(measured_kwh), sum(busy_gCo2eq), sum(idle_gCo2eq), sum(measured_gCo2eq)"
	for _, from := range []string{
		"fact_usage WHERE scope = 'ada'", "fact_usage WHERE scope = 'project'", "fact_usage WHERE scope = 'machine'", "fact_usage WHERE scope = 'user'",
		"v_ada_timeseries", "v_project_timeseries", "v_machine_timeseries", "v_user_timeseries",
		"v_project_totals", "v_machine_totals", "v_user_totals", "v_usage",
	} {
		if got := readRows(t, s.reader, "SELECT "+columns+" FROM "+from); !same(got[0], want) {
			t.Errorf("%s has %v, want %v", from, got[0], want)
		}
	}
	for _, view := range []string{"v_ada_timeseries", "v_project_timeseries", "v_machine_timeseries", "v_user_timeseries", "v_usage"} {
		if rows := readRows(t, s.reader, "SELECT busy_gCo2eq, idle_gCo2eq, measured_gCo2eq FROM "+view+" WHERE ts = ? AND coalesce(busy_gCo2eq, idle_gCo2eq, measured_gCo2eq) IS NOT NULL", at(5).String()); len(rows) > 0 {
			t.Errorf("%s has grams of an interval without a price: %v", view, rows)
		}
		if rows := readRows(t, s.reader, "SELECT ts FROM "+view+" WHERE ts <> ? AND abs(busy_gCo2eq + idle_gCo2eq + measured_gCo2eq - (busy_kwh + idle_kwh + measured_kwh) * intensity_gCo2eq_kwh) > 1e-9", at(5).String()); len(rows) > 0 {
			t.Errorf("%s: energy x intensity is not the emissions at %v", view, rows)
		}
	}
	if rows := readRows(t, s.reader, "SELECT ts FROM fact_usage WHERE measured_kwh = 0 AND measured_gCo2eq > 0"); len(rows) > 0 {
		t.Errorf("grams without energy at %v", rows)
	}
}

// Where there are devices, active workspaces have their energy; it leaves with the workspace.
func TestActiveWorkspacesHaveTheEnergyOfDevices(t *testing.T) {
	s := newStore(t)
	active(t, s, epoch, usage.Active{Key: muonA, Host: "h1:9100", Started: epoch})
	commit(t, s, everything(at(1)))
	all, err := s.Active(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	a := all[0]
	if a.Energy != (usage.ByMode[usage.KWh]{Busy: 0.3, Idle: 0.1, Measured: 0.5}) || !a.Priced || a.Emissions.Measured != a.Energy.Measured.At(200) {
		t.Errorf("got %+v", a)
	}
	active(t, s, epoch)
	if n := rowsOf(t, s, "workspace_beside"); n != 0 {
		t.Errorf("%d rows of a workspace that is gone", n)
	}
}
