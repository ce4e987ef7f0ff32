// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// A clock that was wrong leaves intervals that nobody was ever missing: of decades
// before the first usage, or of a time between two usages that is too long to be an
// outage. Time after the last usage is not among it: that may be an outage that goes
// on, and all of it can still be had.

// neverAsked are the missing intervals of a period that were never asked for.
const neverAsked = "state = 'missing' AND attempts = 0 AND start >= ? AND start + seconds <= ?"

// dropAtOnce bounds the intervals that one transaction deletes: an exporter that
// writes to the store meanwhile does not wait for long.
const dropAtOnce = 10_000

// NeverAsked is how many intervals DropNeverAsked would delete.
func (s *Store) NeverAsked(ctx context.Context, before time.Time) (n int, err error) {
	err = s.read(ctx, func(tx *sqlite.Tx) error {
		gaps, err := longGaps(ctx, tx, before)
		if err != nil {
			return err
		}
		for _, gap := range gaps {
			var some int
			if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM usage_interval WHERE "+neverAsked,
				gap.From.Unix(), gap.To.Unix()).Scan(&some); err != nil {
				return err
			}
			n += some
		}
		return nil
	})
	if err != nil {
		err = fmt.Errorf("store: count the intervals that were never asked for: %w", err)
	}
	return n, err
}

// DropNeverAsked deletes the intervals that are missing, were never asked for, end
// before a time, and lie before the first usage or in a gap between two usages that
// is longer than any outage. It says how many, also with an error: what is deleted
// by then stays deleted.
func (s *Store) DropNeverAsked(ctx context.Context, before time.Time) (n int, err error) {
	for more := true; more && err == nil; {
		var some int
		err = s.write(ctx, func(tx *sqlite.Tx) (err error) {
			some, err = dropNeverAsked(ctx, tx, before)
			return err
		})
		if err == nil {
			n += some
		}
		if more = some >= dropAtOnce; more && err == nil {
			err = breathe(ctx)
		}
	}
	if err != nil {
		err = fmt.Errorf("store: delete the intervals that were never asked for: %w", err)
	}
	return n, err
}

// breathe lets another program write that waits for its turn: it is longer than SQLite
// sleeps while it waits.
func breathe(ctx context.Context) error {
	timer := time.NewTimer(110 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// dropNeverAsked deletes some of them. The gaps are read anew each time: another
// program may have filled one.
func dropNeverAsked(ctx context.Context, tx *sqlite.Tx, before time.Time) (n int, err error) {
	gaps, err := longGaps(ctx, tx, before)
	if err != nil {
		return 0, err
	}
	for _, gap := range gaps {
		gone, err := tx.ExecContext(ctx, "DELETE FROM usage_interval WHERE start IN (SELECT start FROM usage_interval WHERE "+
			neverAsked+" LIMIT ?)", gap.From.Unix(), gap.To.Unix(), dropAtOnce-n)
		if err != nil {
			return n, err
		}
		some, err := gone.RowsAffected()
		if err != nil {
			return n, err
		}
		if n += int(some); n >= dropAtOnce {
			break
		}
	}
	return n, nil
}

// longGaps are the times before the first usage, and between two usages if that is
// longer than any outage, as far as they end before a time.
func longGaps(ctx context.Context, db queryer, before time.Time) (gaps []usage.Period, err error) {
	err = each(ctx, db, `WITH known AS (
			SELECT start, lag(start + seconds) OVER (ORDER BY start) AS since FROM usage_interval
			WHERE state IN ('unpriced', 'provisional', 'settled'))
		SELECT coalesce(since, ?1), min(start, ?2) FROM known
		WHERE (since IS NULL OR start - since > ?3) AND coalesce(since, ?1) < ?2 ORDER BY start`,
		[]any{int64(minStart), before.Unix(), int64(longestOutage / time.Second)}, func(rows *sql.Rows) error {
			var from, to int64
			err := rows.Scan(&from, &to)
			gaps = append(gaps, usage.Period{From: unix(from), To: unix(to)})
			return err
		})
	return gaps, err
}

// minStart is before every interval, also of a clock that stood before 1970.
const minStart = -1 << 40
