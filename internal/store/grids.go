// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// GridsUsed returns the providers and grids that price any piece of a period.
func (s *Store) GridsUsed(ctx context.Context, p usage.Period) (used []usage.GridName, err error) {
	err = each(ctx, s.reader, "SELECT DISTINCT provider, grid FROM interval_price WHERE start >= ? AND start < ? ORDER BY 1, 2",
		[]any{p.From.Unix(), p.To.Unix()}, func(rows *sql.Rows) error {
			var g usage.GridName
			err := rows.Scan(&g.Provider, &g.Grid)
			used = append(used, g)
			return err
		})
	return used, err
}

// ForecastsUsed returns, for each grid whose forecasts price any piece of a period, the errors
// of its forecasts made that far ahead, of slots since a time. An entry without Pairs means
// that nothing is known of that grid.
func (s *Store) ForecastsUsed(ctx context.Context, p usage.Period, ahead time.Duration, since time.Time) (used []usage.ForecastError, err error) {
	err = s.read(ctx, func(tx *sqlite.Tx) error {
		used = nil
		if err := each(ctx, tx, "SELECT DISTINCT provider, grid FROM interval_price WHERE kind = 'forecast' AND start >= ? AND start < ? ORDER BY 1, 2",
			[]any{p.From.Unix(), p.To.Unix()}, func(rows *sql.Rows) error {
				e := usage.ForecastError{Ahead: ahead}
				err := rows.Scan(&e.Provider, &e.Grid)
				used = append(used, e)
				return err
			}); err != nil {
			return err
		}
		for i := range used {
			all, err := readForecastErrors(ctx, tx, used[i].Provider, used[i].Grid, since)
			if err != nil {
				return err
			}
			if n := slices.IndexFunc(all, func(e usage.ForecastError) bool { return e.Ahead == ahead }); n >= 0 {
				used[i] = all[n]
			}
		}
		return nil
	})
	return used, err
}
