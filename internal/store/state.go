// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"database/sql"
	"math"
	"slices"
	"sort"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// putInterval writes the state of an interval and, if readers would see anything new in it, the
// next revision. Unless it was answered it stays due.
func putInterval(ctx context.Context, tx *sqlite.Tx, rec usage.Record, kwh usage.KWh, policy usage.Policy, news bool) error {
	var energy, pue, askAgain, growth any
	if rec.State != usage.Empty {
		energy, pue = float64(kwh), rec.PUE
	} else if !policy.AskAgain.IsZero() {
		askAgain = policy.AskAgain.Unix()
	}
	asked, err := askedID(ctx, tx, rec.Queries)
	if err != nil {
		return err
	}
	if asked != nil {
		growth = rec.Queries.Growth
	}
	known, err := attendanceColumns(rec.Attendance)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO usage_interval(start, seconds, state, kwh, pue, fetched_at, retry_at, revision, asked_id,
			growth, doubts, final, unlisted, reread_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, CASE WHEN ?8 THEN `+nextRevision+` END, ?9, ?11, ?12, ?13, ?14, ?15)
		ON CONFLICT(start) DO UPDATE SET state = ?3, kwh = ?4, pue = ?5, fetched_at = ?6,
		retry_at = CASE WHEN ?10 THEN ?7 ELSE retry_at END, attempts = CASE WHEN ?10 THEN 0 ELSE attempts END,
		error = CASE WHEN ?10 THEN NULL ELSE error END,
		revision = coalesce(excluded.revision, revision),
		asked_id = coalesce(?9, asked_id), growth = CASE WHEN ?9 IS NULL THEN growth ELSE ?11 END,
		doubts = ?12, final = ?13, unlisted = ?14, reread_at = CASE WHEN ?16 THEN ?15 ELSE reread_at END`,
		rec.Interval.Start.Unix(), int64(rec.Interval.Length.Seconds()), string(rec.State), energy, pue,
		rec.FetchedAt.Unix(), askAgain, news && rec.State != usage.Empty, asked, policy.Answered,
		growth, known.doubts, known.final, known.unlisted, rereadAt(policy, rec.State), policy.Answered && policy.Project == nil)
	return err
}

// rereadAt is when an interval is read a second time. A settled one is not.
func rereadAt(policy usage.Policy, state usage.State) any {
	if policy.RereadAt.IsZero() || state == usage.Settled {
		return nil
	}
	return policy.RereadAt.Unix()
}

// askedID returns the id of a row with the queries, adding it if needed; nil if the queries are
// not known.
func askedID(ctx context.Context, tx *sqlite.Tx, a usage.Queries) (any, error) {
	if a.Busy == "" && a.Idle == "" {
		return nil, nil
	}
	if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO asked(busy_query, idle_query) VALUES (?, ?)", a.Busy, a.Idle); err != nil {
		return nil, err
	}
	var id int64
	err := tx.QueryRowContext(ctx, "SELECT asked_id FROM asked WHERE busy_query = ? AND idle_query = ?", a.Busy, a.Idle).Scan(&id)
	return id, err
}

// answered records that an answer brought nothing better than what is stored.
func answered(ctx context.Context, tx *sqlite.Tx, interval usage.Interval, policy usage.Policy, state usage.State) error {
	if _, err := tx.ExecContext(ctx, `UPDATE usage_interval SET retry_at = NULL, attempts = 0, error = NULL
		WHERE start = ? AND retry_at IS NOT NULL`, interval.Start.Unix()); err != nil || policy.Project != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "UPDATE usage_interval SET reread_at = ? WHERE start = ? AND reread_at IS NOT NULL",
		rereadAt(policy, state), interval.Start.Unix())
	return err
}

// restate changes the state of an interval and, with news, its revision. A settled interval is
// not fetched again.
func restate(ctx context.Context, tx *sqlite.Tx, interval usage.Interval, state usage.State, news bool) error {
	if _, err := tx.ExecContext(ctx, `UPDATE usage_interval SET state = ?,
		revision = CASE WHEN ? THEN `+nextRevision+` ELSE revision END WHERE start = ?`,
		string(state), news, interval.Start.Unix()); err != nil || state != usage.Settled {
		return err
	}
	return answered(ctx, tx, interval, usage.Policy{}, state)
}

// dueAgain makes intervals due that have facts, are not settled and overlap any of the spans,
// and returns their number. Those that are due already stay as they are.
func dueAgain(ctx context.Context, tx *sqlite.Tx, spans []directory.Span) (n int, err error) {
	if len(spans) == 0 {
		return 0, nil
	}
	var starts []int64
	joined := join(spans)
	err = each(ctx, tx, `SELECT start, start + seconds FROM usage_interval
		WHERE state IN ('unpriced', 'provisional') AND retry_at IS NULL`, nil, func(rows *sql.Rows) error {
		var start, end int64
		if err := rows.Scan(&start, &end); err != nil {
			return err
		}
		if touches(joined, start, end) {
			starts = append(starts, start)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, start := range starts {
		if _, err := tx.ExecContext(ctx, "UPDATE usage_interval SET retry_at = 0 WHERE start = ?", start); err != nil {
			return 0, err
		}
	}
	return len(starts), nil
}

// stretch is a time [from, to) of any host.
type stretch struct{ from, to int64 }

// join returns the union of the spans, ordered and disjoint: a first directory has a span for
// every workspace that ever existed.
func join(spans []directory.Span) []stretch {
	all := make([]stretch, len(spans))
	for i, s := range spans {
		all[i] = stretch{s.From.Unix(), math.MaxInt64}
		if !s.To.IsZero() {
			all[i].to = s.To.Unix()
		}
	}
	slices.SortFunc(all, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	joined := all[:1]
	for _, s := range all[1:] {
		if last := &joined[len(joined)-1]; s.from <= last.to {
			last.to = max(last.to, s.to)
		} else {
			joined = append(joined, s)
		}
	}
	return joined
}

// touches reports whether any of the joined stretches overlaps [start, end).
func touches(joined []stretch, start, end int64) bool {
	i := sort.Search(len(joined), func(i int) bool { return joined[i].to > start })
	return i < len(joined) && joined[i].from < end
}

// nextRevision is greater than any revision that an interval has or a follower has seen, even
// of intervals that were deleted.
const nextRevision = `(SELECT 1 + max(
	coalesce((SELECT max(revision) FROM usage_interval WHERE revision IS NOT NULL), 0),
	coalesce((SELECT max(revision) FROM follower), 0)))`

// looks reports whether readers would see no difference between the contents. When a price was
// fetched does not count.
func (c content) looks(like content) bool {
	if c.state != like.state || !slices.EqualFunc(c.rows, like.rows, row.equal) || len(c.prices) != len(like.prices) {
		return false
	}
	for i, p := range c.prices {
		if !samePrice(p, like.prices[i]) {
			return false
		}
	}
	return true
}

// reviseUser gives new revisions to all intervals with usage of a user.
func reviseUser(ctx context.Context, tx *sqlite.Tx, user string) error {
	var next int64
	if err := tx.QueryRowContext(ctx, "SELECT "+nextRevision).Scan(&next); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE usage_interval SET revision = n.revision FROM (
		SELECT start, ? - 1 + row_number() OVER (ORDER BY start) AS revision FROM usage_interval
		WHERE start IN (SELECT unixepoch(ts) FROM fact_usage WHERE user_id = ?)) AS n
		WHERE n.start = usage_interval.start`, next, user)
	return err
}
