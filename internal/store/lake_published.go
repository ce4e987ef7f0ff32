// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// LakePublished returns the days that the present lake has as they are now, in order: nothing in
// them has changed since they were published. Without a present lake there is none.
func (s *Store) LakePublished(ctx context.Context) (days []usage.Period, err error) {
	err = s.read(ctx, func(tx *sqlite.Tx) (err error) {
		days, err = lakePublished(ctx, tx, "")
		return err
	})
	return days, err
}

// lakeHas reports whether the present lake, if there is one, has a day as it is.
func lakeHas(ctx context.Context, tx *sqlite.Tx, date string) (bool, error) {
	var there bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM setting WHERE name = 'lake')").Scan(&there); err != nil || !there {
		return !there, err
	}
	days, err := lakePublished(ctx, tx, date)
	return len(days) > 0, err
}

// lakePublished is LakePublished of one day, or of all ("").
func lakePublished(ctx context.Context, tx *sqlite.Tx, date string) (days []usage.Period, err error) {
	err = each(ctx, tx, `SELECT began, ended FROM lake_day l
		WHERE lake = (SELECT value FROM setting WHERE name = 'lake') AND ?1 IN ('', day)
		AND settled + empty = (SELECT count(*) FROM usage_interval i WHERE i.start >= began AND i.start < ended AND i.state IN ('settled', 'empty'))
		AND NOT EXISTS (SELECT 1 FROM usage_interval i WHERE i.start >= began AND i.start < ended
			AND (i.revision > l.revision OR i.state IN ('unpriced', 'provisional')))
		ORDER BY began`, []any{date}, func(rows *sql.Rows) error {
		var began, ended int64
		err := rows.Scan(&began, &ended)
		days = append(days, usage.Period{From: unix(began), To: unix(ended)})
		return err
	})
	return days, err
}

// LakeErasures returns how many people were forgotten, how many of them nothing in a lake names any
// more, and whether a user is one of them.
func (s *Store) LakeErasures(ctx context.Context, lake string) (forgotten, erased int, isGone func(user string) bool, err error) {
	f, err := readForgotten(ctx, s.reader)
	if err != nil {
		return 0, 0, nil, err
	}
	err = s.reader.QueryRowContext(ctx, "SELECT erased FROM lake WHERE lake = ?", lake).Scan(&erased)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return len(f.ids), erased, f.holds, err
}

// LakeErased records that nothing in a lake names the first people that were forgotten.
func (s *Store) LakeErased(ctx context.Context, lake string, people int) error {
	return s.write(ctx, func(tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE lake SET erased = ? WHERE lake = ?", people, lake)
		return err
	})
}
