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

// Replay calls each for the intervals that begin in a period and have usage, in order of time,
// as stored but without usage by host. Before the first it calls before, if not nil, with the
// usage of each key up to the period. Everything is as of one moment. If per-key rows of the
// period were deleted it returns usage.ErrPruned and calls neither.
func (s *Store) Replay(ctx context.Context, p usage.Period, before func([]usage.Total) error, each func(usage.Record) error) error {
	return s.read(ctx, func(tx *sqlite.Tx) error {
		naming, err := s.names.in(ctx, tx)
		if err != nil {
			return err
		}
		if err := refusePruned(ctx, tx, p); err != nil {
			return err
		}
		starts, err := withUsage(ctx, tx, p)
		if err != nil {
			return err
		}
		if before != nil {
			if err := s.replayBefore(ctx, tx, naming, p.From, before); err != nil {
				return err
			}
		}
		for _, i := range starts {
			rec, err := readRecord(ctx, tx, naming, i)
			if err != nil {
				return fmt.Errorf("interval %s: store: %w", i, err)
			}
			if err := each(rec); err != nil {
				return err
			}
		}
		return nil
	})
}

// Kept returns usage.ErrPruned if per-key rows of a period were deleted; the error says from
// when on they are complete.
func (s *Store) Kept(ctx context.Context, p usage.Period) error {
	return s.read(ctx, func(tx *sqlite.Tx) error { return refusePruned(ctx, tx, p) })
}

// refusePruned returns usage.ErrPruned if per-key rows of a period were deleted, and says from
// when on they are complete.
func refusePruned(ctx context.Context, tx *sqlite.Tx, p usage.Period) error {
	var pruned, all *int64
	if err := tx.QueryRowContext(ctx, `SELECT
		(SELECT max(start + seconds) FROM usage_interval WHERE pruned = 1 AND start >= ? AND start < ?),
		(SELECT max(start + seconds) FROM usage_interval WHERE pruned = 1)`, p.From.Unix(), p.To.Unix()).Scan(&pruned, &all); err != nil || pruned == nil {
		return err
	}
	return fmt.Errorf("%w: per-key rows are complete from %s on", usage.ErrPruned, unix(*all).Format(time.RFC3339))
}

// withUsage lists the intervals of a period that have usage.
func withUsage(ctx context.Context, tx *sqlite.Tx, p usage.Period) (all []usage.Interval, err error) {
	err = each(ctx, tx, `SELECT start, seconds FROM usage_interval
		WHERE start >= ? AND start < ? AND state IN ('unpriced', 'provisional', 'settled') ORDER BY start`,
		[]any{p.From.Unix(), p.To.Unix()}, func(rows *sql.Rows) error {
			var start, seconds int64
			err := rows.Scan(&start, &seconds)
			all = append(all, usage.Interval{Start: unix(start), Length: time.Duration(seconds) * time.Second})
			return err
		})
	return all, err
}

// replayBefore passes on the usage before a moment. The time of a key's last usage may be up to
// a day late.
func (s *Store) replayBefore(ctx context.Context, tx *sqlite.Tx, naming *naming, until time.Time, before func([]usage.Total) error) error {
	var first *int64
	if err := tx.QueryRowContext(ctx, "SELECT min(start) FROM usage_interval WHERE state IN ('unpriced', 'provisional', 'settled')").Scan(&first); err != nil {
		return err
	}
	if first == nil || !unix(*first).Before(until) {
		return before(nil)
	}
	// Start before the first day, so that it counts as a whole one.
	sums, err := s.over(ctx, tx, usage.Period{From: unix(*first).Add(-2 * day), To: until})
	if err != nil {
		return err
	}
	all, err := sums.list(ctx, naming)
	if err != nil {
		return err
	}
	return before(all)
}

// Grids lists the grids with stored slots, by provider and name; no other field is set.
func (s *Store) Grids(ctx context.Context) (all []usage.Slot, err error) {
	err = each(ctx, s.reader, "SELECT DISTINCT provider, grid FROM intensity_slot ORDER BY provider, grid", nil, func(rows *sql.Rows) error {
		var g usage.Slot
		err := rows.Scan(&g.Provider, &g.Grid)
		all = append(all, g)
		return err
	})
	return all, err
}
