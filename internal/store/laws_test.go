// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"math"
	"math/rand"
	"reflect"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestCommittingTwiceChangesNothing(t *testing.T) {
	for seed := range int64(2) {
		s := newStore(t)
		r := rand.New(rand.NewSource(seed))
		var records []any
		for n := range 6 {
			rec := randomRecord(r, at(n))
			if rec.State == usage.Settled {
				rec.State = usage.Provisional
			}
			records = append(records, rec)
		}
		records = append(records, with(usage.Record{
			Interval: at(6), State: usage.Empty, FetchedAt: at(7).Start,
			Coverage: map[string]usage.Coverage{"p0": {Seen: 1, Capacity: 2}},
		}, usage.Policy{AskAgain: at(9).Start}))
		commit(t, s, records...)
		before := dump(t, s)
		for _, n := range r.Perm(len(records)) {
			commit(t, s, records[n])
			if after := dump(t, s); after != before {
				t.Fatalf("seed %d: committing number %d again changed\n%s\nto\n%s", seed, n, before, after)
			}
		}
	}
}

func TestAnyOrderGivesTheSameTotals(t *testing.T) {
	var records []usage.Record
	r := rand.New(rand.NewSource(7))
	for n := range 8 {
		records = append(records, randomRecord(r, at(n)))
	}
	// The first store is committed in order, the others in any order, with other
	// facts before the right ones and prices that come later.
	straight := newStore(t)
	commit(t, straight, anySlice(records)...)
	for seed := range int64(4) {
		other := newStore(t)
		r := rand.New(rand.NewSource(seed))
		for _, n := range r.Perm(len(records)) {
			rec := records[n]
			if r.Intn(2) == 0 {
				first := randomRecord(r, rec.Interval)
				first.Prices, first.State = nil, usage.Unpriced
				if rec.Prices != nil && r.Intn(2) == 0 {
					first = withPrice(first, r.Float64()*500, usage.Provisional)
				}
				commit(t, other, first)
			}
			if rec.Prices == nil || r.Intn(2) == 0 {
				commit(t, other, rec)
				continue
			}
			late := rec
			late.Prices, late.State = nil, usage.Unpriced
			commit(t, other, late)
			if err := reprice(t.Context(), other, rec.Interval, rec.Prices, rec.State); err != nil {
				t.Fatal(err)
			}
		}
		want, got := summary(t, straight), summary(t, other)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("seed %d: another order gives\n%+v\nnot\n%+v", seed, got, want)
		}
		for _, view := range []string{"v_ada_timeseries", "v_project_timeseries", "v_machine_timeseries", "v_user_timeseries"} {
			query := "SELECT * FROM " + view + " ORDER BY 1, 2"
			if a, b := readRows(t, straight.reader, query), readRows(t, other.reader, query); !reflect.DeepEqual(a, b) {
				t.Errorf("seed %d: another order gives another %s", seed, view)
			}
		}
		holdSums(t, other)
		holdTotals(t, other)
	}
}

// holdSums wants each scope of each interval to add up to the site.
func holdSums(t *testing.T, s *Store) {
	t.Helper()
	sums := map[string][][]any{}
	for _, scope := range []string{"ada", "project", "machine", "user"} {
		sums[scope] = readRows(t, s.reader, `SELECT ts, sum(busy_cpu_seconds_total), sum(idle_cpu_seconds_total),
			sum(busy_kwh), sum(idle_kwh), sum(busy_gCo2eq), sum(idle_gCo2eq)
			FROM fact_usage WHERE scope = ? GROUP BY ts ORDER BY ts`, scope)
	}
	for scope, rows := range sums {
		if len(rows) != len(sums["ada"]) {
			t.Fatalf("%s has %d intervals, the site %d", scope, len(rows), len(sums["ada"]))
		}
		for i, row := range rows {
			if !same(row, sums["ada"][i]) {
				t.Errorf("%s adds up to %v, the site to %v", scope, row, sums["ada"][i])
			}
		}
	}
}

// holdTotals wants the kept totals to be the sums over usage_fact.
func holdTotals(t *testing.T, s *Store) {
	t.Helper()
	rows := readRows(t, s.reader, `SELECT p.cloud_project_name, m.machine_name, k.user_id, g.group_name,
		sum(f.busy_cpu_seconds), sum(f.idle_cpu_seconds), sum(f.busy_kwh), sum(f.idle_kwh),
		total(f.busy_kwh * c.gco2eq_per_kwh), total(f.idle_kwh * c.gco2eq_per_kwh),
		total(CASE i.state WHEN 'settled' THEN f.busy_kwh END),
		total(CASE i.state WHEN 'settled' THEN f.idle_kwh * c.gco2eq_per_kwh END), count(c.start)
		FROM usage_fact f JOIN usage_key k USING (key_id) JOIN dim_project p USING (project_id)
		JOIN dim_machine m USING (machine_id) JOIN dim_group g ON g.group_id = k.group_id
		JOIN usage_interval i ON f.start >= i.start AND f.start < i.start + i.seconds
		LEFT JOIN interval_price c ON c.start = f.start GROUP BY k.key_id ORDER BY 1, 2, 3, 4`)
	totals := summary(t, s).Totals
	if len(totals) != len(rows) {
		t.Fatalf("%d totals, %d keys with facts", len(totals), len(rows))
	}
	for i, have := range totals {
		got := []any{
			have.Project, have.Machine, have.User, have.Group,
			float64(have.CPU.Busy), float64(have.CPU.Idle), float64(have.Energy.Busy), float64(have.Energy.Idle),
			float64(have.Emissions.Busy), float64(have.Emissions.Idle),
			float64(have.SettledEnergy.Busy), float64(have.SettledEmissions.Idle),
		}
		if !same(got, rows[i][:12]) || have.Priced != (rows[i][12].(int64) > 0) {
			t.Errorf("total %v (priced %v), rows %v", got, have.Priced, rows[i])
		}
	}
}

// same compares numbers to 1e-9, all else as it is.
func same(a, b []any) bool {
	for i := range a {
		x, ok := a[i].(float64)
		y, also := b[i].(float64)
		if ok != also || !ok && a[i] != b[i] || math.Abs(x-y) > 1e-9*math.Max(math.Abs(x), math.Abs(y))+1e-15 {
			return false
		}
	}
	return true
}

func TestOtherFactsReplaceAProvisionalIntervalAsAWhole(t *testing.T) {
	s, fresh := newStore(t), newStore(t)
	right := withPrice(unpriced(at(1), fact(artemisA, at(1).Start, 0.3, 0.1)), 120, usage.Provisional)
	commit(t, s, withPrice(threeKeys(at(1)), 200, usage.Provisional), right)
	commit(t, fresh, right)
	if got, want := summary(t, s).Totals, summary(t, fresh).Totals; !reflect.DeepEqual(got, want) {
		t.Errorf("totals %+v, want %+v", got, want)
	}
	if got, want := fmt.Sprint(seen(t, s)), fmt.Sprint(seen(t, fresh)); got != want {
		t.Errorf("fact_usage %s, want %s", got, want)
	}
	for _, table := range []string{"interval_price", "interval_power", "interval_coverage", "usage_fact"} {
		if n := len(readRows(t, s.reader, "SELECT 1 FROM "+table)); n != 1 {
			t.Errorf("%s has %d rows, want 1", table, n)
		}
	}
}

func TestTheGroupOfAUserIsThatOfTheNewestUsage(t *testing.T) {
	move := []usage.Record{
		unpriced(at(1), fact(key("p", "m", "a", "first"), at(1).Start, 1, 1)),
		unpriced(at(2), fact(key("p", "m", "a", "second"), at(2).Start, 1, 1)),
		unpriced(at(3), fact(key("p", "m", "other", "first"), at(3).Start, 1, 1)),
	}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		s := newStore(t)
		for _, n := range order {
			commit(t, s, move[n])
		}
		rows := readRows(t, s.reader, "SELECT group_name FROM dim_user JOIN dim_group USING (group_id) WHERE user_id = 'a'")
		if len(rows) != 1 || rows[0][0] != "second" {
			t.Errorf("order %v: group %v, want second", order, rows)
		}
	}
}

// Whether intervals come one by one or in one run.
func TestTheGroupOfAUserWhoComesBackIsTheOldOne(t *testing.T) {
	in := func(n int, group string) usage.Record {
		return unpriced(at(n), fact(key("p", "m", "a", group), at(n).Start, 1, 1))
	}
	s := newStore(t)
	commit(t, s, in(1, "first"))
	if _, err := commitAll(t.Context(), s, in(2, "second"), in(3, "first")); err != nil {
		t.Fatal(err)
	}
	rows := readRows(t, s.reader, "SELECT group_name FROM dim_user JOIN dim_group USING (group_id) WHERE user_id = 'a'")
	if len(rows) != 1 || rows[0][0] != "first" {
		t.Errorf("group %v, want first", rows)
	}
}
