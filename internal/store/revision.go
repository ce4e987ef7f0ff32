package store

import (
	"context"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
)

// nextRevision is a revision that no interval has and no follower has seen:
// also not of an interval that is not kept any more.
const nextRevision = `(SELECT 1 + max(
	coalesce((SELECT max(revision) FROM usage_interval WHERE revision IS NOT NULL), 0),
	coalesce((SELECT max(revision) FROM follower), 0)))`

// looks says whether others would see the same of either content. When a price
// was fetched is no news.
func (c content) looks(like content) bool {
	if c.state != like.state || !slices.Equal(c.rows, like.rows) || len(c.prices) != len(like.prices) {
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
