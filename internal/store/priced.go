// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

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

// PricesUsed returns what priced the usage of the intervals that begin in a period, by provider,
// grid, basis and quality. The energy of an interval is divided evenly among its pieces, so that it
// is known where per-key rows were deleted, too.
func (s *Store) PricesUsed(ctx context.Context, p usage.Period) (all []usage.PriceUsed, err error) {
	err = each(ctx, s.reader, `SELECT p.provider, p.grid, p.basis, p.quality,
		total(i.kwh / (SELECT count(*) FROM interval_price q WHERE q.start >= i.start AND q.start < i.start + i.seconds))
		FROM usage_interval i JOIN interval_price p ON p.start >= i.start AND p.start < i.start + i.seconds
		WHERE i.start >= ? AND i.start < ? GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
		[]any{p.From.Unix(), p.To.Unix()}, func(rows *sql.Rows) error {
			var u usage.PriceUsed
			var basis string
			err := rows.Scan(&u.Provider, &u.Grid, &basis, &u.Quality, &u.Energy)
			u.Basis = usage.BasisOf(basis)
			all = append(all, u)
			return err
		})
	return all, err
}
