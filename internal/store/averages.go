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

// MachineAverage is the average power of a machine type, per core, from From to To.
type MachineAverage struct {
	usage.Rating
	From        time.Time
	To          time.Time    // zero: still valid
	Calibration *Calibration // nil: it was not learned
}

// Calibration says what a learned average was learned from.
type Calibration struct {
	RSquared     float64
	Observations int
	From         string // expression and range
	At           time.Time
}

// Place returns a with the validity that SaveMachineAverage would give it: it ends where an
// average that begins later and lasts at least as long takes over.
func (s *Store) Place(ctx context.Context, a MachineAverage) (MachineAverage, error) {
	err := s.read(ctx, func(tx *sqlite.Tx) error { return place(ctx, tx, &a) })
	return a, err
}

// SaveMachineAverage stores an average and returns it with its validity. It replaces one of the
// same machine type and start. An average that began earlier ends where this one begins, unless
// it lasts longer: then it is valid again after this one ends.
func (s *Store) SaveMachineAverage(ctx context.Context, a MachineAverage) (MachineAverage, error) {
	err := s.write(ctx, func(tx *sqlite.Tx) error {
		if err := place(ctx, tx, &a); err != nil {
			return err
		}
		var c Calibration
		learned := []any{nil, nil, nil, nil}
		if a.Calibration != nil {
			c = *a.Calibration
			learned = []any{c.RSquared, c.Observations, c.From, c.At.Unix()}
		}
		if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO machine_average
			(machine_name, valid_from, valid_to, busy_watts, idle_watts, source, error, r_squared, observations, learned_from, learned_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			append([]any{
				a.Machine, a.From.Unix(), until(a.To), float64(a.Watts.Busy), float64(a.Watts.Idle), a.Source, a.Error,
			}, learned...)...); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE machine_average SET valid_to = ?2
			WHERE machine_name = ?1 AND valid_from < ?2 AND coalesce(valid_to > ?2, 1)
				AND (?3 IS NULL OR valid_to <= ?3)`, a.Machine, a.From.Unix(), until(a.To))
		return err
	})
	return a, err
}

// place shortens an average where one that begins later takes over for good.
func place(ctx context.Context, tx *sqlite.Tx, a *MachineAverage) error {
	var next *int64
	if err := tx.QueryRowContext(ctx, `SELECT min(valid_from) FROM machine_average
		WHERE machine_name = ?1 AND valid_from > ?2 AND (?3 IS NULL OR valid_from < ?3)
			AND (valid_to IS NULL OR valid_to >= ?3)`, a.Machine, a.From.Unix(), until(a.To)).Scan(&next); err != nil {
		return err
	}
	if next != nil {
		a.To = unix(*next)
	}
	return nil
}

// LastLearned returns when an average was learned last; zero: never.
func (s *Store) LastLearned(ctx context.Context) (last time.Time, err error) {
	err = s.read(ctx, func(tx *sqlite.Tx) error {
		var at *int64
		if err := tx.QueryRowContext(ctx, "SELECT max(learned_at) FROM machine_average").Scan(&at); err != nil || at == nil {
			return err
		}
		last = unix(*at)
		return nil
	})
	return last, err
}

// ForgetLearned ends the validity of the learned averages of a machine type: of those in force at
// a time, then, and of those that begin later, altogether. It returns how many there were.
func (s *Store) ForgetLearned(ctx context.Context, machine string, at time.Time) (n int64, err error) {
	err = s.write(ctx, func(tx *sqlite.Tx) error {
		for _, statement := range []string{
			"DELETE FROM machine_average WHERE machine_name = ?1 AND learned_at IS NOT NULL AND valid_from >= ?2",
			`UPDATE machine_average SET valid_to = ?2 WHERE machine_name = ?1 AND learned_at IS NOT NULL
				AND valid_from < ?2 AND coalesce(valid_to > ?2, 1)`,
		} {
			done, err := tx.ExecContext(ctx, statement, machine, at.Unix())
			if err != nil {
				return err
			}
			changed, err := done.RowsAffected()
			if err != nil {
				return err
			}
			n += changed
		}
		return nil
	})
	return n, err
}

// Learned returns the learned averages that are in force at a time or later, by machine type: of
// several, that which begins first.
func (s *Store) Learned(ctx context.Context, at time.Time) (map[string]usage.Rating, error) {
	return readAverages(ctx, s.reader, "learned_at IS NOT NULL AND coalesce(valid_to > ?1, 1) ORDER BY valid_from DESC", at)
}

// until is the end of a validity as it is stored: NULL if it has no end.
func until(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Unix()
}

// MachineAverages returns the averages valid at a time, by machine type. If several are valid,
// the one that began last wins.
func (s *Store) MachineAverages(ctx context.Context, at time.Time) (map[string]usage.Rating, error) {
	return readAverages(ctx, s.reader, validAverages, at)
}

// MachineAverages is Store.MachineAverages at the view's moment.
func (v *View) MachineAverages(ctx context.Context, at time.Time) (map[string]usage.Rating, error) {
	return readAverages(ctx, v.tx, validAverages, at)
}

// validAverages are those valid at a time, that which began last at the end.
const validAverages = "valid_from <= ?1 AND (valid_to IS NULL OR valid_to > ?1) ORDER BY valid_from"

// readAverages reads those that a condition on a time selects, in its order: the last one of a
// machine type counts.
func readAverages(ctx context.Context, db queryer, which string, at time.Time) (map[string]usage.Rating, error) {
	all := map[string]usage.Rating{}
	err := each(ctx, db, "SELECT machine_name, busy_watts, idle_watts, source, error FROM machine_average WHERE "+which,
		[]any{at.Unix()}, func(rows *sql.Rows) error {
			var r usage.Rating
			if err := rows.Scan(&r.Machine, &r.Watts.Busy, &r.Watts.Idle, &r.Source, &r.Error); err != nil {
				return err
			}
			all[r.Machine] = r
			return nil
		})
	return all, err
}

// Machines lists every machine type ever seen, in order.
func (s *Store) Machines(ctx context.Context) (names []string, err error) {
	err = s.read(ctx, func(tx *sqlite.Tx) error {
		names, err = machines(ctx, tx)
		return err
	})
	return names, err
}
