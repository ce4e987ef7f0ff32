// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const half = usage.SlotLength

var epoch = time.Date(2025, 9, 11, 0, 0, 0, 0, time.UTC)

func at(n int) usage.Interval {
	return usage.Interval{Start: epoch.Add(time.Duration(n) * half), Length: half}
}

func rating(machine string) usage.Rating {
	return usage.Rating{Machine: machine, Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}, Source: "default"}
}

func priceAt(start time.Time, v float64) usage.PiecePrice {
	return usage.PiecePrice{Start: start, Price: usage.Price{
		Intensity: usage.GramsPerKWh(v), Kind: usage.Forecast, Quality: usage.QualityForecast, Basis: usage.BasisOf("average direct consumption"), Provider: "uk", Grid: "GB",
		SlotFrom: usage.SlotAt(start), FetchedAt: start.Add(half),
	}}
}

// priced has the same price for every piece.
func priced(i usage.Interval, v float64) (prices []usage.PiecePrice) {
	for _, piece := range i.Pieces() {
		prices = append(prices, priceAt(piece.Start, v))
	}
	return prices
}

func key(project, machine, user, group string) usage.Key {
	return usage.Key{Project: project, Machine: machine, User: user, Group: group}
}

func fact(k usage.Key, start time.Time, busyKWh, idleKWh float64) usage.Fact {
	return usage.Fact{
		Key: k, Start: start,
		CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(busyKWh * 300_000), Idle: usage.CPUSeconds(idleKWh * 3_600_000)},
		Energy: usage.ByMode[usage.KWh]{Busy: usage.KWh(busyKWh), Idle: usage.KWh(idleKWh)},
	}
}

// unpriced is the record of an interval without a price.
func unpriced(i usage.Interval, facts ...usage.Fact) usage.Record {
	rec := usage.Record{Interval: i, State: usage.Unpriced, Facts: facts, PUE: 1, FetchedAt: i.End().Add(2 * time.Minute)}
	rec.Coverage = map[string]usage.Coverage{}
	seen := map[string]bool{}
	for _, f := range facts {
		if !seen[f.Machine] {
			rec.Ratings = append(rec.Ratings, rating(f.Machine))
		}
		seen[f.Machine] = true
		rec.Coverage[f.Project] = usage.Coverage{Seen: 1700, Capacity: 1800}
	}
	return rec
}

func withPrice(rec usage.Record, v float64, state usage.State) usage.Record {
	rec.Prices, rec.State = priced(rec.Interval, v), state
	return rec
}

// randomRecord has some of 60 keys, values of any size, and some state.
func randomRecord(r *rand.Rand, i usage.Interval) usage.Record {
	var facts []usage.Fact
	for _, piece := range i.Pieces() {
		for n := range 60 {
			if r.Intn(3) == 0 {
				continue
			}
			k := key(fmt.Sprint("p", n%4), fmt.Sprint("m", n%3), fmt.Sprint("u", n%7), fmt.Sprint("g", n%5))
			if n%7 == 0 {
				k.User = usage.Unattributed
			}
			facts = append(facts, fact(k, piece.Start, r.Float64()*10, r.ExpFloat64()*1e-6))
		}
	}
	facts = slices.CompactFunc(facts, func(a, b usage.Fact) bool { return a.Key == b.Key && a.Start.Equal(b.Start) })
	known := map[string]bool{}
	facts = slices.DeleteFunc(facts, func(f usage.Fact) bool {
		id := fmt.Sprint(f.Key, f.Start)
		defer func() { known[id] = true }()
		return known[id]
	})
	rec := unpriced(i, facts...)
	if r.Intn(2) == 0 {
		rec.Attendance = randomAttendance(r)
	}
	switch r.Intn(4) {
	case 0:
	case 1:
		rec = withPrice(rec, 50+r.Float64()*300, usage.Settled)
	default:
		rec = withPrice(rec, 50+r.Float64()*300, usage.Provisional)
	}
	return rec
}

func openStore(tb testing.TB, path string, o Options) *Store {
	tb.Helper()
	s, err := Open(context.Background(), path, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

func newStore(tb testing.TB) *Store {
	tb.Helper()
	return openStore(tb, filepath.Join(tb.TempDir(), "carbon.db"), Options{Exclusive: true, Interval: half})
}

func newFile(tb testing.TB, path string) string {
	tb.Helper()
	if err := os.WriteFile(path, nil, 0o640); err != nil {
		tb.Fatal(err)
	}
	return path
}

// given is a record, and how it is to be stored.
type given struct {
	usage.Record
	usage.Policy
}

// with says how a record is to be stored.
func with(rec usage.Record, policy usage.Policy) given { return given{rec, policy} }

// newAnswer makes a record, or an answer, one that a source has just given.
func newAnswer(record any) given {
	a, ok := record.(given)
	if !ok {
		a.Record = record.(usage.Record)
	}
	a.Answered = true
	return a
}

// commit stores records or answers, each in a transaction of its own.
func commit(tb testing.TB, s *Store, records ...any) {
	tb.Helper()
	for _, rec := range records {
		if err := commitOne(context.Background(), s, rec); err != nil {
			tb.Fatal(err)
		}
	}
}

// commitOne stores a record or an answer. To leave what is stored as it is is an
// error, unless that is because the source has forgotten it.
func commitOne(ctx context.Context, s *Store, rec any) error {
	outcomes, err := commitAll(ctx, s, rec)
	if err != nil {
		return err
	}
	if why := outcomes[0].Left; why != nil && !errors.Is(why, usage.ErrForgotten) {
		return why
	}
	return nil
}

// commitAll stores records or answers in one transaction.
func commitAll(ctx context.Context, s *Store, records ...any) ([]usage.Outcome, error) {
	intervals := make([]usage.Interval, len(records))
	answers := map[time.Time]given{}
	for i, rec := range records {
		a := newAnswer(rec)
		intervals[i], answers[a.Interval.Start] = a.Interval, a
	}
	return s.Update(ctx, intervals, func(was usage.Stored) (usage.Record, usage.Policy, error) {
		a := answers[was.Interval.Start]
		return a.Record, a.Policy, nil
	})
}

func anySlice[T any](all []T) []any {
	list := make([]any, len(all))
	for i, v := range all {
		list[i] = v
	}
	return list
}

// reprice gives an interval other prices and another state, and leaves its facts.
func reprice(ctx context.Context, s *Store, i usage.Interval, prices []usage.PiecePrice, state usage.State) error {
	outcomes, err := s.Update(ctx, []usage.Interval{i}, func(usage.Stored) (usage.Record, usage.Policy, error) {
		return usage.Record{Prices: prices, State: state}, usage.Policy{PricesOnly: true}, nil
	})
	if err != nil {
		return err
	}
	return outcomes[0].Left
}

func summary(tb testing.TB, s *Store) usage.Summary {
	tb.Helper()
	sum, err := s.Summary(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	return sum
}

func execute(tb testing.TB, db *sql.DB, query string, args ...any) {
	tb.Helper()
	if _, err := db.ExecContext(context.Background(), query, args...); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
}

func readRows(tb testing.TB, db *sql.DB, query string, args ...any) (all [][]any) {
	tb.Helper()
	rows, err := db.QueryContext(context.Background(), query, args...)
	if err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		tb.Fatal(err)
	}
	for rows.Next() {
		row, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			tb.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return all
}

// dump is every row of every table, but for usage_id, which only numbers rows,
// for when the schema was made and for how the rest came to be as it is.
func dump(tb testing.TB, s *Store) string {
	tb.Helper()
	var text strings.Builder
	for _, table := range readRows(tb, s.reader, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('schema_migration', 'interval_change') ORDER BY name") {
		var lines []string
		for _, row := range readRows(tb, s.reader, "SELECT * FROM "+table[0].(string)) {
			if table[0] == "fact_usage" {
				row[0] = "-"
			}
			for i, value := range row {
				if blob, ok := value.([]byte); ok {
					row[i] = fmt.Sprintf("%d bytes, %x", len(blob), sha256.Sum256(blob))
				}
			}
			lines = append(lines, fmt.Sprintf("%v %#v\n", table[0], row))
		}
		slices.Sort(lines)
		text.WriteString(strings.Join(lines, ""))
	}
	return text.String()
}
