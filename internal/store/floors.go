// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// floor is what the settled counters of a key have shown, below which they must not fall.
type floor struct {
	energy    usage.ByMode[usage.KWh]
	emissions usage.ByMode[usage.Grams]
	embodied  usage.Grams
}

// shown returns what the settled counters of the rows' keys show.
func (a *accounts) shown(ctx context.Context, rows []row) (map[int64]floor, error) {
	floors, err := readFloors(ctx, a.tx)
	if err != nil {
		return nil, err
	}
	shown := map[int64]floor{}
	for _, r := range rows {
		if _, ok := shown[r.key]; !ok {
			shown[r.key] = floors[r.key].over(a.all[r.key].settled())
		}
	}
	return shown, nil
}

// hold sets a floor under every counter that would fall, and removes it from the others.
func (a *accounts) hold(ctx context.Context, shown map[int64]floor) error {
	for id, was := range shown {
		var is floor
		if r := a.all[id]; r != nil {
			is = r.settled()
		}
		query, args := "DELETE FROM counter_floor WHERE key_id = ?", []any{id}
		if was.over(is) != is {
			query = "INSERT OR REPLACE INTO counter_floor VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
			args = append(args, float64(was.energy.Busy), float64(was.energy.Idle), float64(was.emissions.Busy), float64(was.emissions.Idle),
				float64(was.energy.Measured), float64(was.emissions.Measured), float64(was.embodied))
		}
		if _, err := a.tx.ExecContext(ctx, query, args...); err != nil {
			return err
		}
	}
	return nil
}

// over returns the greater of both, field by field.
func (f floor) over(o floor) floor {
	return floor{greater(f.energy, o.energy), greater(f.emissions, o.emissions), max(f.embodied, o.embodied)}
}

func greater[T ~float64](a, b usage.ByMode[T]) usage.ByMode[T] {
	return usage.ByMode[T]{Busy: max(a.Busy, b.Busy), Idle: max(a.Idle, b.Idle), Measured: max(a.Measured, b.Measured)}
}

func (r *keyTotals) settled() floor {
	t := r.total(usage.Key{})
	return floor{t.SettledEnergy, t.SettledEmissions, t.SettledEmbodied}
}

func readFloors(ctx context.Context, db queryer) (map[int64]floor, error) {
	floors := map[int64]floor{}
	err := each(ctx, db, `SELECT key_id, busy_kwh, idle_kwh, busy_gCo2eq, idle_gCo2eq,
		measured_kwh, measured_gCo2eq, embodied_gCo2eq FROM counter_floor`, nil, func(rows *sql.Rows) error {
		var id int64
		var f floor
		err := rows.Scan(&id, &f.energy.Busy, &f.energy.Idle, &f.emissions.Busy, &f.emissions.Idle,
			&f.energy.Measured, &f.emissions.Measured, &f.embodied)
		floors[id] = f
		return err
	})
	return floors, err
}
