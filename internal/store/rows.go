package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// statements write the many rows.
type statements struct {
	fact, member, host, tenure sqlite.Bulk
	reprice                    *sql.Stmt // of a row of fact_usage
}

func (p *statements) prepare(ctx context.Context, db *sql.DB) (err error) {
	if p.fact, err = sqlite.PrepareBulk(ctx, db, "usage_fact", 6); err != nil {
		return err
	}
	if p.member, err = sqlite.PrepareBulk(ctx, db, `fact_usage(ts, scope, project_id, machine_id, user_id,
		busy_cpu_seconds_total, idle_cpu_seconds_total, busy_kwh, idle_kwh,
		busy_gCo2eq, idle_gCo2eq, intensity_gCo2eq_kwh)`, 12); err != nil {
		return err
	}
	if p.host, err = sqlite.PrepareBulk(ctx, db, "workspace_usage", 9); err != nil {
		return err
	}
	if p.reprice, err = db.PrepareContext(ctx, `UPDATE fact_usage
		SET busy_gCo2eq = ?, idle_gCo2eq = ?, intensity_gCo2eq_kwh = ? WHERE usage_id = ?`); err != nil {
		return err
	}
	p.tenure, err = sqlite.PrepareBulk(ctx, db, "directory_tenure", 6)
	return err
}

func (p *statements) close() error {
	err := errors.Join(p.fact.Close(), p.member.Close(), p.host.Close(), p.tenure.Close())
	if p.reprice != nil {
		err = errors.Join(err, p.reprice.Close())
	}
	return err
}

// clearFacts removes an interval's facts and factors, which an empty one has too.
func clearFacts(ctx context.Context, tx *sqlite.Tx, interval usage.Interval) error {
	for _, query := range []string{
		"DELETE FROM usage_fact WHERE start >= ? AND start < ?",
		"DELETE FROM interval_power WHERE start >= ? AND start < ?",
		"DELETE FROM interval_coverage WHERE start >= ? AND start < ?",
		"DELETE FROM interval_labels WHERE start >= ? AND start < ?",
	} {
		if _, err := tx.ExecContext(ctx, query, span(interval)...); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) insertFacts(ctx context.Context, tx *sqlite.Tx, rows []row) error {
	return s.insert.fact.Insert(ctx, tx, len(rows), func(values []any, i int) []any {
		r := &rows[i]
		return append(values, r.start, r.key, float64(r.cpu.Busy), float64(r.cpu.Idle), float64(r.energy.Busy), float64(r.energy.Idle))
	})
}

// putFactors keeps what the facts were made with: power, coverage and labels.
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
		if _, err := u.tx.ExecContext(u.ctx, "INSERT INTO interval_price VALUES (?, ?, ?, ?, ?, ?, ?)",
			p.Start.Unix(), float64(p.Intensity), string(p.Kind), p.Provider, p.Grid,
			p.SlotFrom.Unix(), p.FetchedAt.Unix()); err != nil {
			return err
		}
	}
	return nil
}

// putMembers writes the rows of fact_usage. Where the facts are the same, only
// what depends on the price is written: no index has to move.
func (u *update) putMembers(old, fresh content, interval usage.Interval) error {
	members, err := fold(u.ctx, u.naming, fresh)
	if err != nil {
		return err
	}
	if old.hasFacts() && slices.Equal(old.rows, fresh.rows) {
		if done, err := u.repriceMembers(members, interval); err != nil || done {
			return err
		}
	}
	if old.hasFacts() {
		if _, err := u.tx.ExecContext(u.ctx,
			"DELETE FROM fact_usage WHERE scope IN ('ada', 'project', 'machine', 'user') AND ts = ?", interval.String()); err != nil {
			return err
		}
	}
	ts := interval.String()
	return u.store.insert.member.Insert(u.ctx, u.tx, len(members), func(values []any, i int) []any {
		m := members[i]
		return m.columns().appendTo(append(values, ts, m.scope, m.project, m.machine, m.user), 0)
	})
}

// repriceMembers gives the rows there are other grams and another intensity. It
// does nothing if they are not those of the members.
func (u *update) repriceMembers(members []*member, interval usage.Interval) (done bool, err error) {
	ids := make(map[memberID]int64, len(members))
	err = each(u.ctx, u.tx, `SELECT usage_id, scope, coalesce(project_id, 0), coalesce(machine_id, 0), coalesce(user_id, '')
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
	quiet := context.WithoutCancel(u.ctx) // see sqlite.Bulk.Insert
	reprice := u.tx.StmtContext(quiet, u.store.insert.reprice)
	values := make([]any, 0, 4)
	for _, m := range members {
		if err := u.ctx.Err(); err != nil {
			return false, err
		}
		values = append(m.columns().appendTo(values[:0], priceColumn), ids[m.id()])
		if _, err := reprice.ExecContext(quiet, values...); err != nil {
			return false, err
		}
	}
	return true, nil
}

// putHomes makes the group of a user's newest usage the user's present group,
// by which v_group_totals adds up, whatever order intervals arrive in. What is
// unattributed is a group of its own.
func putHomes(ctx context.Context, naming *naming, rec usage.Record, sums totals) error {
	homes := map[string]string{}
	for _, f := range rec.Facts {
		// Of several groups the first by name, so that order does not matter.
		if g, ok := homes[f.User]; !ok || f.Group < g {
			homes[f.User] = f.Group
		}
	}
	for id, r := range sums {
		if r.rows > 0 && r.last >= rec.Interval.End().Unix() {
			k, err := naming.keyOf(ctx, id)
			if err != nil {
				return err
			}
			delete(homes, k.User) // has newer usage
		}
	}
	for user, group := range homes {
		if user == usage.Unattributed {
			group = usage.Unattributed
		}
		if err := naming.home(user, group); err != nil {
			return err
		}
	}
	return nil
}
