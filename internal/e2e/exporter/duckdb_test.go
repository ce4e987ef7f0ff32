// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build upstreams

package exporter_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/lake/laketest"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The SQL of docs/lake.md is what DuckDB runs, and its sums are those of the store: also of a day
// that was restated, and without those of another site and of other months.
func TestUpstreamDuckDBReadsTheLakeAsTheDocumentSays(t *testing.T) {
	text, err := os.ReadFile("../../../docs/lake.md")
	if err != nil {
		t.Fatal(err)
	}
	var queries []string
	for _, block := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		if strings.Contains(block[1], "read_parquet(") {
			queries = append(queries, block[1])
		}
	}
	if len(queries) != 3 {
		t.Fatalf("docs/lake.md has %d queries for DuckDB", len(queries))
	}
	lake := laketest.New(t)
	november := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	want := published(t, lake, "harwell", november.AddDate(0, 0, -2), 7, november, november.AddDate(0, 1, 0))
	published(t, lake, "daresbury", november, 3, november, november)

	projects := duckDB(t, lake, queries[0])
	if len(projects) != 2 {
		t.Fatalf("projects: %v", projects)
	}
	for _, row := range projects {
		is := want["project"][row["project"].(string)]
		if !near(row["kwh"].(float64), is.kwh, 1e-9) || !near(row["gco2eq"].(float64), is.grams, 1e-9) || is.kwh == 0 {
			t.Errorf("DuckDB says %v, and the store %+v", row, is)
		}
	}
	days := duckDB(t, lake, queries[1])
	if len(days) != 5 {
		t.Fatalf("days: %v", days)
	}
	for _, row := range days {
		is := want["day"][row["day"].(string)]
		if !near(row["kwh"].(float64), is.kwh, 1e-9) || !near(row["gco2eq"].(float64), is.grams, 1e-9) || is.kwh == 0 {
			t.Errorf("DuckDB says %v, and the store %+v", row, is)
		}
	}
	devices := duckDB(t, lake, queries[2])
	if is := want["device"]["gpu"]; len(devices) != 1 || devices[0]["device"] != "gpu" || !near(devices[0]["kwh"].(float64), is.kwh, 1e-9) {
		t.Errorf("DuckDB says %v, and the store %+v", devices, is)
	}
}

type kept struct{ kwh, grams float64 }

// published publishes days of a site, of which the fourth is restated, and returns what the store
// has of [from, until) in its own tables, by project, day and device.
func published(t *testing.T, lake laketest.Dir, site string, first time.Time, days int, from, until time.Time) map[string]map[string]kept {
	t.Helper()
	path := filepath.Join(t.TempDir(), "carbon.db")
	s, err := store.Open(t.Context(), path, store.Options{Interval: usage.SlotLength, Timezone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	record := func(n int, grams float64) usage.Record {
		rec := settledRecord(first, n, grams)
		for i := range rec.Facts {
			if n%2 == 0 {
				continue // devices are there now and then
			}
			f := &rec.Facts[i]
			f.Energy.Measured = 0.25
			f.Beside = &usage.Beside{Devices: []usage.DeviceEnergy{{Name: "gpu", Energy: 0.25}}}
		}
		return rec
	}
	var all []usage.Record
	for n := range 48 * days {
		all = append(all, record(n, 100))
	}
	storetest.Commit(t, s, all...)
	at := first.AddDate(0, 2, 0)
	lake.Publish(s, site, time.UTC, at)
	storetest.CommitAs(t, s, usage.Policy{Restate: true, Why: usage.BecauseRestate}, record(3*48+20, 333))
	lake.Publish(s, site, time.UTC, at.Add(time.Hour))
	if m := lake.Manifest(site, "2026-11-02"); site == "harwell" && (m == nil || m.Revision != 2) {
		t.Fatalf("the restated day: %+v", m)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	of := map[string]map[string]kept{"project": {}, "day": {}, "device": {}}
	rows, err := openStore(t, path).Query(`SELECT scope, coalesce(cloud_project_name, ''), substr(ts, 1, 10), total(busy_kwh + idle_kwh + measured_kwh),
		total(busy_gCo2eq + idle_gCo2eq + coalesce(measured_gCo2eq, 0)), total(measured_kwh)
		FROM fact_usage LEFT JOIN dim_project USING (project_id) WHERE ts >= ? AND ts < ? GROUP BY 1, 2, 3`, from.Format(time.RFC3339), until.Format(time.RFC3339))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	add := func(by, name string, kwh, grams float64) {
		is := of[by][name]
		of[by][name] = kept{is.kwh + kwh, is.grams + grams}
	}
	for rows.Next() {
		var scope, name, day string
		var kwh, grams, measured float64
		if err := rows.Scan(&scope, &name, &day, &kwh, &grams, &measured); err != nil {
			t.Fatal(err)
		}
		switch scope {
		case "project":
			add("project", name, kwh, grams)
		case "ada":
			add("day", day, kwh, grams)
			add("device", "gpu", measured, 0)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return of
}

// duckDB runs a query of the document on a directory.
func duckDB(t *testing.T, lake laketest.Dir, query string) (rows []map[string]any) {
	t.Helper()
	program := built.Upstream(t, filepath.Join("duckdb", "query.mjs"))
	cmd := exec.CommandContext(t.Context(), "node", program)
	cmd.Stdin = strings.NewReader(strings.ReplaceAll(query, "s3://carbon/", lake.Path+"/"))
	out, err := cmd.Output()
	if err != nil {
		if ended, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("%v: %s\n%s", err, ended.Stderr, query)
		}
		t.Fatalf("%v: install Node 20 or newer", err)
	}
	if err := json.Unmarshal(out, &rows); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return rows
}
