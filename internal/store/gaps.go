package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Gaps gives the runs of adjacent intervals in one state, in the order of time,
// of those that begin in a period; the zero Period is all time. Intervals that
// are not written down are in none.
func (s *Store) Gaps(ctx context.Context, p usage.Period) ([]usage.Gap, error) {
	query, args := "SELECT start, seconds, state, attempts, coalesce(error, '') FROM usage_interval ORDER BY start", []any(nil)
	if p != (usage.Period{}) {
		query = "SELECT start, seconds, state, attempts, coalesce(error, '') FROM usage_interval WHERE start >= ? AND start < ? ORDER BY start"
		args = []any{p.From.Unix(), p.To.Unix()}
	}
	var all []usage.Gap
	err := each(ctx, s.reader, query, args, func(rows *sql.Rows) error {
		var start, seconds int64
		var g usage.Gap
		if err := rows.Scan(&start, &seconds, &g.State, &g.Attempts, &g.Error); err != nil {
			return err
		}
		g.From, g.Intervals = unix(start), 1
		g.To = g.From.Add(time.Duration(seconds) * time.Second)
		if n := len(all); n > 0 && all[n-1].State == g.State && all[n-1].To.Equal(g.From) {
			last := &all[n-1]
			last.To, last.Intervals, last.Attempts = g.To, last.Intervals+1, max(last.Attempts, g.Attempts)
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
