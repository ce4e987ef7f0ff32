// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// openStore opens a store to look into it.
func openStore(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// row is whose a row of a fact table or view is: ts is empty in a view of totals.
type row struct{ ts, member string }

// columns are the six that every table and view of usage has.
const columns = "busy_cpu_seconds_total, idle_cpu_seconds_total, busy_kwh, idle_kwh, busy_gCo2eq, idle_gCo2eq"

func rowsOf(t *testing.T, db *sql.DB, query string) map[row][6]sql.NullFloat64 {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	all := map[row][6]sql.NullFloat64{}
	for rows.Next() {
		var r row
		var v [6]sql.NullFloat64
		if err := rows.Scan(&r.ts, &r.member, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5]); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		if _, twice := all[r]; twice {
			t.Errorf("%s: %v is there twice", query, r)
		}
		all[r] = v
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return all
}

// scopes are the seed's four, and who a key is in each.
var scopes = map[string]func(usage.Key) string{
	"ada":     func(usage.Key) string { return "" },
	"project": func(k usage.Key) string { return k.Project },
	"machine": func(k usage.Key) string { return k.Machine },
	"user":    func(k usage.Key) string { return k.User },
}

// rollUp is the truth as rows of a scope, with or without their time.
func (b book) rollUp(member func(usage.Key) string, timed bool) map[row]amount {
	all := map[row]amount{}
	for at, keys := range b {
		ts := ""
		if timed {
			ts = at.Format(time.RFC3339)
		}
		for key, a := range keys {
			r := row{ts, member(key)}
			all[r] = all[r].plus(a)
		}
	}
	return all
}

// checkStore compares fact_usage and the views with the truth, and the scopes
// with each other.
func checkStore(t *testing.T, path string, truth book) {
	t.Helper()
	db, facts := openStore(t, path), scopesOf(t, path)
	for scope, member := range scopes {
		checkRows(t, "fact_usage of scope "+scope, facts[scope], truth.rollUp(member, true))
	}
	checkSums(t, facts)
	for _, view := range []struct{ name, member, scope string }{
		{"v_ada_timeseries", "''", "ada"},
		{"v_project_timeseries", "cloud_project_name", "project"},
		{"v_machine_timeseries", "machine_name", "machine"},
		{"v_user_timeseries", "user_id", "user"},
	} {
		checkRows(t, view.name, rowsOf(t, db, fmt.Sprintf("SELECT ts, %s, %s FROM %s", view.member, columns, view.name)),
			truth.rollUp(scopes[view.scope], true))
	}
	for _, view := range []struct{ name, member, scope string }{
		{"v_project_totals", "cloud_project_name", "project"},
		{"v_machine_totals", "machine_name", "machine"},
		{"v_user_totals", "user_id", "user"},
	} {
		checkRows(t, view.name, rowsOf(t, db, fmt.Sprintf("SELECT '', %s, %s FROM %s", view.member, columns, view.name)),
			truth.rollUp(scopes[view.scope], false))
	}
}

// scopesOf is fact_usage, by scope.
func scopesOf(t *testing.T, path string) map[string]map[row][6]sql.NullFloat64 {
	t.Helper()
	db, facts := openStore(t, path), map[string]map[row][6]sql.NullFloat64{}
	for scope := range scopes {
		facts[scope] = rowsOf(t, db, fmt.Sprintf(`SELECT ts, COALESCE(cloud_project_name, machine_name, user_id, ''), %s
			FROM fact_usage LEFT JOIN dim_project USING (project_id) LEFT JOIN dim_machine USING (machine_id)
			WHERE scope = '%s'`, columns, scope))
	}
	return facts
}

func checkRows(t *testing.T, what string, got map[row][6]sql.NullFloat64, want map[row]amount) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s has %d rows, want %d", what, len(got), len(want))
	}
	for r, a := range want {
		have := got[r]
		for i, w := range a.columns() {
			if !have[i].Valid || !near(have[i].Float64, w, exact) {
				t.Errorf("%s: %v has %v, truth %v", what, r, have, a.columns())
				break
			}
		}
	}
}

// checkSums wants each scope to add up to the site, at every interval.
func checkSums(t *testing.T, facts map[string]map[row][6]sql.NullFloat64) {
	t.Helper()
	for scope, rows := range facts {
		sums := map[string][6]float64{}
		for r, v := range rows {
			sum := sums[r.ts]
			for i := range v {
				sum[i] += v[i].Float64
			}
			sums[r.ts] = sum
		}
		for r, site := range facts["ada"] {
			for i := range site {
				if !near(sums[r.ts][i], site[i].Float64, 1e-9) {
					t.Errorf("%s: scope %s adds up to %v, the site is %v", r.ts, scope, sums[r.ts], site)
					break
				}
			}
		}
	}
}

// checkIntervals wants each interval of a span once, and sound pages.
func checkIntervals(t *testing.T, path string, over span) {
	t.Helper()
	db := openStore(t, path)
	var verdict string
	if err := db.QueryRow("PRAGMA quick_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("quick_check says %q, %v", verdict, err)
	}
	rows, err := db.Query("SELECT start, state FROM usage_interval ORDER BY start")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	want := over.intervals()
	n := 0
	for ; rows.Next(); n++ {
		var start int64
		var state string
		if err := rows.Scan(&start, &state); err != nil {
			t.Fatal(err)
		}
		if n < len(want) && start != want[n].Start.Unix() {
			t.Fatalf("interval %d starts at %s, want %s", n, time.Unix(start, 0).UTC(), want[n])
		}
		if state != "settled" && state != "provisional" {
			t.Errorf("interval %s is %s", time.Unix(start, 0).UTC(), state)
		}
	}
	if err := rows.Err(); err != nil || n != len(want) {
		t.Errorf("%d intervals, want %d, %v", n, len(want), err)
	}
}
