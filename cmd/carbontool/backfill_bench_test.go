// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"database/sql"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate/scraped"
)

const (
	benchDays = 10
	benchRows = 61_000 // a day, at key grain and of fact_usage
)

// BenchmarkBackfill is ten days of 1 000 hosts and 600 keys, from an upstream that
// answers at once to committed rows, in the real program: its CPU seconds for a day
// of data, its largest resident memory, and its rate against bare prepared inserts
// of the very rows that it has written, both by the CPU time that they take.
func BenchmarkBackfill(b *testing.B) {
	program := filepath.Join(b.TempDir(), "carbontool")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	server := httptest.NewServer(&scraped.Remembered{Server: scraped.Crowd(50)})
	defer server.Close()
	for b.Loop() {
		dir := b.TempDir()
		config, path := filepath.Join(dir, "carbon.yml"), filepath.Join(dir, "carbon.db")
		if err := os.WriteFile(config, fmt.Appendf(nil, "prometheus: {url: %s}\ncarbon_intensity: {provider: static, static: {gco2eq_per_kwh: 210.89, grid: GB}}\n", server.URL), 0o600); err != nil {
			b.Fatal(err)
		}
		cmd := exec.Command(program, "backfill", "--from=2025-01-01", fmt.Sprintf("--to=2025-01-%02d", 1+benchDays),
			"--config.file="+config, "--storage.path="+path)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		rows, bare := insertBare(b, path)
		if rows < benchDays*benchRows {
			b.Fatalf("%d rows were written, want at least %d", rows, benchDays*benchRows)
		}
		b.ReportMetric(cpu.Seconds()/benchDays, "cpu-s/day")
		b.ReportMetric(float64(used.Maxrss)/1024, "max-rss-MB")
		b.ReportMetric(float64(rows)/cpu.Seconds(), "rows/cpu-s")
		b.ReportMetric(bare.Seconds()/cpu.Seconds(), "of-bare-inserts")
	}
}

// benchTables are those that a day writes, with what tells its rows.
var benchTables = []struct{ name, when string }{
	{"usage_interval", "start"},
	{"usage_fact", "start"},
	{"interval_power", "start"},
	{"interval_coverage", "start"},
	{"interval_price", "start"},
	{"fact_usage", "unixepoch(ts)"},
}

// insertBare writes the rows of a store into another, by prepared statements and a
// transaction a day, and gives their number and the CPU time that it took.
func insertBare(b *testing.B, path string) (rows int, took time.Duration) {
	b.Helper()
	from, to := openBare(b, path), openBare(b, emptied(b, path))
	defer from.Close()
	defer to.Close()
	first := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for day := range benchDays {
		begin := first.Add(time.Duration(day) * 24 * time.Hour).Unix()
		tables := make([][][]any, len(benchTables))
		for i, t := range benchTables {
			tables[i] = rowsOf(b, from, fmt.Sprintf("SELECT * FROM %s WHERE %s >= ? AND %[2]s < ?", t.name, t.when), begin, begin+24*3600)
			rows += len(tables[i])
		}
		began := cpuTime(b)
		tx, err := to.Begin()
		if err != nil {
			b.Fatal(err)
		}
		for i, t := range benchTables {
			if len(tables[i]) == 0 {
				b.Fatalf("%s has nothing on day %d", t.name, day)
			}
			insert, err := tx.Prepare("INSERT INTO " + t.name + " VALUES (?" + strings.Repeat(", ?", len(tables[i][0])-1) + ")")
			if err != nil {
				b.Fatal(err)
			}
			for _, row := range tables[i] {
				if _, err := insert.Exec(row...); err != nil {
					b.Fatal(err)
				}
			}
			insert.Close()
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
		took += cpuTime(b) - began
	}
	return rows, took
}

// openBare opens a store as the programs do.
func openBare(b *testing.B, path string) *sql.DB {
	b.Helper()
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {"foreign_keys(1)", "synchronous(FULL)", "temp_store(MEMORY)", "cache_size(-8192)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String())
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

// emptied is a copy of a store with all of its names and none of those rows.
func emptied(b *testing.B, path string) string {
	b.Helper()
	to := filepath.Join(b.TempDir(), "bare.db")
	db := openBare(b, path)
	if _, err := db.Exec("VACUUM INTO ?", to); err != nil {
		b.Fatal(err)
	}
	db.Close()
	db = openBare(b, to)
	defer db.Close()
	for _, query := range []string{"PRAGMA journal_mode=WAL", "PRAGMA foreign_keys=0"} {
		if _, err := db.Exec(query); err != nil {
			b.Fatal(err)
		}
	}
	for _, t := range benchTables {
		if _, err := db.Exec("DELETE FROM " + t.name); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := db.Exec("VACUUM"); err != nil {
		b.Fatal(err)
	}
	return to
}

func rowsOf(b *testing.B, db *sql.DB, query string, args ...any) (all [][]any) {
	b.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		b.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		b.Fatal(err)
	}
	for rows.Next() {
		row, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			b.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return all
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
