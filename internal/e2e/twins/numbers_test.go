// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package twins_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// settled is everything that a store knows of settled intervals and that twins must agree on, by
// name: numbers that stand for names are each store's own. What may differ is not here: when
// something was asked or fetched, how often that failed, what was provisional before, and forecasts
// as first seen.
var settled = []string{
	`SELECT start, seconds, kwh, pue, final, doubts, unlisted, growth FROM usage_interval WHERE state = 'settled' ORDER BY 1`,
	`SELECT v.* FROM v_usage v JOIN usage_interval i ON v.ts = strftime('%Y-%m-%dT%H:%M:%SZ', i.start, 'unixepoch')
		WHERE i.state = 'settled' ORDER BY 1, 2, 3, 4, 5`,
	`SELECT f.ts, f.scope, p.cloud_project_name, m.machine_name, f.user_id, f.busy_cpu_seconds_total, f.idle_cpu_seconds_total,
		f.busy_kwh, f.idle_kwh, f.busy_gCo2eq, f.idle_gCo2eq, f.intensity_gCo2eq_kwh
		FROM fact_usage f JOIN usage_interval i ON f.ts = strftime('%Y-%m-%dT%H:%M:%SZ', i.start, 'unixepoch')
		LEFT JOIN dim_project p USING (project_id) LEFT JOIN dim_machine m USING (machine_id)
		WHERE i.state = 'settled' ORDER BY 1, 2, 3, 4, 5`,
	`SELECT c.start, gco2eq_per_kwh, kind, provider, grid, slot_start, basis, quality
		FROM interval_price c JOIN usage_interval i USING (start) WHERE i.state = 'settled' ORDER BY 1`,
	`SELECT w.start, m.machine_name, busy_watts, idle_watts, source, w.error FROM interval_power w JOIN dim_machine m USING (machine_id)
		JOIN usage_interval i USING (start) WHERE i.state = 'settled' ORDER BY 1, 2`,
	`SELECT c.start, p.cloud_project_name, seen_cpu_seconds, capacity_cpu_seconds FROM interval_coverage c JOIN dim_project p USING (project_id)
		JOIN usage_interval i USING (start) WHERE i.state = 'settled' ORDER BY 1, 2`,
	`SELECT h.start, p.cloud_project_name, hosts, cores FROM interval_hosts h JOIN dim_project p USING (project_id)
		JOIN usage_interval i USING (start) WHERE i.state = 'settled' ORDER BY 1, 2`,
	`SELECT d.start, p.cloud_project_name, d.host, d.machine, d.cores, d.state, d.reason, d.detail FROM interval_doubt d
		JOIN dim_project p USING (project_id) JOIN usage_interval i USING (start) WHERE i.state = 'settled' ORDER BY 1, 2, 3, 4`,
}

// numbers are the rows of those queries as text. Floats are written so that no bit is lost.
func (w *twin) numbers() string {
	w.t.Helper()
	db := w.open()
	defer db.Close()
	var out strings.Builder
	for _, query := range settled {
		rows, err := db.Query(query)
		if err != nil {
			w.t.Fatalf("%s: %v", query, err)
		}
		columns, err := rows.Columns()
		if err != nil {
			w.t.Fatal(err)
		}
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				w.t.Fatal(err)
			}
			fmt.Fprintln(&out, values...)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			w.t.Fatal(err)
		}
	}
	return out.String()
}

func (w *twin) open() *sql.DB {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.store+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		w.t.Fatal(err)
	}
	return db
}

// count is the one number of a query.
func (w *twin) count(query string) (n int) {
	w.t.Helper()
	db := w.open()
	defer db.Close()
	if err := db.QueryRow(query).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// shown are the lines of /metrics that twins agree on: all usage.
func (w *twin) shown() string {
	w.t.Helper()
	lines, err := w.metrics()
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool {
		return !slices.ContainsFunc([]string{
			"carbon_cpu_seconds{", "carbon_energy_kwh{", "carbon_emissions_gco2eq{", "carbon_settled_energy_kwh_total{", "carbon_settled_emissions_gco2eq_total{",
			"carbon_day_to_date_", "carbon_month_to_date_", "carbon_year_to_date_", "carbon_power_watts{", "carbon_emission_rate_gco2eq_per_hour{",
			"carbon_coverage_ratio{", "carbon_hosts{", "carbon_cores{", "carbon_intervals{", "carbon_budget_",
		}, func(family string) bool { return strings.HasPrefix(line, family) })
	}), "\n")
}

// same compares two texts line by line.
func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			t.Errorf("%s: line %d of %d differs:\n%s\n%s", what, i, len(g), g[i], strings.Join(w[min(i, len(w)):min(i+1, len(w))], ""))
			return
		}
	}
	t.Errorf("%s: %d lines of %d are missing", what, len(w)-len(g), len(w))
}
