// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// putModels stores the processors that the power of a machine type was made from.
func putModels(ctx context.Context, tx *sqlite.Tx, start, machine int64, models []usage.ModelShare) error {
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
