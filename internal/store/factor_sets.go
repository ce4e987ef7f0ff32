// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// KeepFactors says which sets of factors there are. All days of a set that is new, or has other
// sources than before, are to be added up, as far as their per-key rows are kept; days without
// them stay as they are. A set that is not there any more keeps its days.
func (s *Store) KeepFactors(ctx context.Context, sets []usage.FactorSet) error {
	other := func(known map[string][]usage.GridName) bool {
		return len(known) != len(sets) || slices.ContainsFunc(sets, func(set usage.FactorSet) bool { return !slices.Equal(known[set.Name], set.Sources) })
	}
	known, err := readFactorSets(ctx, s.reader)
	if err != nil || !other(known) {
		return err
	}
	return s.write(ctx, func(tx *sqlite.Tx) error {
		known, err := readFactorSets(ctx, tx)
		if err != nil {
			return err
		}
		for _, set := range sets {
			if !slices.Equal(known[set.Name], set.Sources) {
				if err := s.beginFactors(ctx, tx, set); err != nil {
					return err
				}
			}
			delete(known, set.Name)
		}
		for gone := range maps.Keys(known) {
			if err := endFactors(ctx, tx, gone); err != nil {
				return err
			}
		}
		return nil
	})
}

func readFactorSets(ctx context.Context, db queryer) (map[string][]usage.GridName, error) {
	sets := map[string][]usage.GridName{}
	err := each(ctx, db, "SELECT factors, provider, grid FROM factor_source ORDER BY factors, place", nil, func(rows *sql.Rows) error {
		var name string
		var source usage.GridName
		err := rows.Scan(&name, &source.Provider, &source.Grid)
		sets[name] = append(sets[name], source)
		return err
	})
	return sets, err
}

// beginFactors makes news of one interval of each day.
func (s *Store) beginFactors(ctx context.Context, tx *sqlite.Tx, set usage.FactorSet) error {
	if err := endFactors(ctx, tx, set.Name); err != nil {
		return err
	}
	for place, source := range set.Sources {
		if _, err := tx.ExecContext(ctx, "INSERT INTO factor_source VALUES (?, ?, ?, ?)", set.Name, place, source.Provider, source.Grid); err != nil {
			return err
		}
	}
	return s.allFactorNews(ctx, tx, set.Name)
}

func endFactors(ctx context.Context, tx *sqlite.Tx, name string) error {
	for _, query := range []string{"DELETE FROM factor_source WHERE factors = ?", "DELETE FROM factor_news WHERE factors = ?"} {
		if _, err := tx.ExecContext(ctx, query, name); err != nil {
			return err
		}
	}
	return nil
}

// allFactorNews makes all days of a set due that have per-key rows.
func (s *Store) allFactorNews(ctx context.Context, tx *sqlite.Tx, name string) error {
	var days []int64
	last := int64(-1)
	if err := each(ctx, tx, `SELECT start FROM usage_interval
		WHERE state IN ('unpriced', 'provisional', 'settled') AND pruned = 0 ORDER BY start`, nil, func(rows *sql.Rows) error {
		var start int64
		err := rows.Scan(&start)
		if date := dateOf(unix(start), s.zone); date != last {
			days, last = append(days, start), date
		}
		return err
	}); err != nil {
		return err
	}
	for _, start := range days {
		if _, err := tx.ExecContext(ctx, "INSERT INTO factor_news VALUES (?, ?, 1)", start, name); err != nil {
			return err
		}
	}
	return nil
}

// recountFactors begins again in another time zone, whose days are others.
func (s *Store) recountFactors(ctx context.Context, tx *sqlite.Tx) error {
	for _, query := range []string{"DELETE FROM factor_day", "DELETE FROM factor_total", "DELETE FROM factor_news"} {
		if _, err := tx.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	sets, err := readFactorSets(ctx, tx)
	if err != nil {
		return err
	}
	for name := range sets {
		if err := s.allFactorNews(ctx, tx, name); err != nil {
			return err
		}
	}
	return nil
}
