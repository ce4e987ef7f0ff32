// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Members returns the names of everything a scope ever had, in order; none for ada.
func (s *Store) Members(ctx context.Context, scope usage.Scope) ([]string, error) {
	query, ok := map[usage.Scope]string{
		usage.ScopeProject: "SELECT cloud_project_name FROM dim_project ORDER BY 1",
		usage.ScopeMachine: "SELECT machine_name FROM dim_machine ORDER BY 1",
		usage.ScopeUser:    "SELECT user_id FROM dim_user ORDER BY 1",
		usage.ScopeGroup:   "SELECT group_name FROM dim_group ORDER BY 1",
	}[scope]
	if !ok {
		return nil, nil
	}
	var names []string
	err := each(ctx, s.reader, query, nil, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	})
	return names, err
}

// DisplayNames returns people's names, by id. They are for somebody who asks for them: no
// label, log line or page may contain them.
func (s *Store) DisplayNames(ctx context.Context) (map[string]string, error) {
	names := map[string]string{}
	err := each(ctx, s.reader, "SELECT user_id, display_name FROM dim_user WHERE display_name IS NOT NULL", nil, func(rows *sql.Rows) error {
		var id, name string
		err := rows.Scan(&id, &name)
		names[id] = name
		return err
	})
	return names, err
}

// ProjectUsage returns what a project used in an interval, from fact_usage, which is kept when
// per-key rows are deleted; used is false if it used nothing. If those rows were deleted, too, it
// returns usage.ErrPruned.
func (s *Store) ProjectUsage(ctx context.Context, project string, i usage.Interval) (t usage.Tally, used bool, err error) {
	t = usage.Tally{Name: project, Period: usage.Period{From: i.Start, To: i.End()}}
	err = each(ctx, s.reader, `SELECT busy_cpu_seconds_total, idle_cpu_seconds_total, busy_kwh, idle_kwh, busy_gCo2eq, idle_gCo2eq,
		measured_kwh, coalesce(measured_gCo2eq, 0)
		FROM fact_usage f JOIN dim_project p USING (project_id) WHERE f.scope = 'project' AND f.ts = ? AND p.cloud_project_name = ?`,
		[]any{i.String(), project}, func(rows *sql.Rows) error {
			var busy, idle *usage.Grams
			var measured usage.Grams
			if err := rows.Scan(&t.CPU.Busy, &t.CPU.Idle, &t.Energy.Busy, &t.Energy.Idle, &busy, &idle, &t.Energy.Measured, &measured); err != nil {
				return err
			}
			used = true
			if t.Priced = busy != nil && idle != nil; t.Priced {
				t.Emissions = usage.ByMode[usage.Grams]{Busy: *busy, Idle: *idle, Measured: measured}
			}
			return nil
		})
	if err != nil {
		return t, false, fmt.Errorf("interval %s: store: %w", i, err)
	}
	if used {
		return t, true, nil
	}
	from, err := s.MembersFrom(ctx)
	if err == nil && i.Start.Before(from) {
		err = usage.ErrPruned
	}
	if err != nil {
		return t, false, fmt.Errorf("interval %s: store: %w", i, err)
	}
	return t, false, nil
}

// Coverage returns the CPU time of each project that was seen in the intervals that begin in a
// period, and the CPU time there was. A project whose cores are not known is left out.
func (s *Store) Coverage(ctx context.Context, p usage.Period) (map[string]usage.Coverage, error) {
	all := map[string]usage.Coverage{}
	err := each(ctx, s.reader, `SELECT p.cloud_project_name, c.seen, c.capacity
		FROM (SELECT project_id, sum(seen_cpu_seconds) AS seen, sum(capacity_cpu_seconds) AS capacity
			FROM interval_coverage WHERE start >= ? AND start < ? GROUP BY project_id) c
		JOIN dim_project p ON p.project_id = c.project_id`, []any{p.From.Unix(), p.To.Unix()}, func(rows *sql.Rows) error {
		var project string
		var c usage.Coverage
		err := rows.Scan(&project, &c.Seen, &c.Capacity)
		all[project] = c
		return err
	})
	return all, err
}

// ReplayMembers calls f for every row of fact_usage of the intervals that begin in a period, in
// order of time, scope and name, as of one moment. It includes intervals whose per-key rows
// were deleted.
func (s *Store) ReplayMembers(ctx context.Context, p usage.Period, f func(usage.Member) error) error {
	return s.read(ctx, func(tx *sqlite.Tx) error {
		names, err := readMemberNames(ctx, tx)
		if err != nil {
			return err
		}
		intervals, err := withUsage(ctx, tx, p)
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

// memberNames are the names of projects and machine types, by id: joining them to millions of
// rows takes longer than reading the rows.
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

// readMembers returns the rows of one interval, in order.
func readMembers(ctx context.Context, tx *sqlite.Tx, i usage.Interval, names memberNames) (all []usage.Member, err error) {
	var state usage.State
	if err := tx.QueryRowContext(ctx, "SELECT state FROM usage_interval WHERE start = ?", i.Start.Unix()).Scan(&state); err != nil {
		return nil, err
	}
	err = each(ctx, tx, `SELECT scope, coalesce(project_id, 0), coalesce(machine_id, 0), coalesce(user_id, scope),
		busy_cpu_seconds_total, idle_cpu_seconds_total, busy_kwh, idle_kwh, busy_gCo2eq, idle_gCo2eq, intensity_gCo2eq_kwh,
		measured_kwh, coalesce(measured_gCo2eq, 0)
		FROM fact_usage WHERE scope IN ('ada', 'project', 'machine', 'user') AND ts = ?`, []any{i.String()}, func(rows *sql.Rows) error {
		m := usage.Member{Interval: i, State: state}
		var project, machine int64
		var busy, idle, intensity *float64
		var measured usage.Grams
		if err := rows.Scan(&m.Scope, &project, &machine, &m.Name, &m.CPU.Busy, &m.CPU.Idle, &m.Energy.Busy, &m.Energy.Idle,
			&busy, &idle, &intensity, &m.Energy.Measured, &measured); err != nil {
			return err
		}
		switch m.Scope {
		case usage.ScopeProject:
			m.Name = names.projects[project]
		case usage.ScopeMachine:
			m.Name = names.machines[machine]
		}
		if busy != nil && idle != nil {
			m.Emissions = &usage.ByMode[usage.Grams]{Busy: usage.Grams(*busy), Idle: usage.Grams(*idle), Measured: measured}
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
