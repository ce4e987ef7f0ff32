// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// putInstruments stores what else an interval's facts were made with: the PUE of each piece,
// embodied emissions, and what was measured of the whole site.
func putInstruments(ctx context.Context, tx *sqlite.Tx, naming *naming, rec usage.Record) error {
	start := rec.Interval.Start.Unix()
	for i, piece := range rec.Interval.Pieces() {
		if i >= len(rec.PUEs) {
			break
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO interval_pue VALUES (?, ?)", piece.Start.Unix(), rec.PUEs[i]); err != nil {
			return err
		}
	}
	for name, grams := range rec.Embodied {
		machine, err := naming.machine(name)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO interval_embodied VALUES (?, ?, ?)", start, machine, float64(grams)); err != nil {
			return err
		}
	}
	for _, z := range rec.Zones {
		if _, err := tx.ExecContext(ctx, "INSERT INTO interval_zone VALUES (?, ?, ?, ?)", start, z.Zone, float64(z.Measured), float64(z.Booked)); err != nil {
			return err
		}
	}
	return nil
}

// readInstruments adds what putInstruments stored.
func readInstruments(ctx context.Context, db queryer, rec *usage.Record) error {
	if err := each(ctx, db, "SELECT pue FROM interval_pue WHERE start >= ? AND start < ? ORDER BY start", span(rec.Interval), func(rows *sql.Rows) error {
		var pue float64
		err := rows.Scan(&pue)
		rec.PUEs = append(rec.PUEs, pue)
		return err
	}); err != nil {
		return err
	}
	start := []any{rec.Interval.Start.Unix()}
	if err := each(ctx, db, `SELECT m.machine_name, e.gco2eq_per_core_hour FROM interval_embodied e JOIN dim_machine m USING (machine_id)
		WHERE e.start = ?`, start, func(rows *sql.Rows) error {
		var machine string
		var grams usage.GramsPerCoreHour
		err := rows.Scan(&machine, &grams)
		if rec.Embodied == nil {
			rec.Embodied = map[string]usage.GramsPerCoreHour{}
		}
		rec.Embodied[machine] = grams
		return err
	}); err != nil {
		return err
	}
	return each(ctx, db, "SELECT zone, measured_kwh, booked_kwh FROM interval_zone WHERE start = ? ORDER BY zone", start, func(rows *sql.Rows) error {
		var z usage.ZoneFact
		err := rows.Scan(&z.Zone, &z.Measured, &z.Booked)
		rec.Zones = append(rec.Zones, z)
		return err
	})
}

// Zones returns what was measured of the whole site, or of its zones, and what is booked for the
// same machines, over all intervals in which it was measured.
func (v *View) Zones(ctx context.Context) (all []usage.ZoneFact, err error) {
	err = each(ctx, v.tx, "SELECT zone, sum(measured_kwh), sum(booked_kwh) FROM interval_zone GROUP BY zone ORDER BY zone", nil, func(rows *sql.Rows) error {
		var z usage.ZoneFact
		err := rows.Scan(&z.Zone, &z.Measured, &z.Booked)
		all = append(all, z)
		return err
	})
	return all, err
}

// PUE returns the newest PUE that was measured; nil: none was.
func (v *View) PUE(ctx context.Context) (newest *float64, err error) {
	err = each(ctx, v.tx, "SELECT pue FROM interval_pue ORDER BY start DESC LIMIT 1", nil, func(rows *sql.Rows) error {
		return rows.Scan(&newest)
	})
	return newest, err
}
