package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Members gives the names of all that a scope has ever had, in order; of ada there
// are none.
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

// DisplayNames gives what people are called, by id. It is for somebody who asks
// for it: no label, log line or page may have it.
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

// ProjectUsage gives what a project used in an interval, from the table that is
// kept when the facts at the grain of keys are not; false if it used nothing.
func (s *Store) ProjectUsage(ctx context.Context, project string, i usage.Interval) (t usage.Tally, used bool, err error) {
	t = usage.Tally{Name: project, Period: usage.Period{From: i.Start, To: i.End()}}
	err = each(ctx, s.reader, `SELECT busy_cpu_seconds_total, idle_cpu_seconds_total, busy_kwh, idle_kwh, busy_gCo2eq, idle_gCo2eq
		FROM fact_usage f JOIN dim_project p USING (project_id) WHERE f.scope = 'project' AND f.ts = ? AND p.cloud_project_name = ?`,
		[]any{i.String(), project}, func(rows *sql.Rows) error {
			var busy, idle *usage.Grams
			if err := rows.Scan(&t.CPU.Busy, &t.CPU.Idle, &t.Energy.Busy, &t.Energy.Idle, &busy, &idle); err != nil {
				return err
			}
			used = true
			if t.Priced = busy != nil && idle != nil; t.Priced {
				t.Emissions = usage.BusyIdle[usage.Grams]{Busy: *busy, Idle: *idle}
			}
			return nil
		})
	if err != nil {
		return t, false, fmt.Errorf("interval %s: store: %w", i, err)
	}
	return t, used, nil
}
