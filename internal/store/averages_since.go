// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"time"
)

// AveragesSince returns how old the averages valid at a time are, by machine type: when each was
// learned or, if it was not, since when it is valid.
func (s *Store) AveragesSince(ctx context.Context, at time.Time) (map[string]time.Time, error) {
	all := map[string]time.Time{}
	err := each(ctx, s.reader, `SELECT machine_name, coalesce(learned_at, valid_from) FROM machine_average
		WHERE valid_from <= ?1 AND (valid_to IS NULL OR valid_to > ?1) ORDER BY valid_from`,
		[]any{at.Unix()}, func(rows *sql.Rows) error {
			var machine string
			var since int64
			if err := rows.Scan(&machine, &since); err != nil {
				return err
			}
			all[machine] = unix(since)
			return nil
		})
	return all, err
}
