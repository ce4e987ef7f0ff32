// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// membersFrom is the name of the setting that says from when on fact_usage has every interval. What
// is older was deleted, unless it was restated since.
const membersFrom = "members_from"

// PruneMembers does the next step of deleting rows of fact_usage older than keep: those of one
// interval, in one short transaction. It deletes whole days, the oldest first, under the terms of
// Prune, and stops before a day that has to wait.
func (s *Store) PruneMembers(ctx context.Context, now time.Time, keep time.Duration, follower string) (done usage.Pruned, err error) {
	var next usage.Interval
	look := func(tx *sqlite.Tx) (err error) {
		next, done.Waiting, err = s.prunableMembers(ctx, tx, now, keep, follower)
		return err
	}
	if err := s.read(ctx, look); err != nil || next.Length == 0 {
		return done, err
	}
	err = s.write(ctx, func(tx *sqlite.Tx) error {
		if err := look(tx); err != nil || next.Length == 0 {
			return err
		}
		gone, err := tx.ExecContext(ctx, "DELETE FROM fact_usage WHERE scope IN ('ada', 'project', 'machine', 'user') AND ts = ?", next.String())
		if err != nil {
			return err
		}
		rows, err := gone.RowsAffected()
		if err != nil {
			return err
		}
		done.Intervals, done.Facts, done.Until, done.More = 1, int(rows), next.End(), true
		from, err := readMembersFrom(ctx, tx)
		if err != nil || !next.End().After(from) {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO setting VALUES (?, ?)", membersFrom, strconv.FormatInt(next.End().Unix(), 10))
		return err
	})
	if err != nil {
		return usage.Pruned{}, err
	}
	return done, nil
}

// prunableMembers returns the oldest interval whose rows are to be deleted, of length 0 if there is
// none, and whether its day has to wait.
func (s *Store) prunableMembers(ctx context.Context, tx *sqlite.Tx, now time.Time, keep time.Duration, follower string) (next usage.Interval, waiting int, err error) {
	limit, err := pruneLimit(ctx, tx, now, keep)
	if err != nil || limit.IsZero() {
		return next, 0, err
	}
	var ts string
	err = tx.QueryRowContext(ctx, "SELECT ts FROM fact_usage WHERE scope = 'ada' ORDER BY ts LIMIT 1").Scan(&ts)
	if errors.Is(err, sql.ErrNoRows) {
		return next, 0, nil
	}
	if err != nil {
		return next, 0, err
	}
	start, err := time.Parse(time.RFC3339, ts)
	if err != nil || dateOf(start, s.zone) >= dateOf(limit, s.zone) {
		return next, 0, err
	}
	final, err := s.dayIsFinal(ctx, tx, start, follower)
	if err != nil || !final {
		return next, 1, err
	}
	return usage.Interval{Start: start, Length: s.length}, 0, nil
}

// dayIsFinal reports whether nobody needs the rows of a day any more, whether or not its per-key
// rows are still there.
func (s *Store) dayIsFinal(ctx context.Context, tx *sqlite.Tx, start time.Time, follower string) (bool, error) {
	day, err := s.readDay(ctx, tx, start, follower)
	if err != nil || !day.final || len(day.kept) > 0 {
		return day.final, err
	}
	return lakeHas(ctx, tx, start.In(s.zone).Format(time.DateOnly))
}

// MembersFrom returns from when on fact_usage has every interval; zero: nothing was deleted.
func (s *Store) MembersFrom(ctx context.Context) (from time.Time, err error) {
	return readMembersFrom(ctx, s.reader)
}

func readMembersFrom(ctx context.Context, db queryer) (time.Time, error) {
	var from int64
	err := db.QueryRowContext(ctx, "SELECT CAST(value AS INTEGER) FROM setting WHERE name = ?", membersFrom).Scan(&from)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return unix(from), err
}
