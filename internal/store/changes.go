// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// putChanges records what changed in an interval that already had a price: prices that differ
// and, after a restatement or a recost, energy that differs. A first price is no change, and
// neither is a price that differs only in when it was fetched.
func putChanges(ctx context.Context, tx *sqlite.Tx, interval usage.Interval, old, fresh content, why usage.Why) error {
	if len(old.prices) == 0 || len(fresh.prices) == 0 {
		return nil
	}
	for _, piece := range interval.Pieces() {
		start := piece.Start.Unix()
		was, is := old.priceOf(start), fresh.priceOf(start)
		if was == nil || is == nil {
			continue // cannot happen in a store that passed our checks
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
			old_gco2eq_per_kwh, new_gco2eq_per_kwh, old_kind, new_kind, old_provider, new_provider, old_grid, new_grid, old_kwh, new_kwh,
			old_basis, new_basis) VALUES (?, ?, unixepoch(), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			interval.Start.Unix(), start, string(reason), float64(was.Intensity), float64(is.Intensity),
			string(was.Kind), string(is.Kind), was.Provider, is.Provider, was.Grid, is.Grid, before, after,
			was.Basis.String(), is.Basis.String()); err != nil {
			return err
		}
	}
	return nil
}

// because returns the reason for the difference between two prices.
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

// samePrice reports whether two prices are equal, ignoring when they were fetched and how sure the
// provider is of them: what becomes final without another number is no change.
func samePrice(a, b usage.PiecePrice) bool {
	return a.Intensity == b.Intensity && a.Kind == b.Kind && a.Provider == b.Provider && a.Grid == b.Grid && a.Basis == b.Basis && a.SlotFrom.Equal(b.SlotFrom)
}

func pieceEnergy(rows []row, start int64) float64 {
	var sum usage.ByModeSum[usage.KWh]
	for _, r := range rows {
		if r.start == start {
			sum.Add(r.energy)
		}
	}
	return float64(sum.Total())
}

// readChanges lists the changes of an interval that already had a price, oldest first.
func readChanges(ctx context.Context, db queryer, i usage.Interval) ([]usage.Change, error) {
	var all []usage.Change
	err := each(ctx, db, `SELECT piece, changed_at, why, old_gco2eq_per_kwh, new_gco2eq_per_kwh, old_kind, new_kind,
		old_provider, new_provider, old_grid, new_grid, old_kwh, new_kwh, old_basis, new_basis
		FROM interval_change WHERE start = ? ORDER BY change_id`, []any{i.Start.Unix()}, func(rows *sql.Rows) error {
		var c usage.Change
		var piece, changed int64
		var was, is string
		if err := rows.Scan(&piece, &changed, &c.Why, &c.Was.Intensity, &c.Is.Intensity, &c.Was.Kind, &c.Is.Kind,
			&c.Was.Provider, &c.Is.Provider, &c.Was.Grid, &c.Is.Grid, &c.EnergyWas, &c.EnergyIs, &was, &is); err != nil {
			return err
		}
		c.Piece, c.At = unix(piece), unix(changed)
		c.Was.Basis, c.Is.Basis = usage.BasisOf(was), usage.BasisOf(is)
		all = append(all, c)
		return nil
	})
	return all, err
}
