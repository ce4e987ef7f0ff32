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
)

// dueAgain makes intervals with facts due that are not settled and that any of
// the spans touches, and says how many. Those that are due already stay as they
// are.
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

// join gives the times that any of the spans holds, in order and apart: a first
// directory has a span for every workspace that ever was.
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

// touches is directory.Span.Touches, for all of them.
func touches(joined []stretch, start, end int64) bool {
	i := sort.Search(len(joined), func(i int) bool { return joined[i].to > start })
	return i < len(joined) && joined[i].from < end
}
