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

// Since is what is known of why intervals are others than they were.
type Since struct {
	Why    map[usage.Why]int // intervals by the reason that was recorded; one may have several
	Read   int               // intervals that were read since, without such a reason
	Priced int               // intervals whose prices came since, without such a reason
	All    int               // intervals that were written since for any reason
}

// Since returns why intervals that begin in a period are others than they were at a revision of the
// store, which it had at a time.
func (s *Store) Since(ctx context.Context, p usage.Period, revision int64, at time.Time) (since Since, err error) {
	since.Why = map[usage.Why]int{}
	args := []any{p.From.Unix(), p.To.Unix(), revision, at.Unix()}
	err = s.read(ctx, func(tx *sqlite.Tx) error {
		if err := each(ctx, tx, `SELECT c.why, count(DISTINCT c.start) FROM interval_change c JOIN usage_interval i ON i.start = c.start
			WHERE i.start >= ? AND i.start < ? AND i.revision > ? AND c.changed_at >= ? GROUP BY 1`, args, func(rows *sql.Rows) error {
			var why usage.Why
			var n int
			err := rows.Scan(&why, &n)
			since.Why[why] = n
			return err
		}); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(NOT told AND fetched_at > ?4), 0), coalesce(sum(NOT told AND fetched_at <= ?4 AND priced), 0) FROM (
			SELECT i.fetched_at,
				EXISTS (SELECT 1 FROM interval_change c WHERE c.start = i.start AND c.changed_at >= ?4) AS told,
				EXISTS (SELECT 1 FROM interval_price p WHERE p.start >= i.start AND p.start < i.start + i.seconds AND p.fetched_at > ?4) AS priced
			FROM usage_interval i WHERE i.start >= ?1 AND i.start < ?2 AND i.revision > ?3)`, args...).
			Scan(&since.All, &since.Read, &since.Priced)
	})
	if err != nil {
		return since, fmt.Errorf("store: what has changed since: %w", err)
	}
	return since, nil
}

// PUEUsed returns the lowest and the highest PUE that the usage of a period was made with; some is
// false if there is none.
func (s *Store) PUEUsed(ctx context.Context, p usage.Period) (low, high float64, some bool, err error) {
	var l, h *float64
	err = s.reader.QueryRowContext(ctx, `SELECT min(pue), max(pue) FROM (
		SELECT pue FROM usage_interval WHERE start >= ?1 AND start < ?2 AND pue IS NOT NULL
		UNION ALL SELECT pue FROM interval_pue WHERE start >= ?1 AND start < ?2)`, p.From.Unix(), p.To.Unix()).Scan(&l, &h)
	if err != nil || l == nil || h == nil {
		return 0, 0, false, err
	}
	return *l, *h, true, nil
}
