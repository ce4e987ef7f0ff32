// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// LakeBegin makes a lake the present one, which LakePublished is about, and returns the id by
// which it knows this store.
func (s *Store) LakeBegin(ctx context.Context, lake string) (publisher string, err error) {
	err = s.write(ctx, func(tx *sqlite.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO lake(lake, publisher) VALUES (?, ?)", lake, random(16)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO setting VALUES ('lake', ?)", lake); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT publisher FROM lake WHERE lake = ?", lake).Scan(&publisher)
	})
	return publisher, err
}

// LakeSeen returns the id by which a lake knows this store, and the name of the present lake; each
// is empty if there is none yet. It writes nothing.
func (s *Store) LakeSeen(ctx context.Context, lake string) (publisher, present string, err error) {
	err = s.reader.QueryRowContext(ctx, `SELECT coalesce((SELECT publisher FROM lake WHERE lake = ?), ''),
		coalesce((SELECT value FROM setting WHERE name = 'lake'), '')`, lake).Scan(&publisher, &present)
	return publisher, present, err
}

// LakeEnd says that there is no present lake any more, so that nothing waits for it. It writes
// only if there is one.
func (s *Store) LakeEnd(ctx context.Context) error {
	var there bool
	if err := s.reader.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM setting WHERE name = 'lake')").Scan(&there); err != nil || !there {
		return err
	}
	return s.write(ctx, func(tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM setting WHERE name = 'lake'")
		return err
	})
}

// LakeWork returns the days to publish to a lake, of those that changed after a revision, or were
// not published before. With revision 0 it looks at every day, also for changes that have no
// revision, such as another time zone. The first day is that of the first usage.
func (s *Store) LakeWork(ctx context.Context, lake string, since int64) (work usage.LakeWork, err error) {
	err = s.read(ctx, func(tx *sqlite.Tx) error {
		work = usage.LakeWork{}
		published, err := readEditions(ctx, tx, lake)
		if err != nil {
			return err
		}
		var first, last *int64
		if err := tx.QueryRowContext(ctx, `SELECT
			(SELECT min(start) FROM usage_interval WHERE state IN ('unpriced', 'provisional', 'settled')),
			(SELECT max(start + seconds) FROM usage_interval),
			(SELECT coalesce(max(revision), 0) FROM usage_interval WHERE revision IS NOT NULL)`).Scan(&first, &last, &work.Revised); err != nil || first == nil {
			return err
		}
		changed, err := s.changedDays(ctx, tx, since)
		if err != nil {
			return err
		}
		for day := s.dayAt(unix(*first)); day.To.Unix() <= *last; day = s.dayAt(day.To) {
			date := day.From.In(s.zone).Format(time.DateOnly)
			was, before := published[date]
			if before && since > 0 && !changed[date] {
				work.Newest = day
				continue
			}
			is, err := s.readLakeDay(ctx, tx, date, day)
			if err != nil {
				return err
			}
			switch {
			case before && is.Same(was.LakeDay):
				work.Newest = day
			case is.Open > 0:
				work.Open++
			case is.Pruned > 0 && !before:
				work.Lost++
			default:
				work.Due = append(work.Due, is)
			}
		}
		return nil
	})
	return work, err
}

// LakeEdition returns a day as it was published to a lake; ok is false if it was not.
func (s *Store) LakeEdition(ctx context.Context, lake, date string) (e usage.LakeEdition, ok bool, err error) {
	all, err := readEditions(ctx, s.reader, lake)
	e, ok = all[date]
	return e, ok, err
}

// LakeEditions returns all days that were published to a lake, in order.
func (s *Store) LakeEditions(ctx context.Context, lake string) ([]usage.LakeEdition, error) {
	all, err := readEditions(ctx, s.reader, lake)
	return slices.SortedFunc(maps.Values(all), func(a, b usage.LakeEdition) int { return a.From.Compare(b.From) }), err
}

func readEditions(ctx context.Context, db queryer, lake string) (map[string]usage.LakeEdition, error) {
	all := map[string]usage.LakeEdition{}
	err := each(ctx, db, `SELECT day, began, ended, revision, settled, empty, unknown, edition, generation, contested
		FROM lake_day WHERE lake = ?`, []any{lake}, func(rows *sql.Rows) error {
		var e usage.LakeEdition
		var began, ended int64
		err := rows.Scan(&e.Date, &began, &ended, &e.Revision, &e.Settled, &e.Empty, &e.Unknown, &e.Edition, &e.Generation, &e.Contested)
		e.From, e.To = unix(began), unix(ended)
		all[e.Date] = e
		return err
	})
	return all, err
}

// LakeWriting records that a manifest is about to be written, so that it is known after a crash
// whose it is.
func (s *Store) LakeWriting(ctx context.Context, lake, date string, generation int64) error {
	return s.write(ctx, func(tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO setting VALUES ('lake_writing', ?)", fmt.Sprintf("%d %s %s", generation, date, lake))
		return err
	})
}

// LakeWasWriting returns the generation of the manifest of a day that was last about to be written;
// 0: it was none of that day.
func (s *Store) LakeWasWriting(ctx context.Context, lake, date string) (generation int64, err error) {
	var text string
	err = s.reader.QueryRowContext(ctx, "SELECT value FROM setting WHERE name = 'lake_writing'").Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if number, ok := strings.CutSuffix(text, " "+date+" "+lake); ok && err == nil {
		return strconv.ParseInt(number, 10, 64)
	}
	return 0, err
}

// LakeDone records that a day was published.
func (s *Store) LakeDone(ctx context.Context, lake string, e usage.LakeEdition) error {
	return s.write(ctx, func(tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO lake_day VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", lake, e.Date,
			e.From.Unix(), e.To.Unix(), e.Revision, e.Settled, e.Empty, e.Unknown, e.Edition, e.Generation, e.Contested)
		return err
	})
}

// LakeGone records that a lake does not have some days any more, so that they are due. It keeps by
// which numbers they were published.
func (s *Store) LakeGone(ctx context.Context, lake string, dates []string) error {
	return s.write(ctx, func(tx *sqlite.Tx) error {
		for _, date := range dates {
			if _, err := tx.ExecContext(ctx, "UPDATE lake_day SET revision = -1 WHERE lake = ? AND day = ?", lake, date); err != nil {
				return err
			}
		}
		return nil
	})
}
