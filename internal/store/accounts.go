// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// accounts are the sums that a transaction changes: of every key over all intervals, over each day
// that it touches, and over the months that include such a day.
type accounts struct {
	tx     *sqlite.Tx
	zone   *time.Location
	mark   sumsMark
	all    totals
	days   map[int64]totals     // by local date, see dateOf
	months map[int64]*monthSums // by first local date
}

// accounts returns the sums for a transaction that writes. If nobody else has written since they were
// kept, they are not read again.
func (s *Store) accounts(ctx context.Context, tx *sqlite.Tx) (*accounts, error) {
	a := &accounts{tx: tx, zone: s.zone, days: map[int64]totals{}, months: map[int64]*monthSums{}}
	version, err := dataVersion(ctx, tx)
	if err != nil {
		return nil, err
	}
	a.mark = sumsMark{version, s.sumsTurn.Add(1)}
	if kept := s.keptSums.Swap(nil); kept != nil && kept.mark == (sumsMark{version, a.mark.turn - 1}) {
		a.all, a.days[kept.date] = kept.all, kept.day
		return a, nil
	}
	a.all, err = readTotals(ctx, tx, "SELECT sums, more FROM usage_total WHERE id = 1")
	return a, err
}

// keptSums are sums as a transaction has written them: of 100 000 keys they would take a third of a
// second to read again. They are changed in place, so each serves one transaction, and is gone
// if that fails.
type keptSums struct {
	mark sumsMark
	all  totals
	date int64 // the newest day that was changed
	day  totals
}

// sumsMark tells whether anybody has written since: another program, which SQLite counts, or
// another transaction of this one.
type sumsMark struct{ version, turn int64 }

// keep keeps the sums after the commit.
func (s *Store) keep(a *accounts) {
	if len(a.days) == 0 {
		return
	}
	date := slices.Max(slices.Collect(maps.Keys(a.days)))
	s.keptSums.Store(&keptSums{mark: a.mark, all: a.all, date: date, day: a.days[date]})
}

// day returns the sums of the day on which an interval begins.
func (a *accounts) day(ctx context.Context, start time.Time) (totals, error) {
	date := dateOf(start, a.zone)
	if t, ok := a.days[date]; ok {
		return t, nil
	}
	t, err := readTotals(ctx, a.tx, "SELECT sums, more FROM usage_day WHERE day = ?", date)
	a.days[date] = t
	return t, err
}

// replace subtracts an interval's old content and adds the fresh content. If the interval was
// settled, its settled counters are kept from falling.
func (a *accounts) replace(ctx context.Context, i usage.Interval, old, fresh content) error {
	day, err := a.day(ctx, i.Start)
	if err != nil {
		return err
	}
	var shown map[int64]floor
	if old.state == usage.Settled {
		if shown, err = a.shown(ctx, old.rows); err != nil {
			return err
		}
	}
	month, err := a.month(ctx, dateOf(i.Start, a.zone))
	if err != nil {
		return err
	}
	changed := []totals{a.all, day}
	if month != nil { // it includes the day
		changed = append(changed, month)
	}
	var p part
	for _, r := range old.rows {
		p.set(r, old.terms(r))
		for _, sums := range changed {
			sums.minus(&p)
		}
	}
	for _, r := range fresh.rows {
		p.set(r, fresh.terms(r))
		for _, sums := range changed {
			sums.plus(&p)
		}
	}
	if err := a.all.refresh(ctx, a.tx); err != nil {
		return err
	}
	return a.hold(ctx, shown)
}

// write stores what has changed.
func (a *accounts) write(ctx context.Context) error {
	usual, more := a.all.encode()
	if _, err := a.tx.ExecContext(ctx, `INSERT INTO usage_total(id, sums, more) VALUES (1, ?, ?)
		ON CONFLICT(id) DO UPDATE SET sums = excluded.sums, more = excluded.more`, usual, orNull(more)); err != nil {
		return err
	}
	for date, day := range a.days {
		usual, more := day.encode()
		if _, err := a.tx.ExecContext(ctx, `INSERT INTO usage_day(day, sums, more) VALUES (?, ?, ?)
			ON CONFLICT(day) DO UPDATE SET sums = excluded.sums, more = excluded.more`, date, usual, orNull(more)); err != nil {
			return err
		}
	}
	for month, m := range a.months {
		if m.sums == nil {
			continue
		}
		if err := m.write(ctx, a.tx, month); err != nil {
			return err
		}
	}
	return nil
}

// orNull is NULL for a value without records.
func orNull(blob []byte) any {
	if len(blob) == 0 {
		return nil
	}
	return blob
}

// dateOf is the local date of a time, in days since 1970-01-01.
func dateOf(t time.Time, zone *time.Location) int64 {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / int64(day/time.Second)
}

const day = 24 * time.Hour
