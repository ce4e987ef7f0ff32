// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// ToReread returns the oldest run of adjacent intervals that were answered and are to be read a
// second time at now, at most limit of them. A time that is further ahead than longest was set
// by a clock that ran ahead, and counts as due.
func (s *Store) ToReread(ctx context.Context, now time.Time, longest time.Duration, limit int) (run []usage.Reread, err error) {
	err = s.read(ctx, func(tx *sqlite.Tx) error {
		run = nil
		var known []bool
		left := limit
		if err := each(ctx, tx, `SELECT start, seconds, state, attempts, doubts IS NOT NULL, coalesce(final = 1 AND doubts = 0, 0)
			FROM usage_interval WHERE reread_at IS NOT NULL AND state IN ('empty', 'unpriced', 'provisional')
			AND (reread_at <= ?1 OR reread_at > ?2) ORDER BY start LIMIT ?3`,
			[]any{now.Unix(), now.Add(longest).Unix(), limit}, func(rows *sql.Rows) error {
				var r usage.Reread
				var start, seconds int64
				var knows bool
				if err := rows.Scan(&start, &seconds, &r.State, &r.Attempts, &knows, &r.Sure); err != nil {
					return err
				}
				r.Interval = usage.Interval{Start: unix(start), Length: time.Duration(seconds) * time.Second}
				if n := len(run); n < left && (n == 0 || run[n-1].End().Equal(r.Start)) {
					run, known = append(run, r), append(known, knows)
				} else {
					left = n // the run has ended
				}
				return nil
			}); err != nil {
			return err
		}
		for i := range run {
			if !known[i] {
				continue
			}
			run[i].Present = map[string]usage.Presence{}
			if err := readPresence(ctx, tx, run[i].Interval, run[i].Present); err != nil {
				return err
			}
		}
		return nil
	})
	return run, err
}

// RereadDue returns the intervals that begin in a period, were answered and are to be read a
// second time at now.
func (s *Store) RereadDue(ctx context.Context, p usage.Period, now time.Time) (map[time.Time]bool, error) {
	all := map[time.Time]bool{}
	err := each(ctx, s.reader, `SELECT start FROM usage_interval WHERE reread_at <= ? AND start >= ? AND start < ?
		AND state IN ('empty', 'unpriced', 'provisional')`, []any{now.Unix(), p.From.Unix(), p.To.Unix()}, func(rows *sql.Rows) error {
		var start int64
		err := rows.Scan(&start)
		all[unix(start)] = true
		return err
	})
	return all, err
}

// Reread records that a second reading of intervals would find nothing new.
func (s *Store) Reread(ctx context.Context, intervals []usage.Interval) error {
	return s.write(ctx, func(tx *sqlite.Tx) error {
		for _, i := range intervals {
			if _, err := tx.ExecContext(ctx, "UPDATE usage_interval SET reread_at = NULL WHERE start = ? AND reread_at IS NOT NULL",
				i.Start.Unix()); err != nil {
				return err
			}
		}
		return nil
	})
}

// RereadLater puts off the second reading of an interval.
func (s *Store) RereadLater(ctx context.Context, i usage.Interval, until time.Time) error {
	return s.write(ctx, func(tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE usage_interval SET reread_at = ? WHERE start = ? AND reread_at IS NOT NULL",
			until.Unix(), i.Start.Unix())
		return err
	})
}

// dueBehindHole makes the intervals due that a hole touched which ends in this record, and that
// were read before it ended: what was used in the hole is known now. Settled ones stay. Those
// that are due already stay as they are, but an empty one need not wait for its hour.
func dueBehindHole(ctx context.Context, tx *sqlite.Tx, rec usage.Record) error {
	if rec.Hole == (usage.Period{}) {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE usage_interval SET retry_at = 0
		WHERE start + seconds > ?1 AND start < ?2 AND state IN ('empty', 'unpriced', 'provisional')
		AND fetched_at < ?3 AND (retry_at IS NULL OR state = 'empty')`,
		rec.Hole.From.Unix(), rec.Interval.Start.Unix(), rec.Hole.To.Unix())
	return err
}
