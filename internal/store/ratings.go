// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// putBounds stores the bounds of a rating, if it has any.
func putBounds(ctx context.Context, tx *sqlite.Tx, start, machine int64, r usage.Rating) error {
	if r.Low == nil || r.High == nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO interval_power_bounds VALUES (?, ?, ?, ?, ?, ?)", start, machine,
		float64(r.Low.Busy), float64(r.Low.Idle), float64(r.High.Busy), float64(r.High.Idle))
	return err
}

// readRatings adds the power that a record's facts were made with, and what it was made from.
func readRatings(ctx context.Context, db queryer, rec *usage.Record) error {
	start := []any{rec.Interval.Start.Unix()}
	if err := each(ctx, db, `SELECT m.machine_name, w.busy_watts, w.idle_watts, w.source, w.error, b.busy_low, b.idle_low, b.busy_high, b.idle_high
		FROM interval_power w JOIN dim_machine m USING (machine_id) LEFT JOIN interval_power_bounds b ON b.start = w.start AND b.machine_id = w.machine_id
		WHERE w.start = ? ORDER BY 1`, start, func(rows *sql.Rows) error {
		var r usage.Rating
		var w writtenFactors
		err := rows.Scan(&r.Machine, &r.Watts.Busy, &r.Watts.Idle, &r.Source, &r.Error, &w.busyLow, &w.idleLow, &w.busyHigh, &w.idleHigh)
		r.Low, r.High = w.bounds()
		rec.Ratings = append(rec.Ratings, r)
		return err
	}); err != nil {
		return err
	}
	return each(ctx, db, `SELECT m.machine_name, p.model, s.threads, s.share
		FROM interval_processor s JOIN dim_machine m USING (machine_id) JOIN processor p USING (processor_id)
		WHERE s.start = ? ORDER BY 1, s.share DESC, 2, 3`, start, func(rows *sql.Rows) error {
		var machine string
		var s usage.ModelShare
		err := rows.Scan(&machine, &s.Model, &s.Threads, &s.Share)
		if rec.Models == nil {
			rec.Models = map[string][]usage.ModelShare{}
		}
		rec.Models[machine] = append(rec.Models[machine], s)
		return err
	})
}
