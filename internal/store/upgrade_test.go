// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// versionTwo is the path of a store as the program before directories left it:
// two intervals with facts, the second before the first, one missing, one empty.
func versionTwo(t *testing.T) string {
	t.Helper()
	all, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "carbon.db")
	first, second := at(1).Start.Unix(), at(2).Start.Unix()
	queries := []string{
		"BEGIN", all[0].SQL, all[1].SQL,
		fmt.Sprintf("PRAGMA application_id=%d", applicationID), "PRAGMA user_version=2",
		"CREATE TABLE schema_migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)",
		"INSERT INTO schema_migration VALUES (1, '0001_seed', ''), (2, '0002_grain', '')",
		"INSERT INTO setting VALUES ('interval_seconds', '1800')",
		"INSERT INTO dim_project VALUES (1, 'p')", "INSERT INTO dim_machine VALUES (1, 'm')",
		"INSERT INTO dim_group VALUES (1, 'g')", "INSERT INTO dim_user VALUES ('a', NULL, 1)",
		"INSERT INTO usage_key VALUES (1, 1, 1, 'a', 1)",
		"INSERT INTO usage_total VALUES (1, x'00')", // in the form of then, which nobody reads any more
		fmt.Sprintf("INSERT INTO usage_fact VALUES (%d, 1, 10, 20, 0.5, 0.25), (%d, 1, 10, 20, 0.5, 0.25)", second, first),
		fmt.Sprintf("INSERT INTO interval_price VALUES (%d, 100, 'forecast', 'uk', 'GB', %d, %d)", first, first, first),
		fmt.Sprintf(`INSERT INTO usage_interval(start, seconds, state, kwh, retry_at) VALUES
			(%d, 1800, 'unpriced', 0.75, NULL), (%d, 1800, 'provisional', 0.75, NULL), (%d, 1800, 'missing', NULL, 0), (%d, 1800, 'empty', NULL, NULL)`,
			second, first, at(3).Start.Unix(), at(4).Start.Unix()),
	}
	for _, start := range []time.Time{at(1).Start, at(2).Start} {
		for _, scope := range []string{"'ada', NULL, NULL, NULL", "'project', 1, NULL, NULL", "'machine', NULL, 1, NULL", "'user', NULL, NULL, 'a'"} {
			grams := "NULL, NULL, NULL"
			if start.Equal(at(1).Start) {
				grams = "50, 25, 100"
			}
			queries = append(queries, fmt.Sprintf(`INSERT INTO fact_usage(ts, scope, project_id, machine_id, user_id, busy_cpu_seconds_total,
				idle_cpu_seconds_total, busy_kwh, idle_kwh, busy_gCo2eq, idle_gCo2eq, intensity_gCo2eq_kwh)
				VALUES ('%s', %s, 10, 20, 0.5, 0.25, %s)`, start.Format(time.RFC3339), scope, grams))
		}
	}
	db := database(t, path, append(queries, "COMMIT")...)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAStoreWithoutADirectoryGoesOnWithOne(t *testing.T) {
	s := openStore(t, versionTwo(t), Options{Exclusive: true, Interval: half})
	holdSums(t, s)
	holdTotals(t, s)
	followed := replica{}
	followed.follow(t, s, "f", 1)
	holdReplica(t, s, followed)
	if p := postings(t, s, "another", 9); len(p) != 2 || p[0].Interval != at(1) || p[1].Interval != at(2) {
		t.Errorf("who follows begins with %+v, want all there is, oldest first", p)
	}
	now := at(9).Start
	want(t, "what was due is due", due(t, s, now, 9), "3")
	if n := saveDirectory(t, s, news(at(1), at(1)), false); n != 1 {
		t.Errorf("%d are stale, want 1", n)
	}
	want(t, "and what the directory knows more of", due(t, s, now, 9), "1provisional")
	commit(t, s, withPrice(unpriced(at(1), fact(key("p", "m", "b", "g"), at(1).Start, 0.5, 0.25)), 100, usage.Provisional))
	if p := postings(t, s, "f", 9); len(p) != 1 || p[0].Users[0].Name != "b" {
		t.Errorf("restated: %+v", p)
	}
	forgetNow(t, s, "a")
	holdSums(t, s)
	holdTotals(t, s)
}
