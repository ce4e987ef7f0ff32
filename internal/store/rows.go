package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// statements write the many rows.
type statements struct {
	fact, member, host, tenure bulk
}

func (p *statements) prepare(ctx context.Context, db *sql.DB) (err error) {
	if p.fact, err = prepareBulk(ctx, db, "usage_fact", 6); err != nil {
		return err
	}
	if p.member, err = prepareBulk(ctx, db, `fact_usage(ts, scope, project_id, machine_id, user_id,
		busy_cpu_seconds_total, idle_cpu_seconds_total, busy_kwh, idle_kwh,
		busy_gCo2eq, idle_gCo2eq, intensity_gCo2eq_kwh)`, 12); err != nil {
		return err
	}
	if p.host, err = prepareBulk(ctx, db, "workspace_usage", 9); err != nil {
		return err
	}
	p.tenure, err = prepareBulk(ctx, db, "directory_tenure", 6)
	return err
}

func (p *statements) close() error {
	return errors.Join(p.fact.close(), p.member.close(), p.host.close(), p.tenure.close())
}

// clear removes an interval's facts and factors, which an empty one has too. A
// first commit finds nothing and is spared the look.
func (s *Store) clear(ctx context.Context, tx *sql.Tx, interval usage.Interval, old content) error {
	if old.state == usage.Missing {
		return nil
	}
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
	return s.clearPriced(ctx, tx, interval)
}

// clearPriced removes what depends on the price.
func (s *Store) clearPriced(ctx context.Context, tx *sql.Tx, interval usage.Interval) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM interval_price WHERE start >= ? AND start < ?", span(interval)...); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx,
		"DELETE FROM fact_usage WHERE scope IN ('ada', 'project', 'machine', 'user') AND ts = ?", interval.String())
	return err
}

func (s *Store) putFacts(ctx context.Context, tx *sql.Tx, rows []row) error {
	return s.insert.fact.insert(ctx, tx, len(rows), func(values []any, i int) []any {
		r := &rows[i]
		return append(values, r.start, r.key, r.values[0], r.values[1], r.values[2], r.values[3])
	})
}

// putFactors keeps what the facts were made with: power, coverage and labels.
func (s *Store) putFactors(ctx context.Context, tx *sql.Tx, naming *naming, rec usage.Record) error {
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

// putPriced writes what depends on the price: the prices themselves and the rows
// of fact_usage.
func (s *Store) putPriced(ctx context.Context, tx *sql.Tx, naming *naming, interval usage.Interval, fresh content) error {
	for _, p := range fresh.prices {
		if _, err := tx.ExecContext(ctx, "INSERT INTO interval_price VALUES (?, ?, ?, ?, ?, ?, ?)",
			p.Start.Unix(), float64(p.Intensity), string(p.Kind), p.Provider, p.Grid,
			p.SlotFrom.Unix(), p.FetchedAt.Unix()); err != nil {
			return err
		}
	}
	members, err := fold(ctx, naming, fresh)
	if err != nil {
		return err
	}
	ts := interval.String()
	return s.insert.member.insert(ctx, tx, len(members), func(values []any, i int) []any {
		m := members[i]
		v := m.values()
		return append(append(values, ts, m.scope, m.project, m.machine, m.user), v[:]...)
	})
}

// putHomes makes the group of a user's newest usage the user's present group,
// by which v_group_totals adds up, whatever order intervals arrive in. What is
// nobody's is a group of its own.
func (s *Store) putHomes(ctx context.Context, naming *naming, rec usage.Record, sums totals) error {
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
