package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// ForecastsUsed gives how good the forecasts are that any piece of a period is
// priced with, by grid: as they were seen so far ahead, of slots since a time. One
// without Pairs is a grid of which nothing can be said.
func (s *Store) ForecastsUsed(ctx context.Context, p usage.Period, ahead time.Duration, since time.Time) ([]usage.ForecastError, error) {
	var all []usage.ForecastError
	err := each(ctx, s.reader, "SELECT DISTINCT provider, grid FROM interval_price WHERE kind = 'forecast' AND start >= ? AND start < ? ORDER BY 1, 2",
		[]any{p.From.Unix(), p.To.Unix()}, func(rows *sql.Rows) error {
			e := usage.ForecastError{Ahead: ahead}
			err := rows.Scan(&e.Provider, &e.Grid)
			all = append(all, e)
			return err
		})
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Mean, all[i].Pairs, err = s.ForecastError(ctx, all[i].Provider, all[i].Grid, ahead, since); err != nil {
			return nil, err
		}
	}
	return all, nil
}
