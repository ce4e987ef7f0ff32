// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
)

// A year of 10 000 keys is a gigabyte of sums by day. Once a day has long ended, it is included in
// the sums of its month, which are as large as those of one day.

// includeAtOnce is the number of sums of keys after which a step of SumMonths ends: a commit that
// comes meanwhile waits a tenth of a second.
const includeAtOnce = 50_000

// monthSums are what the days of a month add up to, up to one of them.
type monthSums struct {
	until int64
	sums  totals // nil: not read
}

// monthOf is the first local date of a date's month, and monthAfter that of the next.
func monthOf(date int64) int64    { return monthAt(date, 0) }
func monthAfter(date int64) int64 { return monthAt(date, 1) }

func monthAt(date int64, further time.Month) int64 {
	y, m, _ := dayStart(date).Date()
	return dateOf(time.Date(y, m+further, 1, 0, 0, 0, 0, time.UTC), time.UTC)
}

// dayStart is a local date as a time of UTC.
func dayStart(date int64) time.Time { return unix(date * int64(day/time.Second)) }

// month returns the sums of the month that include those of a day; nil if they do not.
func (a *accounts) month(ctx context.Context, date int64) (totals, error) {
	month := monthOf(date)
	m, known := a.months[month]
	if !known {
		m = &monthSums{until: month - 1}
		err := a.tx.QueryRowContext(ctx, "SELECT until FROM usage_month WHERE month = ?", month).Scan(&m.until)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		a.months[month] = m
	}
	if date > m.until {
		return nil, nil
	}
	if m.sums != nil {
		return m.sums, nil
	}
	var err error
	m.sums, err = readTotals(ctx, a.tx, "SELECT sums, more FROM usage_month WHERE month = ?", month)
	return m.sums, err
}

func (m *monthSums) write(ctx context.Context, tx *sqlite.Tx, month int64) error {
	usual, more := m.sums.encode()
	_, err := tx.ExecContext(ctx, `INSERT INTO usage_month(month, until, sums, more) VALUES (?, ?, ?, ?)
		ON CONFLICT(month) DO UPDATE SET until = excluded.until, sums = excluded.sums, more = excluded.more`, month, m.until, usual, orNull(more))
	return err
}

// SumMonths does the next step of including days that have long ended in the sums of their months,
// and reports whether more steps are due. No number depends on it, only the time that adding up
// takes.
func (s *Store) SumMonths(ctx context.Context) (more bool, err error) {
	if s.length == 0 {
		return false, nil
	}
	var days []int64
	look := func(tx *sqlite.Tx) (err error) {
		days, err = s.notIncluded(ctx, tx)
		return err
	}
	// Look before taking the write lock: mostly there is nothing to do.
	if err := s.read(ctx, look); err != nil || len(days) == 0 {
		return false, err
	}
	return true, s.write(ctx, func(tx *sqlite.Tx) error {
		if err := look(tx); err != nil || len(days) == 0 {
			return err
		}
		return include(ctx, tx, days)
	})
}

// include includes days of one month, as many as fit into a step.
func include(ctx context.Context, tx *sqlite.Tx, days []int64) error {
	month := monthOf(days[0])
	m := monthSums{}
	var err error
	if m.sums, err = readTotals(ctx, tx, "SELECT sums, more FROM usage_month WHERE month = ?", month); err != nil {
		return err
	}
	for n := 0; len(days) > 0 && n < includeAtOnce; days, n = days[1:], n+len(m.sums) {
		if err := m.sums.readInto(ctx, tx, "SELECT sums, more FROM usage_day WHERE day = ?", days[0]); err != nil {
			return err
		}
		m.until = days[0]
	}
	return m.write(ctx, tx, month)
}

// notIncluded returns the days of the first month that has such that have long ended and are not
// part of its sums.
func (s *Store) notIncluded(ctx context.Context, tx *sqlite.Tx) (days []int64, err error) {
	held, known, err := spanOf(ctx, tx)
	if err != nil || !known {
		return nil, err
	}
	edge := dateOf(held.To, s.zone) - unsettledDays
	for from := int64(0); len(days) == 0; {
		var first *int64
		if err := tx.QueryRowContext(ctx, "SELECT min(day) FROM usage_day WHERE day >= ? AND day < ?", from, edge).Scan(&first); err != nil || first == nil {
			return nil, err
		}
		month, next := monthOf(*first), monthAfter(*first)
		if err := each(ctx, tx, `SELECT day FROM usage_day
			WHERE day > coalesce((SELECT until FROM usage_month WHERE month = ?1), ?1 - 1) AND day < ?2 ORDER BY day`,
			[]any{month, min(next, edge)}, func(rows *sql.Rows) error {
				var date int64
				err := rows.Scan(&date)
				days = append(days, date)
				return err
			}); err != nil {
			return nil, err
		}
		from = next
	}
	return days, nil
}

// addDays adds up the local dates from first to last, by month where the sums of a month are of
// these days only.
func addDays(ctx context.Context, tx *sqlite.Tx, first, last int64, sums totals) error {
	type part struct{ month, until int64 }
	var parts []part
	if err := each(ctx, tx, "SELECT month, until FROM usage_month WHERE month >= ? AND until <= ? ORDER BY month", []any{first, last}, func(rows *sql.Rows) error {
		var p part
		err := rows.Scan(&p.month, &p.until)
		parts = append(parts, p)
		return err
	}); err != nil {
		return err
	}
	for _, p := range append(parts, part{month: last + 1}) {
		if first < p.month {
			if err := sums.readInto(ctx, tx, "SELECT sums, more FROM usage_day WHERE day >= ? AND day < ?", first, p.month); err != nil {
				return err
			}
		}
		first = p.until + 1
	}
	for _, p := range parts {
		if err := sums.readInto(ctx, tx, "SELECT sums, more FROM usage_month WHERE month = ?", p.month); err != nil {
			return err
		}
	}
	return nil
}
