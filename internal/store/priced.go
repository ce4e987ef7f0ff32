package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// PricedBy returns what priced the pieces with usage of the intervals that begin in a period.
func (v *View) PricedBy(ctx context.Context, p usage.Period) (by usage.PricedBy, err error) {
	args := []any{p.From.Unix(), p.To.Unix()}
	if err := each(ctx, v.tx, `SELECT seconds FROM usage_interval
		WHERE start >= ? AND start < ? AND state IN ('unpriced', 'provisional', 'settled')`, args, func(rows *sql.Rows) error {
		var seconds int64
		err := rows.Scan(&seconds)
		length := time.Duration(seconds) * time.Second
		by.Pieces += int(length / usage.PieceLength(length))
		return err
	}); err != nil || by.Pieces == 0 {
		return by, err
	}
	by.Provider, by.Basis = map[string]float64{}, map[string]float64{}
	err = each(ctx, v.tx, `SELECT p.provider, p.basis, count(*) FROM usage_interval i
		JOIN interval_price p ON p.start >= i.start AND p.start < i.start + i.seconds
		WHERE i.start >= ? AND i.start < ? GROUP BY 1, 2`, args, func(rows *sql.Rows) error {
		var provider, basis string
		var n int
		err := rows.Scan(&provider, &basis, &n)
		share := float64(n) / float64(by.Pieces)
		by.Provider[provider] += share
		by.Basis[usage.BasisOf(basis).Name()] += share
		return err
	})
	return by, err
}
