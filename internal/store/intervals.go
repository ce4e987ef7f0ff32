// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// longestOutage is the longest time to catch up with. More than that means a clock that was
	// wrong, or a store that was not used for long.
	longestOutage = 90 * 24 * time.Hour
	// clockMargin is how far the clock may be behind the newest usage, because the clocks of
	// machines differ.
	clockMargin = 24 * time.Hour
)

// Schedule inserts, as missing, every interval up to the one that ends at or before until. It
// begins where the last call ended or, in an empty store, with first. Intervals that another
// program stored beyond that end leave no gap. It also deletes intervals in the future that
// hold nothing: a clock that ran ahead has left them.
//
// A clock that is far behind the newest usage is an error, and nothing is written. After a gap
// that is too long to be an outage it begins with first again.
func (s *Store) Schedule(ctx context.Context, first usage.Interval, until time.Time) (done usage.Scheduled, err error) {
	seconds := int64(first.Length / time.Second)
	f, err := s.frontier(ctx, first, until)
	if err != nil {
		return done, err
	}
	if f.newest > until.Add(clockMargin).Unix() {
		return done, fmt.Errorf("the clock is wrong: it says %s, and the store has usage until %s; set the clock",
			until.UTC().Format(time.RFC3339), unix(f.newest).Format(time.RFC3339))
	}
	if f.next < first.Start.Unix() && until.Sub(unix(f.next)) > longestOutage {
		done.Skipped = usage.Period{From: unix(f.next), To: first.Start}
		f.next = first.Start.Unix()
	}
	if f.next+seconds > until.Unix() && !f.stray {
		return done, nil
	}
	done.Wrote = true
	end := usage.FloorEpoch(until, first.Length).Unix()
	return done, s.write(ctx, func(tx *sqlite.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM usage_interval
			WHERE start + seconds > ? AND state IN ('missing', 'empty')`, until.Unix()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM workspace_usage WHERE start >= ? AND estimated = 1", end); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO setting VALUES ('scheduled_to', ?)", strconv.FormatInt(end, 10)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO usage_interval(start, seconds, state)
			WITH RECURSIVE due(start) AS (
				SELECT ?1 WHERE ?1 + ?2 <= ?3
				UNION ALL SELECT start + ?2 FROM due WHERE start + 2 * ?2 <= ?3)
			SELECT start, ?2, 'missing' FROM due`, f.next, seconds, until.Unix())
		return err
	})
}

// frontier is how far the intervals are scheduled.
type frontier struct {
	next   int64 // end of the last scheduled interval
	newest int64 // end of the newest usage; 0: none
	stray  bool  // whether there are intervals in the future without usage
}

// frontier reads the frontier. An end in the future comes from a clock that ran ahead; the
// newest interval that is over counts then.
func (s *Store) frontier(ctx context.Context, first usage.Interval, until time.Time) (f frontier, err error) {
	err = s.reader.QueryRowContext(ctx, `SELECT
		coalesce((SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'scheduled_to' AND CAST(value AS INTEGER) <= ?1),
			(SELECT max(start + seconds) FROM usage_interval WHERE start + seconds <= ?1), ?2),
		coalesce((SELECT start + seconds FROM usage_interval WHERE state IN ('unpriced', 'provisional', 'settled') ORDER BY start DESC LIMIT 1), 0),
		EXISTS (SELECT 1 FROM usage_interval WHERE start + seconds > ?1 AND state IN ('missing', 'empty'))`,
		until.Unix(), first.Start.Unix()).Scan(&f.next, &f.newest, &f.stray)
	return f, err
}

// Due returns the oldest run of adjacent intervals to fetch at now, at most limit of them:
// missing ones, empty ones that get their second chance, and ones with facts to attribute
// again. A retry time further ahead than any backoff was set by a clock that ran ahead, and
// counts as due.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]usage.Due, error) {
	const longest = 2 * time.Hour
	var run []usage.Due
	err := each(ctx, s.reader, `SELECT start, seconds, state, attempts FROM usage_interval
		WHERE retry_at IS NOT NULL AND state <> 'settled' AND (retry_at <= ?1 OR retry_at > ?2)
		ORDER BY start LIMIT ?3`, []any{now.Unix(), now.Add(longest).Unix(), limit}, func(rows *sql.Rows) error {
		var d usage.Due
		var start, seconds int64
		if err := rows.Scan(&start, &seconds, &d.State, &d.Attempts); err != nil {
			return err
		}
		d.Interval = usage.Interval{Start: unix(start), Length: time.Duration(seconds) * time.Second}
		if n := len(run); n < limit && (n == 0 || run[n-1].End().Equal(d.Start)) {
			run = append(run, d)
		} else {
			limit = n // the run has ended
		}
		return nil
	})
	return run, err
}

// Newest returns the newest interval if it is missing and was never tried, else nil.
func (s *Store) Newest(ctx context.Context, now time.Time) (*usage.Due, error) {
	var start, seconds int64
	var untried bool
	err := s.reader.QueryRowContext(ctx, `SELECT start, seconds, state = 'missing' AND attempts = 0 FROM usage_interval
		WHERE start <= ? ORDER BY start DESC LIMIT 1`, now.Unix()).Scan(&start, &seconds, &untried)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !untried {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &usage.Due{State: usage.Missing, Interval: usage.Interval{Start: unix(start), Length: time.Duration(seconds) * time.Second}}, nil
}

// Failed records that fetching intervals failed, why, and when to try again. Their state stays.
// An interval that another program has stored or settled in the meantime is left alone.
func (s *Store) Failed(ctx context.Context, intervals []usage.Interval, why error, retry time.Time) error {
	return s.write(ctx, func(tx *sqlite.Tx) error {
		for _, i := range intervals {
			if err := failed(ctx, tx, i, why, retry); err != nil {
				return err
			}
		}
		return nil
	})
}

func failed(ctx context.Context, tx *sqlite.Tx, i usage.Interval, why error, retry time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE usage_interval SET attempts = attempts + 1, error = ?, retry_at = ?
		WHERE start = ? AND retry_at IS NOT NULL AND state <> 'settled'`, why.Error(), retry.Unix(), i.Start.Unix())
	return err
}

// Missed records a failure as Failed does, and inserts the interval as missing if it is not in
// the store yet.
func (s *Store) Missed(ctx context.Context, i usage.Interval, why error, retry time.Time) error {
	return s.write(ctx, func(tx *sqlite.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO usage_interval(start, seconds, state) VALUES (?, ?, 'missing')",
			i.Start.Unix(), int64(i.Length/time.Second)); err != nil {
			return err
		}
		return failed(ctx, tx, i, why, retry)
	})
}

// RetryNow makes intervals that wait after a failure due at once: those given, or all. An empty
// interval still waits for its hour.
func (s *Store) RetryNow(ctx context.Context, intervals ...usage.Interval) error {
	const retry = `UPDATE usage_interval SET retry_at = 0
		WHERE retry_at IS NOT NULL AND retry_at > 0 AND state IN ('missing', 'unpriced', 'provisional')`
	return s.write(ctx, func(tx *sqlite.Tx) error {
		if len(intervals) == 0 {
			_, err := tx.ExecContext(ctx, retry)
			return err
		}
		for _, i := range intervals {
			if _, err := tx.ExecContext(ctx, retry+" AND start = ?", i.Start.Unix()); err != nil {
				return err
			}
		}
		return nil
	})
}

// Pending lists the unpriced and provisional intervals, oldest first.
func (s *Store) Pending(ctx context.Context) (all []usage.Pending, err error) {
	err = s.read(ctx, func(tx *sqlite.Tx) error {
		all = nil
		if err := each(ctx, tx, `SELECT start, seconds, state, retry_at IS NOT NULL, reread_at IS NOT NULL FROM usage_interval
			WHERE state IN ('unpriced', 'provisional') ORDER BY start`, nil, func(rows *sql.Rows) error {
			var p usage.Pending
			var start, seconds int64
			err := rows.Scan(&start, &seconds, &p.State, &p.Again, &p.Reread)
			p.Interval = usage.Interval{Start: unix(start), Length: time.Duration(seconds) * time.Second}
			all = append(all, p)
			return err
		}); err != nil {
			return err
		}
		for i := range all {
			if all[i].State == usage.Provisional {
				if all[i].Prices, err = readPrices(ctx, tx, all[i].Interval); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return all, err
}

// Gaps returns the runs of adjacent intervals in one state, in order of time, of the intervals
// that begin in a period; the zero Period means all time. Intervals that are not in the store
// are in no run.
func (s *Store) Gaps(ctx context.Context, p usage.Period) ([]usage.Gap, error) {
	const every = `SELECT start, seconds, state, attempts, coalesce(error, ''), doubts,
		CASE WHEN doubts IS NULL THEN 0 ELSE (SELECT total(h.hosts) FROM interval_hosts h WHERE h.start = i.start) END,
		CASE WHEN doubts > 0 THEN (SELECT total(d.hosts) FROM interval_doubts d WHERE d.start = i.start AND d.state = 'refused') ELSE 0 END
		FROM usage_interval i`
	query, args := every+" ORDER BY start", []any(nil)
	if p != (usage.Period{}) {
		query = every + " WHERE start >= ? AND start < ? ORDER BY start"
		args = []any{p.From.Unix(), p.To.Unix()}
	}
	var all []usage.Gap
	err := each(ctx, s.reader, query, args, func(rows *sql.Rows) error {
		var start, seconds int64
		var g usage.Gap
		var doubts *int
		var hosts, refused float64
		if err := rows.Scan(&start, &seconds, &g.State, &g.Attempts, &g.Error, &doubts, &hosts, &refused); err != nil {
			return err
		}
		if doubts != nil {
			g.Hosts = &usage.HostCount{All: int(hosts), Interpolated: *doubts - int(refused), Refused: int(refused)}
		}
		g.From, g.Intervals = unix(start), 1
		g.To = g.From.Add(time.Duration(seconds) * time.Second)
		if n := len(all); n > 0 && all[n-1].State == g.State && all[n-1].To.Equal(g.From) {
			last := &all[n-1]
			last.To, last.Intervals, last.Attempts = g.To, last.Intervals+1, max(last.Attempts, g.Attempts)
			last.Hosts = last.Hosts.Most(g.Hosts)
			if g.Error != "" {
				last.Error = g.Error
			}
			return nil
		}
		all = append(all, g)
		return nil
	})
	return all, err
}
