// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package exporter

import (
	"database/sql"
	"fmt"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate/scraped"
)

// BenchmarkYear starts the real program on a year of 10 000 hosts, each a key, whose per-key rows are
// kept for the last day. At the first start no month is added up yet, as after an upgrade; the
// second is what a start is from then on. The report of a month is that of carbontool.
func BenchmarkYear(b *testing.B) {
	const hosts, days = 10_000, 365
	program, tool := compiled(b, "carbon_exporter"), compiled(b, "carbontool")
	for b.Loop() {
		dir := b.TempDir()
		path := filepath.Join(dir, "carbon.db")
		caughtUp(b, program, dir, hosts)
		repeatDays(b, path, days)

		p := launch(b, program, dir, "http://127.0.0.1:1")
		p.until(b, someUsage)
		first := p.cpuSeconds(b)
		untilMonths(b, path)
		p.end(b)

		began := time.Now()
		p = launch(b, program, dir, "http://127.0.0.1:1")
		p.until(b, someUsage)
		b.ReportMetric(time.Since(began).Seconds(), "start-s")
		start := p.cpuSeconds(b)
		b.ReportMetric(first, "first-start-cpu-s")
		b.ReportMetric(start, "start-cpu-s")
		b.ReportMetric(p.scrape(b), "scrape-s")
		_, peak := p.end(b)
		b.ReportMetric(peak, "max-rss-MB")
		b.ReportMetric(fileMB(b, dir), "file-MB")
		if start > first/2 {
			b.Errorf("a start takes %.1f s of CPU, and %.1f s without the sums of months", start, first)
		}

		began = time.Now()
		report := exec.Command(tool, "report", "--config.file="+filepath.Join(dir, "carbon.yml"), "--storage.path="+path,
			"--month="+began.AddDate(0, 0, 1-began.Day()).AddDate(0, -2, 0).Format("2006-01"), "--scope=project")
		out, err := report.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "project-") {
			b.Fatalf("report: %v\n%.2000s", err, out)
		}
		b.ReportMetric(time.Since(began).Seconds(), "report-s")
		b.ReportMetric((report.ProcessState.UserTime() + report.ProcessState.SystemTime()).Seconds(), "report-cpu-s")
	}
}

// untilMonths waits until the months of a store are added up.
func untilMonths(b *testing.B, path string) {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		// The last three days before today are not part of a month.
		if all := column(b, db, "SELECT month FROM usage_month WHERE until >= (SELECT max(day) - 5 FROM usage_day)"); len(all) > 0 {
			return
		}
	}
	b.Fatalf("the months were not added up within %v", patience)
}

// caughtUp makes a store of a day of some hosts.
func caughtUp(b *testing.B, program, dir string, hosts int) {
	b.Helper()
	server := httptest.NewServer(&scraped.Multitude{Hosts: hosts, Users: hosts / 5, Projects: hosts / 50, Machines: 7})
	defer server.Close()
	p := launch(b, program, dir, server.URL)
	p.until(b, wholeDay)
	p.end(b)
}

// repeatDays puts copies of a store's first day before it, with their sums and what fact_usage has of
// the site and of machine types, as days are once their other rows have been deleted.
func repeatDays(b *testing.B, path string, days int) {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	tables := column(b, db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND (name = 'usage_interval' OR name LIKE 'interval!_%' ESCAPE '!')")
	queries := []string{
		"PRAGMA synchronous = OFF", "BEGIN",
		fmt.Sprintf("CREATE TEMP TABLE ago AS WITH RECURSIVE ago(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM ago WHERE n < %d) SELECT n FROM ago", days-1),
		fmt.Sprintf("UPDATE usage_interval SET revision = revision + 48 * %d", days), // older ones are smaller
		"INSERT INTO usage_day(day, sums, more) SELECT day - n, sums, more FROM ago, (SELECT * FROM usage_day ORDER BY day LIMIT 1)",
	}
	changed := map[string]string{
		"start": "start - 86400 * n", "slot_start": "slot_start - 86400 * n", "fetched_at": "fetched_at - 86400 * n",
		"revision": "revision - 48 * n", "ts": "strftime('%Y-%m-%dT%H:%M:%SZ', unixepoch(ts) - 86400 * n, 'unixepoch')",
		"pruned": "1", "change_id": "NULL", "usage_id": "NULL", "reread_at": "NULL", "retry_at": "NULL",
	}
	for _, table := range append(tables, "fact_usage") {
		columns := column(b, db, "SELECT name FROM pragma_table_info(?)", table)
		values := slices.Clone(columns)
		for i, c := range columns {
			if change, ok := changed[c]; ok {
				values[i] = change
			}
		}
		query := fmt.Sprintf("INSERT INTO %s(%s) SELECT %s FROM %s, ago", table, strings.Join(columns, ", "), strings.Join(values, ", "), table)
		if table == "fact_usage" {
			query += " WHERE scope IN ('ada', 'machine')"
		}
		queries = append(queries, query)
	}
	for _, query := range append(queries, "UPDATE usage_interval SET state = 'settled'", "COMMIT", "PRAGMA wal_checkpoint(TRUNCATE)") {
		if _, err := db.Exec(query); err != nil {
			b.Fatalf("%s: %v", query, err)
		}
	}
}

// column returns what a query finds.
func column(b *testing.B, db *sql.DB, query string, args ...any) (all []string) {
	b.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			b.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return all
}
