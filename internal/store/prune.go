// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// pruneAtOnce is the number of facts after which a step ends, once its current interval is
// done, so that a commit that comes meanwhile waits for milliseconds only.
const pruneAtOnce = 2000

// Prune does the next step of deleting per-key rows older than keep, and reports whether more
// steps are due. A step covers at most part of one local day, in one short transaction. Only
// whole days are pruned, oldest first, in which every interval is settled or empty, was sent to
// the follower, if there is one ("": there is none), was published to the lake, if there is one, and
// was added up by all other factors. Other days wait, and do not hold up later ones.
//
// Age is counted from the newest usage: a clock that runs ahead deletes nothing, and a site
// that stands still for years keeps its last usage. These are kept for ever: fact_usage, the
// daily and all-time sums, and the queries, prices and power of every interval.
func (s *Store) Prune(ctx context.Context, now time.Time, keep time.Duration, follower string) (done usage.Pruned, err error) {
	var next []usage.Interval
	look := func(tx *sqlite.Tx) (err error) {
		next, done.Waiting, err = s.prunable(ctx, tx, now, keep, follower)
		return err
	}
	// Look before taking the write lock: mostly there is nothing to do.
	if err := s.read(ctx, look); err != nil || len(next) == 0 {
		return done, err
	}
	err = s.write(ctx, func(tx *sqlite.Tx) error {
		if err := look(tx); err != nil {
			return err
		}
		for _, i := range next {
			facts, err := prune(ctx, tx, i)
			if err != nil {
				return err
			}
			done.Intervals, done.Facts, done.Until = done.Intervals+1, done.Facts+facts, i.End()
			if done.Facts >= pruneAtOnce {
				break
			}
		}
		return nil
	})
	if err != nil {
		return usage.Pruned{}, err
	}
	done.More = len(next) > 0
	return done, nil
}

// prune deletes the per-key rows of one interval.
func prune(ctx context.Context, tx *sqlite.Tx, i usage.Interval) (facts int, err error) {
	if _, err := tx.ExecContext(ctx, `INSERT INTO pruned_key(key_id, last)
		SELECT key_id, max(start) FROM usage_fact WHERE start >= ? AND start < ? GROUP BY key_id
		ON CONFLICT(key_id) DO UPDATE SET last = max(last, excluded.last)`, span(i)...); err != nil {
		return 0, err
	}
	gone, err := tx.ExecContext(ctx, "DELETE FROM usage_fact WHERE start >= ? AND start < ?", span(i)...)
	if err != nil {
		return 0, err
	}
	n, err := gone.RowsAffected()
	if err != nil {
		return 0, err
	}
	if err := clearBesides(ctx, tx, span(i)); err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM interval_doubt WHERE start >= ? AND start < ?", span(i)...); err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, "UPDATE usage_interval SET pruned = 1 WHERE start = ?", i.Start.Unix())
	return int(n), err
}

// prunable returns the intervals to prune of the oldest day that is final, and the number of
// intervals before that day that are old enough but whose day is not final.
func (s *Store) prunable(ctx context.Context, tx *sqlite.Tx, now time.Time, keep time.Duration, follower string) (next []usage.Interval, waiting int, err error) {
	limit, err := pruneLimit(ctx, tx, now, keep)
	if err != nil || limit.IsZero() {
		return nil, 0, err
	}
	for after := int64(0); ; {
		var start int64
		err := tx.QueryRowContext(ctx, `SELECT start FROM usage_interval
			WHERE state = 'settled' AND pruned = 0 AND start >= ? AND start < ? ORDER BY start LIMIT 1`, after, limit.Unix()).Scan(&start)
		if errors.Is(err, sql.ErrNoRows) || err == nil && dateOf(unix(start), s.zone) >= dateOf(limit, s.zone) {
			return nil, waiting, nil
		}
		if err != nil {
			return nil, 0, err
		}
		day, err := s.readDay(ctx, tx, unix(start), follower)
		if err != nil {
			return nil, 0, err
		}
		if day.final {
			return day.kept, waiting, nil
		}
		waiting += len(day.kept)
		after = day.kept[len(day.kept)-1].End().Unix()
	}
}

// pruneLimit is a time in the first day to keep; zero while there is no usage.
func pruneLimit(ctx context.Context, tx *sqlite.Tx, now time.Time, keep time.Duration) (time.Time, error) {
	var newest *int64
	if err := tx.QueryRowContext(ctx, `SELECT max(start + seconds) FROM usage_interval
		WHERE state IN ('unpriced', 'provisional', 'settled')`).Scan(&newest); err != nil || newest == nil {
		return time.Time{}, err
	}
	if end := unix(*newest); end.Before(now) {
		now = end
	}
	return now.Add(-keep), nil
}

// localDay is what is stored of a day.
type localDay struct {
	kept  []usage.Interval // settled, with per-key rows
	final bool             // all others are pruned or empty, and the follower has them all
}

// readDay reads the local day of an interval.
func (s *Store) readDay(ctx context.Context, tx *sqlite.Tx, start time.Time, follower string) (d localDay, err error) {
	d.final = true
	const longest = 2 * day // whatever the clocks do
	date := dateOf(start, s.zone)
	err = each(ctx, tx, `SELECT start, seconds, state, pruned, revision > `+position+` FROM usage_interval
		WHERE start > ? AND start < ? ORDER BY start`,
		[]any{follower, start.Add(-longest).Unix(), start.Add(longest).Unix()}, func(rows *sql.Rows) error {
			var at, seconds int64
			var state usage.State
			var pruned bool
			var unsent *bool // NULL: there is nothing to send
			if err := rows.Scan(&at, &seconds, &state, &pruned, &unsent); err != nil || dateOf(unix(at), s.zone) != date {
				return err
			}
			switch {
			case pruned, state == usage.Empty:
			case state != usage.Settled:
				d.final = false
			default:
				d.final = d.final && (follower == "" || unsent == nil || !*unsent)
				d.kept = append(d.kept, usage.Interval{Start: unix(at), Length: time.Duration(seconds) * time.Second})
			}
			return nil
		})
	if err != nil || !d.final || len(d.kept) == 0 {
		return d, err
	}
	at := s.dayAt(start)
	if d.final, err = lakeHas(ctx, tx, start.In(s.zone).Format(time.DateOnly)); err != nil || !d.final {
		return d, err
	}
	news, err := readFactorNews(ctx, tx, usage.Period{From: usage.SlotAt(at.From), To: at.To})
	d.final = len(news) == 0
	return d, err
}
