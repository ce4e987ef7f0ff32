// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"
)

// endDay checks that the current day's sums are those of its facts, to the last bit.
func (w *walk) endDay(ctx context.Context) error {
	kept, err := readTotals(ctx, w.tx, "SELECT sums, more FROM usage_day WHERE day = ?", w.date)
	if err != nil {
		return err
	}
	if n := differing(kept, w.today); w.whole && n > 0 {
		w.sums.fault("%s: the day's sums differ from its facts for %d keys", time.Unix(w.date*int64(day/time.Second), 0).UTC().Format(time.DateOnly), n)
	}
	w.today, w.whole = totals{}, true
	return nil
}

// compareTotals checks that the days add up to all time, and that no day has sums without
// having intervals.
func (w *walk) compareTotals(ctx context.Context) error {
	all, err := readTotals(ctx, w.tx, "SELECT sums, more FROM usage_total")
	if err != nil {
		return err
	}
	days, err := readTotals(ctx, w.tx, "SELECT sums, more FROM usage_day")
	if err != nil {
		return err
	}
	if n := differing(days, all); n > 0 {
		w.sums.fault("the days do not add up to the all-time sums for %d keys", n)
	}
	if err := w.compareMonths(ctx); err != nil {
		return err
	}
	if err := each(ctx, w.tx, "SELECT day FROM usage_day WHERE length(sums) > 0", nil, func(rows *sql.Rows) error {
		var date int64
		err := rows.Scan(&date)
		if w.dates[date] == 0 {
			w.sums.fault("%s: the day has sums but no usage", time.Unix(date*int64(day/time.Second), 0).UTC().Format(time.DateOnly))
		}
		return err
	}); err != nil {
		return err
	}
	if err := each(ctx, w.tx, "SELECT key_id, last FROM pruned_key", nil, func(rows *sql.Rows) error {
		var id, last int64
		err := rows.Scan(&id, &last)
		w.last[id] = max(w.last[id], last)
		return err
	}); err != nil {
		return err
	}
	late := 0
	for id, r := range all {
		if r.rows > 0 && r.last != w.last[id] {
			late++
		}
	}
	if late > 0 {
		w.sums.fault("the time of last use is wrong for %d keys", late)
	}
	return nil
}

// compareMonths checks that the sums of a month are those of its days.
func (w *walk) compareMonths(ctx context.Context) error {
	kept := map[int64]*monthSums{}
	if err := each(ctx, w.tx, "SELECT month, until FROM usage_month", nil, func(rows *sql.Rows) error {
		var month int64
		m := &monthSums{}
		err := rows.Scan(&month, &m.until)
		kept[month] = m
		return err
	}); err != nil {
		return err
	}
	for _, month := range slices.Sorted(maps.Keys(kept)) {
		until, named := kept[month].until, dayStart(month).Format("2006-01")
		if monthOf(month) != month || until < month || until >= monthAfter(month) {
			w.sums.fault("%s: the month's sums are not of days of one month", named)
			continue
		}
		sums, err := readTotals(ctx, w.tx, "SELECT sums, more FROM usage_month WHERE month = ?", month)
		if err != nil {
			return err
		}
		days, err := readTotals(ctx, w.tx, "SELECT sums, more FROM usage_day WHERE day >= ? AND day <= ?", month, until)
		if err != nil {
			return err
		}
		if n := differing(sums, days); n > 0 {
			w.sums.fault("%s: the month's sums differ from those of its days for %d keys", named, n)
		}
	}
	return nil
}

// differing counts the keys whose sums differ. When they were last used is not compared.
func differing(a, b totals) (n int) {
	has := func(t totals, id int64) keyTotals {
		if r := t[id]; r != nil && r.rows > 0 {
			return *r
		}
		return keyTotals{}
	}
	same := func(x, y keyTotals) bool {
		return x.rows == y.rows && x.priced == y.priced && x.sums.equal(&y.sums)
	}
	for id := range a {
		if !same(has(a, id), has(b, id)) {
			n++
		}
	}
	for id := range b {
		if a[id] == nil && !same(has(b, id), keyTotals{}) {
			n++
		}
	}
	return n
}
