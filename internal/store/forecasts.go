package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// archive keeps the forecasts of an answer as they were first seen, at the known
// leads. What begins before the answer came is no forecast any more, so that
// nothing that is fetched of the past enters; nor is a value that is known to be
// final at once.
//
// A clock that is wrong would file a forecast under another lead. One that is
// behind is found out by actuals of slots that it says are still to come: then
// nothing is kept. What one that ran ahead has left in the time to come is dropped
// by the first answer after it was put right.
func (s *Store) archive(ctx context.Context, tx *sqlite.Tx, slots []usage.Slot) error {
	if slices.ContainsFunc(slots, func(s usage.Slot) bool { return s.Actual != nil && s.From.After(s.FetchedAt) }) {
		return nil
	}
	leads := usage.ForecastLeads()
	for _, slot := range slots {
		lead := usage.ForecastLead(slot)
		if slot.Forecast == nil || slot.Actual != nil || !slices.Contains(leads, lead) {
			continue
		}
		fetched := slot.FetchedAt.Unix()
		var behind bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM intensity_slot
			WHERE provider = ? AND grid = ? AND slot_start > ? AND actual IS NOT NULL)`,
			slot.Provider, slot.Grid, fetched).Scan(&behind); err != nil {
			return err
		}
		if behind {
			continue
		}
		// No forecast reaches further than the outlook: a row of later than that
		// says that it is this clock that is behind.
		if _, err := tx.ExecContext(ctx, `DELETE FROM forecast_seen
			WHERE provider = ?1 AND grid = ?2 AND slot_start > ?3 AND fetched_at > ?3 AND fetched_at <= ?4`,
			slot.Provider, slot.Grid, fetched, slot.FetchedAt.Add(usage.OutlookLength).Unix()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO forecast_seen VALUES (?, ?, ?, ?, ?, ?)",
			slot.Provider, slot.Grid, slot.From.Unix(), int64(lead/time.Second), float64(*slot.Forecast), fetched); err != nil {
			return err
		}
	}
	return nil
}

// ForecastErrors says how far the forecasts of slots that begin at since or later
// were from the actuals that are known of them, by lead, the shortest first. A
// lead of which nothing can be said is not there.
func (s *Store) ForecastErrors(ctx context.Context, provider, grid string, since time.Time) ([]usage.ForecastError, error) {
	var all []usage.ForecastError
	err := each(ctx, s.reader, `SELECT seen.ahead, avg(abs(seen.gco2eq_per_kwh - slot.actual)), count(*)
		FROM forecast_seen AS seen JOIN intensity_slot AS slot USING (provider, grid, slot_start)
		WHERE provider = ? AND grid = ? AND slot_start >= ? AND slot.actual IS NOT NULL
		GROUP BY seen.ahead ORDER BY seen.ahead`,
		[]any{provider, grid, since.Unix()}, func(rows *sql.Rows) error {
			e := usage.ForecastError{Provider: provider, Grid: grid}
			var ahead int64
			if err := rows.Scan(&ahead, &e.Mean, &e.Pairs); err != nil {
				return err
			}
			e.Ahead = time.Duration(ahead) * time.Second
			all = append(all, e)
			return nil
		})
	return all, err
}

// ForecastError is the one of ForecastErrors for a lead, which must be one of
// usage.ForecastLeads. Of n = 0 forecasts there is no mean, and it is not 0.
func (s *Store) ForecastError(ctx context.Context, provider, grid string, ahead time.Duration, since time.Time) (mean usage.GramsPerKWh, n int, err error) {
	all, err := s.ForecastErrors(ctx, provider, grid, since)
	if i := slices.IndexFunc(all, func(e usage.ForecastError) bool { return e.Ahead == ahead }); i >= 0 {
		return all[i].Mean, all[i].Pairs, err
	}
	return 0, 0, err
}
