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

// changedDays returns the local dates of the intervals that changed after a revision.
func (s *Store) changedDays(ctx context.Context, tx *sqlite.Tx, since int64) (map[string]bool, error) {
	changed := map[string]bool{}
	if since == 0 {
		return changed, nil
	}
	err := each(ctx, tx, "SELECT start FROM usage_interval WHERE revision IS NOT NULL AND revision > ?", []any{since}, func(rows *sql.Rows) error {
		var start int64
		err := rows.Scan(&start)
		changed[unix(start).In(s.zone).Format(time.DateOnly)] = true
		return err
	})
	return changed, err
}

// readLakeDay reads what there is of a day: the intervals that begin in it.
func (s *Store) readLakeDay(ctx context.Context, tx *sqlite.Tx, date string, day usage.Period) (d usage.LakeDay, err error) {
	d = usage.LakeDay{Period: day, Date: date, Seconds: int64(s.length / time.Second)}
	next := usage.FloorEpoch(day.From.Add(s.length-time.Second), s.length) // the first that begins in the day
	hole := func(from, to time.Time, state usage.State) {
		if n := len(d.Holes); n > 0 && d.Holes[n-1].To.Equal(from) && d.Holes[n-1].State == state {
			d.Holes[n-1].To = to
			d.Holes[n-1].Intervals++
			return
		}
		d.Holes = append(d.Holes, usage.Gap{Period: usage.Period{From: from, To: to}, State: state, Intervals: 1})
	}
	unknownUntil := func(t time.Time) {
		for ; next.Before(t); next = next.Add(s.length) {
			hole(next, next.Add(s.length), usage.Missing)
			d.Unknown++
		}
	}
	err = each(ctx, tx, `SELECT start, state, coalesce(revision, 0), retry_at IS NOT NULL, pruned OR state = 'settled'
			AND start < (SELECT CAST(value AS INTEGER) FROM setting WHERE name = '`+membersFrom+`')
			AND NOT EXISTS (SELECT 1 FROM fact_usage f WHERE f.scope = 'ada' AND f.ts = strftime('%Y-%m-%dT%H:%M:%SZ', usage_interval.start, 'unixepoch'))
		FROM usage_interval
		WHERE start >= ? AND start < ? ORDER BY start`, []any{day.From.Unix(), day.To.Unix()}, func(rows *sql.Rows) error {
		var start, revision int64
		var state usage.State
		var due, pruned bool
		if err := rows.Scan(&start, &state, &revision, &due, &pruned); err != nil {
			return err
		}
		unknownUntil(unix(start))
		next = unix(start).Add(s.length)
		d.Revision = max(d.Revision, revision)
		switch {
		case state == usage.Settled:
			d.Settled++
		case due || state != usage.Empty && state != usage.Missing:
			d.Open++
		case state == usage.Empty:
			hole(unix(start), next, state)
			d.Empty++
		default:
			hole(unix(start), next, state)
			d.Unknown++
		}
		if pruned {
			d.Pruned++
		}
		return nil
	})
	unknownUntil(day.To)
	return d, err
}

// ReplayDay calls facts for every interval of a day that has usage, and members for every row of
// fact_usage, in order of time, and returns the day, all as of one moment. If per-key rows of the
// day were deleted, it returns usage.ErrPruned.
func (s *Store) ReplayDay(ctx context.Context, day usage.Period, facts func(usage.Record) error, members func(usage.Member) error) (d usage.LakeDay, err error) {
	err = s.read(ctx, func(tx *sqlite.Tx) error {
		naming, err := s.names.in(ctx, tx)
		if err != nil {
			return err
		}
		names, err := readMemberNames(ctx, tx)
		if err != nil {
			return err
		}
		if d, err = s.readLakeDay(ctx, tx, day.From.In(s.zone).Format(time.DateOnly), day); err != nil {
			return err
		}
		starts, err := withUsage(ctx, tx, day)
		if err != nil {
			return err
		}
		for _, i := range starts {
			rec, err := readRecord(ctx, tx, naming, i)
			if err != nil {
				return fmt.Errorf("interval %s: store: %w", i, err)
			}
			if err := facts(rec); err != nil {
				return err
			}
			rows, err := readMembers(ctx, tx, i, names)
			if err != nil {
				return err
			}
			for _, m := range rows {
				if err := members(m); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return d, err
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

// LakeGone records that a lake has nothing of what was published, so that all of it is published
// again.
func (s *Store) LakeGone(ctx context.Context, lake string) error {
	return s.write(ctx, func(tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM lake_day WHERE lake = ?", lake)
		return err
	})
}

// LakePublished returns the days that the present lake has as they are now, in order: nothing in
// them has changed since they were published. Without a present lake there is none.
func (s *Store) LakePublished(ctx context.Context) (days []usage.Period, err error) {
	err = s.read(ctx, func(tx *sqlite.Tx) (err error) {
		days, err = lakePublished(ctx, tx, "")
		return err
	})
	return days, err
}

// lakeHas reports whether the present lake, if there is one, has a day as it is.
func lakeHas(ctx context.Context, tx *sqlite.Tx, date string) (bool, error) {
	var there bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM setting WHERE name = 'lake')").Scan(&there); err != nil || !there {
		return !there, err
	}
	days, err := lakePublished(ctx, tx, date)
	return len(days) > 0, err
}

// lakePublished is LakePublished of one day, or of all ("").
func lakePublished(ctx context.Context, tx *sqlite.Tx, date string) (days []usage.Period, err error) {
	err = each(ctx, tx, `SELECT began, ended FROM lake_day l
		WHERE lake = (SELECT value FROM setting WHERE name = 'lake') AND ?1 IN ('', day)
		AND settled + empty = (SELECT count(*) FROM usage_interval i WHERE i.start >= began AND i.start < ended AND i.state IN ('settled', 'empty'))
		AND NOT EXISTS (SELECT 1 FROM usage_interval i WHERE i.start >= began AND i.start < ended
			AND (i.revision > l.revision OR i.state IN ('unpriced', 'provisional')))
		ORDER BY began`, []any{date}, func(rows *sql.Rows) error {
		var began, ended int64
		err := rows.Scan(&began, &ended)
		days = append(days, usage.Period{From: unix(began), To: unix(ended)})
		return err
	})
	return days, err
}

// LakeErasures returns how many people were forgotten, how many of them nothing in a lake names any
// more, and whether a user is one of them.
func (s *Store) LakeErasures(ctx context.Context, lake string) (forgotten, erased int, isGone func(user string) bool, err error) {
	f, err := readForgotten(ctx, s.reader)
	if err != nil {
		return 0, 0, nil, err
	}
	err = s.reader.QueryRowContext(ctx, "SELECT erased FROM lake WHERE lake = ?", lake).Scan(&erased)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return len(f.ids), erased, f.holds, err
}

// LakeErased records that nothing in a lake names the first people that were forgotten.
func (s *Store) LakeErased(ctx context.Context, lake string, people int) error {
	return s.write(ctx, func(tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE lake SET erased = ? WHERE lake = ?", people, lake)
		return err
	})
}
