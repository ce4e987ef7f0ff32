package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// putChanges writes down what an interval that had a price has now instead: the
// prices that differ and, where it was restated or costed anew, other energy. To
// get a first price is no change. A time at which a price was fetched is none
// either.
func putChanges(ctx context.Context, tx *sqlite.Tx, interval usage.Interval, old, fresh content, why usage.Why) error {
	if len(old.prices) == 0 || len(fresh.prices) == 0 {
		return nil
	}
	for _, piece := range interval.Pieces() {
		start := piece.Start.Unix()
		was, is := old.priceOf(start), fresh.priceOf(start)
		if was == nil || is == nil {
			continue // not of a store whose checks are ours
		}
		before, after := pieceEnergy(old.rows, start), pieceEnergy(fresh.rows, start)
		reason := why
		if reason == "" {
			reason = because(was.Price, is.Price)
		}
		if samePrice(*was, *is) && (why == "" || before == after) {
			continue
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO interval_change(start, piece, changed_at, why,
			old_gco2eq_per_kwh, new_gco2eq_per_kwh, old_kind, new_kind, old_provider, new_provider, old_grid, new_grid, old_kwh, new_kwh)
			VALUES (?, ?, unixepoch(), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			interval.Start.Unix(), start, string(reason), float64(was.Intensity), float64(is.Intensity),
			string(was.Kind), string(is.Kind), was.Provider, is.Provider, was.Grid, is.Grid, before, after); err != nil {
			return err
		}
	}
	return nil
}

// because says what the difference between two prices comes from.
func because(was, is usage.Price) usage.Why {
	switch {
	case was.Provider != is.Provider || was.Grid != is.Grid:
		return usage.BecauseProvider
	case is.Kind == usage.Forecast:
		return usage.BecauseForecast
	case was.Kind == usage.Forecast:
		return usage.BecauseActual
	default:
		return usage.BecauseRevised
	}
}

// samePrice says that two prices say the same, whenever they were fetched.
func samePrice(a, b usage.PiecePrice) bool {
	return a.Intensity == b.Intensity && a.Kind == b.Kind && a.Provider == b.Provider && a.Grid == b.Grid && a.SlotFrom.Equal(b.SlotFrom)
}

func pieceEnergy(rows []row, start int64) float64 {
	var sum usage.BusyIdleSum[usage.KWh]
	for _, r := range rows {
		if r.start == start {
			sum.Add(r.energy)
		}
	}
	return float64(sum.Total())
}

// Changes lists what has changed an interval that had a price, oldest first.
func (s *Store) Changes(ctx context.Context, i usage.Interval) ([]usage.Change, error) {
	return readChanges(ctx, s.reader, i)
}

func readChanges(ctx context.Context, db queryer, i usage.Interval) ([]usage.Change, error) {
	var all []usage.Change
	err := each(ctx, db, `SELECT piece, changed_at, why, old_gco2eq_per_kwh, new_gco2eq_per_kwh, old_kind, new_kind,
		old_provider, new_provider, old_grid, new_grid, old_kwh, new_kwh
		FROM interval_change WHERE start = ? ORDER BY change_id`, []any{i.Start.Unix()}, func(rows *sql.Rows) error {
		var c usage.Change
		var piece, changed int64
		if err := rows.Scan(&piece, &changed, &c.Why, &c.Was.Intensity, &c.Is.Intensity, &c.Was.Kind, &c.Is.Kind,
			&c.Was.Provider, &c.Is.Provider, &c.Was.Grid, &c.Is.Grid, &c.EnergyWas, &c.EnergyIs); err != nil {
			return err
		}
		c.Piece, c.At = unix(piece), unix(changed)
		all = append(all, c)
		return nil
	})
	return all, err
}

// Restatements counts the changes of a time [from, to), by reason.
func (s *Store) Restatements(ctx context.Context, from, to time.Time) (map[usage.Why]int, error) {
	counts := map[usage.Why]int{}
	err := each(ctx, s.reader, "SELECT why, count(*) FROM interval_change WHERE changed_at >= ? AND changed_at < ? GROUP BY why",
		[]any{from.Unix(), to.Unix()}, func(rows *sql.Rows) error {
			var why usage.Why
			var n int
			err := rows.Scan(&why, &n)
			counts[why] = n
			return err
		})
	return counts, err
}
