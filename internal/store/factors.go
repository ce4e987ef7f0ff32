// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// factorsOf returns what a record's facts were made with, by key. The rows must have been made
// from the record's own facts.
func factorsOf(rec usage.Record, naming *naming) (map[int64]factors, error) {
	byMachine := map[string]factors{}
	for i := range rec.Ratings {
		if r := &rec.Ratings[i]; r.Error != nil || r.Low != nil && r.High != nil {
			byMachine[r.Machine] = factors{rating: r}
		}
	}
	for machine, grams := range rec.Embodied {
		f := byMachine[machine]
		f.embodied, f.hardware = grams, true
		byMachine[machine] = f
	}
	if len(byMachine) == 0 {
		return nil, nil
	}
	ids, err := naming.ids(rec.Facts)
	if err != nil {
		return nil, err
	}
	made := map[int64]factors{}
	for i, f := range rec.Facts {
		if by, ok := byMachine[f.Machine]; ok {
			made[ids[i]] = by
		}
	}
	return made, nil
}

// readFactorsByKey returns what an interval's facts were made with. Mostly nothing is known of
// it, so it checks that first: a look at a few rows.
func readFactorsByKey(ctx context.Context, tx *sqlite.Tx, interval usage.Interval) (map[int64]factors, error) {
	var known bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM interval_power WHERE start = ?1 AND error IS NOT NULL)
		OR EXISTS (SELECT 1 FROM interval_power_bounds WHERE start = ?1) OR EXISTS (SELECT 1 FROM interval_embodied WHERE start = ?1)`,
		interval.Start.Unix()).Scan(&known); err != nil || !known {
		return nil, err
	}
	made := map[int64]factors{}
	err := each(ctx, tx, `SELECT DISTINCT f.key_id, `+factorColumns+`
		FROM usage_fact f JOIN usage_key k USING (key_id) `+factorTables("?1")+`
		WHERE f.start >= ?1 AND f.start < ?2`, span(interval), func(rows *sql.Rows) error {
		var id int64
		var w writtenFactors
		err := rows.Scan(append([]any{&id}, w.columns()...)...)
		if by := w.factors(); by != (factors{}) {
			made[id] = by
		}
		return err
	})
	return made, err
}

// factorColumns are the columns of writtenFactors, from factorTables.
const factorColumns = `w.busy_watts, w.idle_watts, w.error, b.busy_low, b.idle_low, b.busy_high, b.idle_high, e.gco2eq_per_core_hour`

// factorTables joins what the facts of an interval's machine types were made with.
func factorTables(start string) string {
	return `LEFT JOIN interval_power w ON w.start = ` + start + ` AND w.machine_id = k.machine_id
		LEFT JOIN interval_power_bounds b ON b.start = ` + start + ` AND b.machine_id = k.machine_id
		LEFT JOIN interval_embodied e ON e.start = ` + start + ` AND e.machine_id = k.machine_id`
}

// writtenFactors are factors as stored.
type writtenFactors struct {
	busy, idle                           *float64
	err                                  *float64
	busyLow, idleLow, busyHigh, idleHigh *float64
	embodied                             *float64
}

func (w *writtenFactors) columns() []any {
	return []any{&w.busy, &w.idle, &w.err, &w.busyLow, &w.idleLow, &w.busyHigh, &w.idleHigh, &w.embodied}
}

func (w *writtenFactors) factors() (by factors) {
	if w.embodied != nil {
		by.embodied, by.hardware = usage.GramsPerCoreHour(*w.embodied), true
	}
	if w.busy == nil || w.idle == nil {
		return by
	}
	r := usage.Rating{Watts: wattsOf(*w.busy, *w.idle), Error: w.err}
	r.Low, r.High = w.bounds()
	if r.Error != nil || r.Low != nil {
		by.rating = &r
	}
	return by
}

// bounds are nil unless they are stored.
func (w *writtenFactors) bounds() (low, high *usage.BusyIdle[usage.Watts]) {
	if w.busyLow == nil || w.idleLow == nil || w.busyHigh == nil || w.idleHigh == nil {
		return nil, nil
	}
	return new(wattsOf(*w.busyLow, *w.idleLow)), new(wattsOf(*w.busyHigh, *w.idleHigh))
}

func wattsOf(busy, idle float64) usage.BusyIdle[usage.Watts] {
	return usage.BusyIdle[usage.Watts]{Busy: usage.Watts(busy), Idle: usage.Watts(idle)}
}
