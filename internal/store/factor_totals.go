// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// put writes what a day comes to, and reports whether it is anything else than before. News that
// came since the day was read stay.
func (w *factorDay) put(ctx context.Context, tx *sqlite.Tx) (changed bool, err error) {
	for _, d := range w.dates {
		for set, sums := range d.sums {
			other, err := putFactorDay(ctx, tx, set, d.date, sums)
			if err != nil {
				return false, err
			}
			changed = changed || other
		}
	}
	for _, n := range w.news {
		if _, err := tx.ExecContext(ctx, "DELETE FROM factor_news WHERE start = ? AND factors = ? AND times = ?", n.start, n.factors, n.times); err != nil {
			return false, err
		}
	}
	return changed, nil
}

// putFactorDay replaces a day of a set: what it was is subtracted from the sums of all days, to the
// last bit, and what it is is added.
func putFactorDay(ctx context.Context, tx *sqlite.Tx, set string, date int64, sums factorSums) (changed bool, err error) {
	was, err := readFactorDay(ctx, tx, set, date)
	if err != nil {
		return false, err
	}
	is := map[factorMember]usage.FactorTally{}
	for m, sum := range sums {
		is[m] = sum.Tally()
	}
	for m, tally := range was {
		if fresh, stays := is[m]; stays && fresh == tally {
			delete(is, m)
			continue
		}
		changed = true
		if err := moveFactorTotal(ctx, tx, set, m, tally, (*usage.Sum).Sub, -1); err != nil {
			return false, err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM factor_day WHERE factors = ? AND day = ? AND project_id = ? AND group_id = ?",
			set, date, m.project, m.group); err != nil {
			return false, err
		}
	}
	for m, tally := range is {
		changed = true
		if err := moveFactorTotal(ctx, tx, set, m, tally, (*usage.Sum).Add, 1); err != nil {
			return false, err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO factor_day VALUES (?, ?, ?, ?, ?, ?)",
			set, date, m.project, m.group, float64(tally.Energy), float64(tally.Emissions)); err != nil {
			return false, err
		}
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM factor_total WHERE factors = ? AND days = 0", set)
	return changed, err
}

func readFactorDay(ctx context.Context, db queryer, set string, date int64) (map[factorMember]usage.FactorTally, error) {
	all := map[factorMember]usage.FactorTally{}
	err := each(ctx, db, "SELECT project_id, group_id, kwh, gco2eq FROM factor_day WHERE factors = ? AND day = ?",
		[]any{set, date}, func(rows *sql.Rows) error {
			var m factorMember
			t := usage.FactorTally{Known: true}
			err := rows.Scan(&m.project, &m.group, &t.Energy, &t.Emissions)
			all[m] = t
			return err
		})
	return all, err
}

// moveFactorTotal adds a day to the sums of all days, or subtracts it.
func moveFactorTotal(ctx context.Context, tx *sqlite.Tx, set string, m factorMember, day usage.FactorTally, move func(*usage.Sum, float64), days int) error {
	var kwh, grams usage.Sum
	if err := each(ctx, tx, "SELECT sums FROM factor_total WHERE factors = ? AND project_id = ? AND group_id = ?",
		[]any{set, m.project, m.group}, func(rows *sql.Rows) (err error) {
			kwh, grams, err = scanFactorSums(rows)
			return err
		}); err != nil {
		return err
	}
	move(&kwh, float64(day.Energy))
	move(&grams, float64(day.Emissions))
	_, err := tx.ExecContext(ctx, `INSERT INTO factor_total VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET days = days + excluded.days, sums = excluded.sums`,
		set, m.project, m.group, days, grams.AppendBinary(kwh.AppendBinary(nil)))
	return err
}

// scanFactorSums reads the sums that are the last column, after others.
func scanFactorSums(rows *sql.Rows, others ...any) (kwh, grams usage.Sum, err error) {
	var sums sql.RawBytes
	if err := rows.Scan(append(others, &sums)...); err != nil {
		return kwh, grams, err
	}
	if len(sums) != 2*usage.SumBytes {
		return kwh, grams, fmt.Errorf("sums of factors: has %d bytes", len(sums))
	}
	return usage.SumFrom(sums), usage.SumFrom(sums[usage.SumBytes:]), nil
}

// Factors returns what all usage emitted by sets of factors, and the energy of each set that has
// no factor, of all energy that there is. Days that are still to be added up count as energy
// without one.
func (v *View) Factors(ctx context.Context, sets []string, energy usage.KWh) (usage.FactorTotals, error) {
	all := usage.FactorTotals{Unpriced: map[string]usage.KWh{}}
	for _, set := range sets {
		var priced usage.Sum
		if err := each(ctx, v.tx, `SELECT p.cloud_project_name, g.group_name, t.sums
			FROM factor_total t JOIN dim_project p USING (project_id) JOIN dim_group g USING (group_id)
			WHERE t.factors = ? ORDER BY 1, 2`, []any{set}, func(rows *sql.Rows) error {
			t := usage.FactorTotal{Factors: set, FactorTally: usage.FactorTally{Known: true}}
			kwh, grams, err := scanFactorSums(rows, &t.Project, &t.Group)
			t.Energy, t.Emissions = usage.KWh(kwh.Float64()), usage.Grams(grams.Float64())
			priced.AddSum(kwh)
			all.Totals = append(all.Totals, t)
			return err
		}); err != nil {
			return all, err
		}
		all.Unpriced[set] = withoutFactor(energy, usage.KWh(priced.Float64()))
	}
	return all, nil
}

// withoutFactor is energy less that with a factor. Each was rounded on its own way: what is left of
// that is no energy.
func withoutFactor(all, priced usage.KWh) usage.KWh {
	if left := all - priced; left > all*nearly {
		return left
	}
	return 0
}
