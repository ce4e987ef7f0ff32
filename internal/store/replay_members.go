package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// ReplayMembers gives every row of fact_usage of the intervals that begin in a period, in
// the order of time, scope and name, all as of one moment: also of those whose facts
// are not kept any more.
func (s *Store) ReplayMembers(ctx context.Context, p usage.Period, f func(usage.Member) error) error {
	return s.read(ctx, func(tx *sqlite.Tx) error {
		names, err := readMemberNames(ctx, tx)
		if err != nil {
			return err
		}
		intervals, err := s.withUsage(ctx, tx, p)
		if err != nil {
			return err
		}
		for _, i := range intervals {
			members, err := readMembers(ctx, tx, i, names)
			if err != nil {
				return err
			}
			for _, m := range members {
				if err := f(m); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// memberNames are what projects and machine types are called, by id: to look them up
// with each of millions of rows takes longer than to read those.
type memberNames struct{ projects, machines map[int64]string }

func readMemberNames(ctx context.Context, tx *sqlite.Tx) (memberNames, error) {
	n := memberNames{projects: map[int64]string{}, machines: map[int64]string{}}
	for query, to := range map[string]map[int64]string{
		"SELECT project_id, cloud_project_name FROM dim_project": n.projects, "SELECT machine_id, machine_name FROM dim_machine": n.machines,
	} {
		if err := each(ctx, tx, query, nil, func(rows *sql.Rows) error {
			var id int64
			var name string
			err := rows.Scan(&id, &name)
			to[id] = name
			return err
		}); err != nil {
			return n, err
		}
	}
	return n, nil
}

// readMembers gives the rows of one interval in order.
func readMembers(ctx context.Context, tx *sqlite.Tx, i usage.Interval, names memberNames) (all []usage.Member, err error) {
	var state usage.State
	if err := tx.QueryRowContext(ctx, "SELECT state FROM usage_interval WHERE start = ?", i.Start.Unix()).Scan(&state); err != nil {
		return nil, err
	}
	err = each(ctx, tx, `SELECT scope, coalesce(project_id, 0), coalesce(machine_id, 0), coalesce(user_id, scope),
		busy_cpu_seconds_total, idle_cpu_seconds_total, busy_kwh, idle_kwh, busy_gCo2eq, idle_gCo2eq, intensity_gCo2eq_kwh
		FROM fact_usage WHERE scope IN ('ada', 'project', 'machine', 'user') AND ts = ?`, []any{i.String()}, func(rows *sql.Rows) error {
		m := usage.Member{Interval: i, State: state}
		var project, machine int64
		var busy, idle, intensity *float64
		if err := rows.Scan(&m.Scope, &project, &machine, &m.Name, &m.CPU.Busy, &m.CPU.Idle, &m.Energy.Busy, &m.Energy.Idle,
			&busy, &idle, &intensity); err != nil {
			return err
		}
		switch m.Scope {
		case usage.ScopeProject:
			m.Name = names.projects[project]
		case usage.ScopeMachine:
			m.Name = names.machines[machine]
		}
		if busy != nil && idle != nil {
			m.Emissions = &usage.BusyIdle[usage.Grams]{Busy: usage.Grams(*busy), Idle: usage.Grams(*idle)}
		}
		m.Intensity = (*usage.GramsPerKWh)(intensity)
		all = append(all, m)
		return nil
	})
	place := map[usage.Scope]int{}
	for n, scope := range usage.Scopes() {
		place[scope] = n
	}
	slices.SortFunc(all, func(a, b usage.Member) int {
		return cmp.Or(cmp.Compare(place[a.Scope], place[b.Scope]), cmp.Compare(a.Name, b.Name))
	})
	return all, err
}
