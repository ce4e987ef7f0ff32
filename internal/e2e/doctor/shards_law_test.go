// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor_test

import (
	"database/sql"
	"fmt"
	"maps"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
)

// amounts are CPU seconds, kWh and grams, busy and idle.
type amounts [6]float64

// kept is what a store has, by project and interval.
func kept(t *testing.T, path string) map[string]amounts {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT cloud_project_name || ' ' || ts, busy_cpu_seconds_total, idle_cpu_seconds_total, busy_kwh, idle_kwh, busy_gCo2eq, idle_gCo2eq
		FROM fact_usage JOIN dim_project USING (project_id) WHERE scope = 'project'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]amounts{}
	for rows.Next() {
		var key string
		var a amounts
		if err := rows.Scan(&key, &a[0], &a[1], &a[2], &a[3], &a[4], &a[5]); err != nil {
			t.Fatal(err)
		}
		all[key] = a
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// The law of shards: where doctor finds nothing, the stores of the shards add up to the store of
// one exporter for the whole site, for each project and half hour. A project in one shard is the
// same to the last bit; one in several is added up in another order.
func TestTheStoresOfShardsAddUp(t *testing.T) {
	var site []machine
	for i := range 9 {
		m := machine{labels: map[string]string{"cloud_project_name": []string{"ISIS", "CLF", "ISIS", "CLF", "CLF", "ISIS", "ISIS", "SCD", "SCD"}[i], "dc": []string{"east", "west"}[i/5], "machine_name": []string{"Muon", "SANS"}[i%2]}}
		switch i {
		case 2:
			m.lasts = 90 * time.Minute // it began to be
		case 4:
			m.labels["dc"] = "" // it has none
		case 7:
			m.every = 3 * time.Minute
		}
		site = append(site, m)
	}
	_, url := scraped(t, site...)
	dir := t.TempDir()
	files := writeShards(t, dir, url, []shard{
		{matchers: `job="node"`},
		{matchers: `job="node",dc="east"`},
		{matchers: `job="node",dc!~"east|west"`},
		{matchers: `job="node",dc="west"`},
	})
	tool := func(args ...string) {
		t.Helper()
		if got := built.Run(t, exec.Command(filepath.Join(programs, "carbontool"), args...)); got.Code != 0 {
			t.Fatalf("%v: exit code %d: %s%s", args, got.Code, got.Stdout, got.Stderr)
		}
	}
	tool(append([]string{"doctor", "--shards"}, files[1:]...)...)
	end := now.Add(-time.Hour).UTC().Truncate(30 * time.Minute)
	var stores []map[string]amounts
	for i, file := range files {
		store := filepath.Join(dir, fmt.Sprint(i, ".db"))
		tool("backfill", "--config.file="+file, "--storage.path="+store, "--from="+end.Add(-3*time.Hour).Format(time.RFC3339), "--to="+end.Format(time.RFC3339))
		stores = append(stores, kept(t, store))
	}
	whole, shards := stores[0], stores[1:]
	if len(whole) != 3*6 {
		t.Fatalf("the whole site has %d rows of projects, want 3 projects in 6 half hours", len(whole))
	}
	for _, key := range slices.Sorted(maps.Keys(whole)) {
		var sum amounts
		in := 0
		for _, s := range shards {
			if a, there := s[key]; there {
				in++
				for i := range sum {
					sum[i] += a[i]
				}
			}
		}
		for i, want := range whole[key] {
			exact := 0.0
			if in > 1 {
				exact = 4e-16 * float64(in) * want
			}
			if math.Abs(sum[i]-want) > exact || want <= 0 {
				t.Errorf("%s: %d shards have %v, the whole has %v", key, in, sum, whole[key])
				break
			}
		}
	}
	for i, s := range shards {
		for key := range s {
			if _, there := whole[key]; !there {
				t.Errorf("shard %d has %s, which the whole does not have", i, key)
			}
		}
	}
}
