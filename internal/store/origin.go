package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// putOrigin stores the bounds of a rating, and the processors that it was made from.
func putOrigin(ctx context.Context, tx *sqlite.Tx, start, machine int64, r usage.Rating, models []usage.ModelShare) error {
	if r.Low != nil && r.High != nil {
		if _, err := tx.ExecContext(ctx, "INSERT INTO interval_power_bounds VALUES (?, ?, ?, ?, ?, ?)", start, machine,
			float64(r.Low.Busy), float64(r.Low.Idle), float64(r.High.Busy), float64(r.High.Idle)); err != nil {
			return err
		}
	}
	for _, m := range models {
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO processor(model) VALUES (?)", m.Model); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO interval_processor
			SELECT ?, ?, processor_id, ?, ? FROM processor WHERE model = ?`, start, machine, m.Threads, m.Share, m.Model); err != nil {
			return err
		}
	}
	return nil
}

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

// ModelsNear returns the processors of a machine type in the nearest interval that has them: the
// last one until a time or else the first after it; nil if there is none.
func (s *Store) ModelsNear(ctx context.Context, machine string, at time.Time) (all []usage.ModelShare, err error) {
	err = each(ctx, s.reader, `WITH type AS (SELECT machine_id FROM dim_machine WHERE machine_name = ?1),
		near AS (SELECT coalesce(
			(SELECT max(start) FROM interval_processor WHERE machine_id = (SELECT machine_id FROM type) AND start <= ?2),
			(SELECT min(start) FROM interval_processor WHERE machine_id = (SELECT machine_id FROM type) AND start > ?2)) AS start)
		SELECT p.model, s.threads, s.share FROM interval_processor s JOIN processor p USING (processor_id)
		WHERE s.start = (SELECT start FROM near) AND s.machine_id = (SELECT machine_id FROM type)
		ORDER BY s.share DESC, 1, 2`, []any{machine, at.Unix()}, func(rows *sql.Rows) error {
		var m usage.ModelShare
		err := rows.Scan(&m.Model, &m.Threads, &m.Share)
		all = append(all, m)
		return err
	})
	return all, err
}

// Models returns the processors of each machine type in the newest interval that has them.
func (v *View) Models(ctx context.Context) (map[string][]usage.ModelShare, error) {
	return readModels(ctx, v.tx)
}

// Models is View.Models, now.
func (s *Store) Models(ctx context.Context) (map[string][]usage.ModelShare, error) {
	return readModels(ctx, s.reader)
}

func readModels(ctx context.Context, db queryer) (map[string][]usage.ModelShare, error) {
	all := map[string][]usage.ModelShare{}
	return all, each(ctx, db, `SELECT m.machine_name, p.model, s.threads, s.share
		FROM dim_machine m JOIN interval_processor s ON s.machine_id = m.machine_id
			AND s.start = (SELECT max(start) FROM interval_processor WHERE machine_id = m.machine_id)
		JOIN processor p USING (processor_id) ORDER BY 1, s.share DESC, 2, 3`, nil, func(rows *sql.Rows) error {
		var machine string
		var s usage.ModelShare
		err := rows.Scan(&machine, &s.Model, &s.Threads, &s.Share)
		all[machine] = append(all[machine], s)
		return err
	})
}

// PUE returns the newest PUE that was measured; nil: none was.
func (v *View) PUE(ctx context.Context) (newest *float64, err error) {
	err = each(ctx, v.tx, "SELECT pue FROM interval_pue ORDER BY start DESC LIMIT 1", nil, func(rows *sql.Rows) error {
		return rows.Scan(&newest)
	})
	return newest, err
}
