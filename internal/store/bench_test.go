// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The four benchmarks write the same usage of 1 000 keys an interval, through
// the same driver with the same pragmas, and report rows at key grain per CPU
// second. Only their ratios mean something, and only within one run:
//
//	go test ./internal/store -run '^$' -bench . -benchtime 480x -count 5
//
// The other two run without a context that could be cancelled, for which the
// driver would start a goroutine a call. CommitAll is to be at least 3 times DocumentFactUsage and as fast as BareInsert.
const benchKeys = 1000

// benchRecord is interval i of a site of 10 projects with 5 machine types and
// 20 users each.
func benchRecord(i int) usage.Record {
	interval := usage.Interval{Start: epoch.Add(time.Duration(i) * usage.SlotLength), Length: usage.SlotLength}
	rec := usage.Record{
		Interval: interval, State: usage.Provisional, PUE: 1, FetchedAt: interval.End(),
		Facts: make([]usage.Fact, 0, benchKeys), Coverage: map[string]usage.Coverage{},
		Prices:     []usage.PiecePrice{priceAt(interval.Start, 200+float64(i%50))},
		Attendance: &usage.Attendance{Present: map[string]usage.Presence{}, Final: true},
	}
	for m := range 5 {
		rec.Ratings = append(rec.Ratings, rating(fmt.Sprintf("machine-%d", m)))
	}
	for n := range benchKeys {
		p, m, u := n/100, n/20%5, n%20
		busy, idle := float64(n*7919+i*104729)/1024, float64(n+i)/3
		rec.Facts = append(rec.Facts, usage.Fact{
			Key: usage.Key{
				Project: fmt.Sprintf("project-%d", p), Machine: fmt.Sprintf("machine-%d", m),
				User: fmt.Sprintf("user-%d-%d", p, u), Group: fmt.Sprintf("project-%d", p),
			},
			Start:  interval.Start,
			CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(busy), Idle: usage.CPUSeconds(idle)},
			Energy: usage.ByMode[usage.KWh]{Busy: usage.Watts(12).For(usage.CPUSeconds(busy)), Idle: usage.Watts(1).For(usage.CPUSeconds(idle))},
		})
		rec.Coverage[fmt.Sprintf("project-%d", p)] = usage.Coverage{Seen: usage.CPUSeconds(busy + idle), Capacity: 1e6}
		rec.Attendance.Present[fmt.Sprintf("project-%d", p)] = usage.Presence{Hosts: 20, Cores: 160}
	}
	return rec
}

func BenchmarkCommit(b *testing.B) {
	s := benchStore(b)
	perCPUSecond(b, benchRecord, func(rec usage.Record) error { return commitOne(b.Context(), s, rec) })
}

// BenchmarkCommitAll commits a day of intervals together, as catching up and a
// backfill do.
func BenchmarkCommitAll(b *testing.B) {
	s := benchStore(b)
	var day []usage.Record
	perCPUSecond(b, benchRecord, func(rec usage.Record) error {
		if day = append(day, rec); len(day) < 48 {
			return nil
		}
		_, err := commitAll(b.Context(), s, anySlice(day)...)
		day = nil
		return err
	})
}

// BenchmarkBareInsert writes the very rows that Commit writes, read back from a
// store that it wrote, and does nothing else.
func BenchmarkBareInsert(b *testing.B) {
	from, to := benchStore(b), benchStore(b)
	tables := []string{"usage_interval", "usage_fact", "interval_power", "interval_coverage", "interval_hosts", "interval_price", "fact_usage"}
	inserts := make([]*sql.Stmt, len(tables))
	for t, table := range tables {
		columns := len(readRows(b, to.writer, "SELECT 1 FROM pragma_table_info(?)", table))
		inserts[t] = prepared(b, to.writer, "INSERT INTO "+table+" VALUES (?"+strings.Repeat(", ?", columns-1)+")")
	}
	sums := []struct {
		read string
		put  *sql.Stmt
	}{
		{"SELECT id, sums, more FROM usage_total", prepared(b, to.writer, "INSERT OR REPLACE INTO usage_total VALUES (?, ?, ?)")},
		{"SELECT day, sums, more FROM usage_day ORDER BY day DESC LIMIT 1", prepared(b, to.writer, "INSERT OR REPLACE INTO usage_day VALUES (?, ?, ?)")},
	}
	type interval struct {
		rows [][][]any // by table
		sums [][]any
	}
	read := func(i int) (w interval) {
		rec := benchRecord(i)
		commit(b, from, rec)
		for _, table := range tables {
			column, at := "start", any(rec.Interval.Start.Unix())
			if table == "fact_usage" {
				column, at = "ts", rec.Interval.String()
			}
			w.rows = append(w.rows, readRows(b, from.writer, "SELECT * FROM "+table+" WHERE "+column+" = ?", at))
		}
		for _, sum := range sums {
			w.sums = append(w.sums, readRows(b, from.writer, sum.read)[0])
		}
		return w
	}
	ctx := context.Background()
	perCPUSecond(b, read, func(w interval) error {
		return to.write(ctx, func(tx *sqlite.Tx) error {
			for t, insert := range inserts {
				insert = tx.StmtContext(ctx, insert)
				for _, row := range w.rows[t] {
					if _, err := insert.ExecContext(ctx, row...); err != nil {
						return err
					}
				}
			}
			for i, sum := range sums {
				if _, err := tx.StmtContext(ctx, sum.put).ExecContext(ctx, w.sums[i]...); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// BenchmarkDocumentFactUsage writes one row a key into fact_usage as the user's
// document has it, but for the UNIQUE that SQLite does not take, with its upsert.
func BenchmarkDocumentFactUsage(b *testing.B) {
	dsn := "file:" + newFile(b, filepath.Join(b.TempDir(), "document.db")) + "?_txlock=immediate&_pragma=synchronous(FULL)&_pragma=cache_size(-8192)&_pragma=temp_store(MEMORY)"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, query := range []string{"PRAGMA journal_mode=WAL", documentSchema} {
		if _, err := db.ExecContext(b.Context(), query); err != nil {
			b.Fatal(err)
		}
	}
	addUser := prepared(b, db, "INSERT INTO dim_user(user_id) VALUES (?)")
	rows := func(i int) (rows [][]any) {
		rec := benchRecord(i)
		for n, f := range rec.Facts {
			grams := func(k usage.KWh) float64 { return float64(k.At(rec.Prices[0].Intensity)) }
			rows = append(rows, []any{
				rec.Interval.String(), nil, nil, fmt.Sprintf("%s/%d", f.User, n),
				float64(f.CPU.Busy), float64(f.CPU.Idle), float64(f.Energy.Busy), float64(f.Energy.Idle),
				grams(f.Energy.Busy), grams(f.Energy.Idle), float64(rec.Prices[0].Intensity),
			})
		}
		return rows
	}
	for _, row := range rows(0) {
		if _, err := addUser.ExecContext(b.Context(), row[3]); err != nil {
			b.Fatal(err)
		}
	}
	ctx := context.Background()
	upsert := prepared(b, db, documentUpsert)
	perCPUSecond(b, rows, func(rows [][]any) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		insert := tx.StmtContext(ctx, upsert)
		for _, row := range rows {
			if _, err := insert.ExecContext(ctx, row...); err != nil {
				return err
			}
		}
		return tx.Commit()
	})
}

// benchStore has all names and no more than one interval.
func benchStore(b *testing.B) *Store {
	s := openStore(b, filepath.Join(b.TempDir(), "carbon.db"), Options{Interval: usage.SlotLength})
	if err := commitOne(b.Context(), s, benchRecord(0)); err != nil {
		b.Fatal(err)
	}
	return s
}

// perCPUSecond makes the input of each interval on its own, outside the time
// measured, so that no heap of inputs weighs on the collector.
func perCPUSecond[T any](b *testing.B, input func(i int) T, do func(T) error) {
	var spent time.Duration
	b.ResetTimer()
	for i := range b.N {
		b.StopTimer()
		in := input(i + 1)
		b.StartTimer()
		began := cpu(b)
		if err := do(in); err != nil {
			b.Fatal(err)
		}
		spent += cpu(b) - began
	}
	b.ReportMetric(float64(b.N*benchKeys)/spent.Seconds(), "rows/cpu-s")
}

func prepared(tb testing.TB, db *sql.DB, query string) *sql.Stmt {
	tb.Helper()
	stmt, err := db.PrepareContext(context.Background(), query)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { stmt.Close() })
	return stmt
}
