// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var (
	muonA    = key("IDAaaS", "Muon", "a", "ISIS")
	muonB    = key("IDAaaS", "Muon", "b", "ISIS")
	artemisA = key("CDAaaS", "Artemis", "a", "CLF")
	nobody   = key("CDAaaS", "Artemis", usage.Unattributed, "CLF")
)

func threeKeys(i usage.Interval) usage.Record {
	return unpriced(i, fact(muonA, i.Start, 0.06, 0.015), fact(muonB, i.Start, 0.01, 0.002), fact(nobody, i.Start, 0, 0.004))
}

// seen is fact_usage without numbering, one line a member.
func seen(t *testing.T, s *Store) (lines []string) {
	t.Helper()
	for _, row := range readRows(t, s.reader, `SELECT ts, scope, coalesce(cloud_project_name, machine_name, f.user_id, '-'),
			busy_kwh, idle_kwh, busy_gCo2eq, idle_gCo2eq, intensity_gCo2eq_kwh
			FROM fact_usage f LEFT JOIN dim_project USING (project_id) LEFT JOIN dim_machine USING (machine_id) ORDER BY 1, 2, 3`) {
		for i, v := range row {
			if f, ok := v.(float64); ok {
				row[i] = math.Round(f*1e9) / 1e9
			}
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintln(row...)))
	}
	return lines
}

func TestUnpricedHasEnergyAndNoGrams(t *testing.T) {
	s := newStore(t)
	commit(t, s, threeKeys(at(21)))
	want := []string{
		"2025-09-11T10:30:00Z ada - 0.07 0.021 <nil> <nil> <nil>",
		"2025-09-11T10:30:00Z machine Artemis 0 0.004 <nil> <nil> <nil>",
		"2025-09-11T10:30:00Z machine Muon 0.07 0.017 <nil> <nil> <nil>",
		"2025-09-11T10:30:00Z project CDAaaS 0 0.004 <nil> <nil> <nil>",
		"2025-09-11T10:30:00Z project IDAaaS 0.07 0.017 <nil> <nil> <nil>",
		"2025-09-11T10:30:00Z user a 0.06 0.015 <nil> <nil> <nil>",
		"2025-09-11T10:30:00Z user b 0.01 0.002 <nil> <nil> <nil>",
		"2025-09-11T10:30:00Z user unattributed 0 0.004 <nil> <nil> <nil>",
	}
	if got := seen(t, s); !slices.Equal(got, want) {
		t.Errorf("fact_usage is\n%q, want\n%q", got, want)
	}
	for _, view := range []string{"v_ada_timeseries", "v_user_timeseries", "v_project_totals", "v_group_totals", "v_usage"} {
		for _, row := range readRows(t, s.reader, "SELECT busy_gCo2eq, idle_gCo2eq FROM "+view) {
			if row[0] != nil || row[1] != nil {
				t.Errorf("%s shows %v g of an unpriced interval", view, row)
			}
		}
	}
	sum := summary(t, s)
	if math.Abs(float64(sum.Unpriced)-0.091) > 1e-12 || sum.States[usage.Unpriced] != 1 {
		t.Errorf("unpriced %v kWh in %v", sum.Unpriced, sum.States)
	}
	for _, total := range sum.Totals {
		if total.Priced || total.Emissions.Total() != 0 || total.SettledEnergy.Total() != 0 {
			t.Errorf("an unpriced key has %+v", total)
		}
	}
}

func TestPricedIsReadBackEverywhere(t *testing.T) {
	s := newStore(t)
	commit(t, s, withPrice(threeKeys(at(21)), 200, usage.Provisional))
	if got, want := seen(t, s)[0], "2025-09-11T10:30:00Z ada - 0.07 0.021 14 4.2 200"; got != want {
		t.Errorf("the site is %q, want %q", got, want)
	}
	for _, c := range []struct {
		query string
		want  []any
	}{
		{"SELECT ts, busy_gCo2eq, intensity_gCo2eq_kwh FROM v_ada_timeseries", []any{"2025-09-11T10:30:00Z", 14.0, 200.0}},
		{"SELECT cloud_project_name, ts, idle_kwh, idle_gCo2eq FROM v_project_timeseries WHERE cloud_project_name = 'IDAaaS'", []any{"IDAaaS", "2025-09-11T10:30:00Z", 0.017, 3.4}},
		{"SELECT machine_name, busy_gCo2eq FROM v_machine_totals WHERE machine_name = 'Muon'", []any{"Muon", 14.0}},
		{"SELECT user_id, busy_gCo2eq, idle_gCo2eq FROM v_user_totals WHERE user_id = 'a'", []any{"a", 12.0, 3.0}},
		{"SELECT user_id, avg_busy_energy_kwh, avg_intensity_gCo2eq_kwh FROM v_user_averages WHERE user_id = 'b'", []any{"b", 0.01, 200.0}},
		{"SELECT group_name, busy_kwh FROM v_group_totals WHERE group_name = 'ISIS'", []any{"ISIS", 0.07}},
		{"SELECT group_name, idle_kwh FROM v_group_totals WHERE group_name = 'unattributed'", []any{"unattributed", 0.004}},
		{"SELECT ts, group_name, busy_gCo2eq, provenance FROM v_usage WHERE user_id = 'a'", []any{"2025-09-11T10:30:00Z", "ISIS", 12.0, "forecast"}},
		{"SELECT count(*) FROM map_user_project", []any{int64(3)}},
		{"SELECT count(*) FROM map_project_machine", []any{int64(2)}},
	} {
		rows := readRows(t, s.reader, c.query)
		if len(rows) != 1 {
			t.Errorf("%s gives %v", c.query, rows)
			continue
		}
		for i, v := range rows[0] {
			if f, ok := v.(float64); ok {
				rows[0][i] = math.Round(f*1e9) / 1e9
			}
		}
		if !reflect.DeepEqual(rows[0], c.want) {
			t.Errorf("%s gives %v, want %v", c.query, rows[0], c.want)
		}
	}
	sum := summary(t, s)
	if len(sum.Totals) != 3 || sum.Totals[1].Key != muonA || !slices.Equal(sum.Machines, []string{"Artemis", "Muon"}) {
		t.Fatalf("totals %+v, machines %v", sum.Totals, sum.Machines)
	}
	a := sum.Totals[1]
	if !a.Priced || !a.Last.Equal(at(21).Start) || math.Abs(float64(a.Emissions.Busy)-12) > 1e-12 ||
		math.Abs(float64(a.CPU.Busy)-18000) > 1e-9 || a.SettledEmissions.Total() != 0 {
		t.Errorf("total of a is %+v", a)
	}
	n := sum.Newest
	if n == nil || n.Interval != at(21) || len(n.Usage) != 3 || !n.Usage[1].Priced ||
		sum.Attended.Coverage["IDAaaS"] != (usage.Coverage{Seen: 1700, Capacity: 1800}) {
		t.Errorf("newest is %+v", n)
	}
}

func TestAnHourIsPricedHalfHourByHalfHour(t *testing.T) {
	s := openStore(t, t.TempDir()+"/carbon.db", Options{Interval: 2 * half})
	i := usage.IntervalAt(at(20).Start, 2*half)
	rec := unpriced(i, fact(muonA, i.Start, 0.10, 0), fact(muonA, i.Start.Add(half), 0.02, 0))
	commit(t, s, rec)
	prices := []usage.PiecePrice{priceAt(i.Start, 250), priceAt(i.Start.Add(half), 100)}
	if err := reprice(t.Context(), s, i, prices, usage.Provisional); err != nil {
		t.Fatal(err)
	}
	if got, want := seen(t, s)[0], "2025-09-11T10:00:00Z ada - 0.12 0 27 0 225"; got != want {
		t.Errorf("the site is %q, want %q", got, want)
	}
	sum := summary(t, s)
	if g := float64(sum.Totals[0].Emissions.Busy); math.Abs(g-27) > 1e-12 {
		t.Errorf("total is %v g, want 27", g)
	}
	if g := float64(sum.Newest.Usage[0].Emissions.Busy); math.Abs(g-27) > 1e-12 || len(sum.Newest.Usage) != 1 {
		t.Errorf("newest is %+v, want 27 g of one key", sum.Newest.Usage)
	}
}

func TestRepriceRestatesGramsAndNothingElse(t *testing.T) {
	one, other := newStore(t), newStore(t)
	commit(t, one, threeKeys(at(1)), withPrice(threeKeys(at(2)), 200, usage.Provisional))
	commit(t, other, withPrice(threeKeys(at(1)), 180, usage.Settled), withPrice(threeKeys(at(2)), 90, usage.Provisional))
	for i, price := range map[usage.Interval]float64{at(1): 180, at(2): 90} {
		state := usage.Provisional
		if i == at(1) {
			state = usage.Settled
		}
		if err := reprice(t.Context(), one, i, priced(i, price), state); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []*Store{one, other} {
		execute(t, s.writer, "UPDATE usage_interval SET revision = NULL") // it counts the changes, and there were others
	}
	if got, want := dump(t, one), dump(t, other); got != want {
		t.Errorf("repriced:\n%s\ncommitted with the same prices:\n%s", got, want)
	}
}

func TestSettledIsFinal(t *testing.T) {
	s := newStore(t)
	commit(t, s, withPrice(threeKeys(at(1)), 200, usage.Settled))
	before := dump(t, s)
	for name, do := range map[string]func() error{
		"other facts": func() error {
			return commitOne(t.Context(), s, withPrice(unpriced(at(1), fact(artemisA, at(1).Start, 9, 9)), 1, usage.Settled))
		},
		"an empty answer": func() error {
			return commitOne(t.Context(), s, usage.Record{Interval: at(1), State: usage.Empty, FetchedAt: at(9).Start})
		},
		"another price": func() error { return reprice(t.Context(), s, at(1), priced(at(1), 1), usage.Settled) },
	} {
		if err := do(); !errors.Is(err, usage.ErrSettled) {
			t.Errorf("%s: %v, want ErrSettled", name, err)
		}
		if after := dump(t, s); after != before {
			t.Errorf("%s changed the store from\n%s\nto\n%s", name, before, after)
		}
	}
	sum := summary(t, s)
	if got := sum.Totals[1]; math.Abs(float64(got.SettledEmissions.Busy)-12) > 1e-12 || math.Abs(float64(got.SettledEnergy.Idle)-0.015) > 1e-12 {
		t.Errorf("settled total is %+v", got)
	}
}

func TestNoIntervalGoesBack(t *testing.T) {
	s := newStore(t)
	commit(t, s, withPrice(threeKeys(at(1)), 200, usage.Provisional))
	before := dump(t, s)
	commit(t, s, threeKeys(at(1)))
	if after := dump(t, s); after != before {
		t.Errorf("the same facts without a price changed\n%s\nto\n%s", before, after)
	}
	commit(t, s, usage.Record{Interval: at(1), State: usage.Empty, FetchedAt: at(9).Start})
	if after := dump(t, s); after != before {
		t.Errorf("an empty answer changed\n%s\nto\n%s", before, after)
	}
	if err := reprice(t.Context(), s, at(1), nil, usage.Unpriced); err == nil {
		t.Error("a provisional interval has become unpriced")
	}
	if err := reprice(t.Context(), s, at(2), priced(at(2), 1), usage.Settled); err == nil {
		t.Error("an interval that was never stored has a price")
	}
}

func TestRecordsThatMakeNoSenseAreRefused(t *testing.T) {
	s := newStore(t)
	inf := fact(muonA, at(1).Start, math.Inf(1), 0)
	for _, c := range []struct {
		name string
		rec  usage.Record
	}{
		{"facts and empty", usage.Record{Interval: at(1), State: usage.Empty, Facts: threeKeys(at(1)).Facts}},
		{"no facts and unpriced", unpriced(at(1))},
		{"missing is not for commit", usage.Record{Interval: at(1), State: usage.Missing, Facts: threeKeys(at(1)).Facts}},
		{"settled without a price", usage.Record{Interval: at(1), State: usage.Settled, Facts: threeKeys(at(1)).Facts}},
		{"unpriced with a price", withPrice(threeKeys(at(1)), 1, usage.Unpriced)},
		{"the price of another time", usage.Record{Interval: at(1), State: usage.Settled, Facts: threeKeys(at(1)).Facts, Prices: priced(at(2), 1)}},
		{"a fact of the next interval", unpriced(at(1), fact(muonA, at(2).Start, 1, 1))},
		{"a fact inside a piece", unpriced(at(1), fact(muonA, at(1).Start.Add(1e9), 1, 1))},
		{"infinite energy", unpriced(at(1), inf)},
		{"no number", unpriced(at(1), fact(muonA, at(1).Start, math.NaN(), 0))},
		{"one key twice", unpriced(at(1), fact(muonA, at(1).Start, 1, 0), fact(muonA, at(1).Start, 2, 0))},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := dump(t, s)
			if err := commitOne(t.Context(), s, c.rec); err == nil {
				t.Error("was stored")
			}
			if dump(t, s) != before {
				t.Error("has changed the store")
			}
		})
	}
}
