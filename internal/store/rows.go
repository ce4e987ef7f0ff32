// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// statements are the prepared statements that write many rows at a time.
type statements struct {
	fact, member, host, tenure sqlite.Bulk
	attendance, doubt          sqlite.Bulk // of interval_hosts and interval_doubt
	reprice                    sqlite.Bulk // of rows of fact_usage
}

func (p *statements) prepare(ctx context.Context, db *sql.DB) (err error) {
	for _, s := range []struct {
		bulk      *sqlite.Bulk
		statement string
		columns   int
	}{
		{&p.fact, "INSERT INTO usage_fact VALUES %s", 6},
		{&p.member, `INSERT INTO fact_usage(ts, scope, project_id, machine_id, user_id,
			busy_cpu_seconds_total, idle_cpu_seconds_total, busy_kwh, idle_kwh,
			busy_gCo2eq, idle_gCo2eq, intensity_gCo2eq_kwh, measured_kwh, measured_gCo2eq) VALUES %s`, 14},
		{&p.host, "INSERT INTO workspace_usage VALUES %s", 10},
		{&p.tenure, "INSERT INTO directory_tenure VALUES %s", 6},
		{&p.attendance, "INSERT INTO interval_hosts VALUES %s", 4},
		{&p.doubt, "INSERT INTO interval_doubt VALUES %s", 8},
		{&p.reprice, `UPDATE fact_usage SET busy_gCo2eq = v.column2, idle_gCo2eq = v.column3, intensity_gCo2eq_kwh = v.column4,
			measured_gCo2eq = v.column5 FROM (VALUES %s) AS v WHERE usage_id = v.column1`, 5},
	} {
		if *s.bulk, err = sqlite.PrepareBulk(ctx, db, s.statement, s.columns); err != nil {
			return err
		}
	}
	return nil
}

func (p *statements) close() error {
	return errors.Join(p.fact.Close(), p.member.Close(), p.host.Close(), p.tenure.Close(), p.attendance.Close(), p.doubt.Close(), p.reprice.Close())
}

// clearFacts deletes an interval's facts and factors; an empty interval has factors, too.
func clearFacts(ctx context.Context, tx *sqlite.Tx, interval usage.Interval, doubts *int) error {
	queries := []string{
		"DELETE FROM usage_fact WHERE start >= ? AND start < ?",
		"DELETE FROM interval_power WHERE start >= ? AND start < ?",
		"DELETE FROM interval_coverage WHERE start >= ? AND start < ?",
		"DELETE FROM interval_labels WHERE start >= ? AND start < ?",
		"DELETE FROM interval_power_bounds WHERE start >= ? AND start < ?",
		"DELETE FROM interval_processor WHERE start >= ? AND start < ?",
		"DELETE FROM interval_pue WHERE start >= ? AND start < ?",
		"DELETE FROM interval_embodied WHERE start >= ? AND start < ?",
		"DELETE FROM interval_zone WHERE start >= ? AND start < ?",
	}
	if doubts != nil {
		queries = append(queries, "DELETE FROM interval_hosts WHERE start >= ? AND start < ?")
	}
	if doubts != nil && *doubts > 0 {
		queries = append(queries, "DELETE FROM interval_doubts WHERE start >= ? AND start < ?",
			"DELETE FROM interval_doubt WHERE start >= ? AND start < ?")
	}
	for _, query := range queries {
		if _, err := tx.ExecContext(ctx, query, span(interval)...); err != nil {
			return err
		}
	}
	return clearBesides(ctx, tx, span(interval))
}

func (s *Store) insertFacts(ctx context.Context, tx *sqlite.Tx, rows []row) error {
	return s.insert.fact.Write(ctx, tx, len(rows), func(values []any, i int) []any {
		r := &rows[i]
		return append(values, r.start, r.key, float64(r.cpu.Busy), float64(r.cpu.Idle), float64(r.energy.Busy), float64(r.energy.Idle))
	})
}

// putFactors stores what the facts were computed with: power, coverage and labels.
func putFactors(ctx context.Context, tx *sqlite.Tx, naming *naming, rec usage.Record) error {
	start := rec.Interval.Start.Unix()
	for _, r := range rec.Ratings {
		machine, err := naming.machine(r.Machine)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO interval_power VALUES (?, ?, ?, ?, ?, ?)",
			start, machine, float64(r.Watts.Busy), float64(r.Watts.Idle), r.Source, r.Error); err != nil {
			return err
		}
		if err := putBounds(ctx, tx, start, machine, r); err != nil {
			return err
		}
		if err := putModels(ctx, tx, start, machine, rec.Models[r.Machine]); err != nil {
			return err
		}
	}
	if err := putInstruments(ctx, tx, naming, rec); err != nil {
		return err
	}
	for name, c := range rec.Coverage {
		project, err := naming.project(name)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO interval_coverage VALUES (?, ?, ?, ?)",
			start, project, float64(c.Seen), float64(c.Capacity)); err != nil {
			return err
		}
	}
	for name, l := range rec.Labels {
		project, err := naming.project(name)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO interval_labels VALUES (?, ?, ?, ?, ?, ?)",
			start, project, l.Project, l.Machine, l.Host, l.User); err != nil {
			return err
		}
	}
	return nil
}

// putPrices replaces the prices of an interval.
func (u *update) putPrices(old, fresh content, interval usage.Interval) error {
	if len(old.prices) > 0 {
		if _, err := u.tx.ExecContext(u.ctx, "DELETE FROM interval_price WHERE start >= ? AND start < ?", span(interval)...); err != nil {
			return err
		}
	}
	for _, p := range fresh.prices {
		if _, err := u.tx.ExecContext(u.ctx, "INSERT INTO interval_price VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			p.Start.Unix(), float64(p.Intensity), string(p.Kind), p.Provider, p.Grid,
			p.SlotFrom.Unix(), p.FetchedAt.Unix(), p.Basis.String(), string(p.Quality)); err != nil {
			return err
		}
	}
	return nil
}

// putMembers writes the rows of fact_usage. If the facts are the same it writes only the
// columns that depend on the price, so that no index changes.
func (u *update) putMembers(old, fresh content, interval usage.Interval) error {
	members, err := fold(u.ctx, u.naming, fresh)
	if err != nil {
		return err
	}
	if old.hasFacts() && slices.EqualFunc(old.rows, fresh.rows, row.equal) {
		if done, err := u.repriceMembers(members, interval); err != nil || done {
			return err
		}
	}
	if old.hasFacts() {
		if err := u.flush(); err != nil { // before their rows are deleted
			return err
		}
		if _, err := u.tx.ExecContext(u.ctx,
			"DELETE FROM fact_usage WHERE scope IN ('ada', 'project', 'machine', 'user') AND ts = ?", interval.String()); err != nil {
			return err
		}
	}
	ts := interval.String()
	return u.store.insert.member.Write(u.ctx, u.tx, len(members), func(values []any, i int) []any {
		m := members[i]
		return m.columns().all(append(values, ts, m.scope, m.project, m.machine, m.user))
	})
}

// repricing is a row of fact_usage with its new grams and intensity.
type repricing struct {
	row     int64
	columns memberColumns
}

// repriceMembers schedules new prices for the existing rows, which flush writes together with
// those of other intervals. It does nothing if the rows are not those of the members.
func (u *update) repriceMembers(members []*member, interval usage.Interval) (done bool, err error) {
	ids := make(map[memberID]int64, len(members))
	err = each(u.ctx, u.tx, `SELECT usage_id, scope, coalesce(project_id, -1), coalesce(machine_id, -1), coalesce(user_id, '')
		FROM fact_usage WHERE scope IN ('ada', 'project', 'machine', 'user') AND ts = ?`, []any{interval.String()}, func(rows *sql.Rows) error {
		var row int64
		var id memberID
		err := rows.Scan(&row, &id.scope, &id.project, &id.machine, &id.user)
		ids[id] = row
		return err
	})
	if err != nil || len(ids) != len(members) {
		return false, err
	}
	for _, m := range members {
		if _, ok := ids[m.id()]; !ok {
			return false, nil
		}
	}
	for _, m := range members {
		u.repriced = append(u.repriced, repricing{ids[m.id()], m.columns()})
	}
	return true, nil
}

// flush writes the prices that repriceMembers has scheduled.
func (u *update) flush() error {
	err := u.store.insert.reprice.Write(u.ctx, u.tx, len(u.repriced), func(values []any, i int) []any {
		r := &u.repriced[i]
		return r.columns.prices(append(values, r.row))
	})
	u.repriced = u.repriced[:0]
	return err
}

// putHomes makes the group of a user's newest usage the user's present group, whatever order
// intervals arrive in; v_group_totals adds up by it. Unattributed usage is a group of its own.
func putHomes(ctx context.Context, naming *naming, rec usage.Record, sums totals) error {
	homes := map[string]string{}
	for i := range rec.Facts {
		f := &rec.Facts[i]
		// The first of several by name, so that order does not matter.
		if g, ok := homes[f.User]; !ok || f.Group < g {
			homes[f.User] = f.Group
		}
	}
	if _, ok := homes[usage.Unattributed]; ok {
		homes[usage.Unattributed] = usage.Unattributed
	}
	maps.DeleteFunc(homes, naming.livesIn)
	if len(homes) == 0 {
		return nil // as nearly always
	}
	for id, r := range sums {
		if r.rows > 0 && r.last >= rec.Interval.End().Unix() {
			k, err := naming.keyOf(ctx, id)
			if err != nil {
				return err
			}
			delete(homes, k.User) // k.User has newer usage
		}
	}
	for user, group := range homes {
		if err := naming.home(user, group); err != nil {
			return err
		}
	}
	return nil
}
