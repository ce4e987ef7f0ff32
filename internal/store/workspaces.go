// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// SaveActive replaces the list of active workspaces. A workspace that continues keeps its row.
// One with an unknown start (zero) began when its user was first seen on the host; a new one
// begins at now. Usage by host of hosts that left is deleted: it is in the facts, too.
func (s *Store) SaveActive(ctx context.Context, active []usage.Active, now time.Time) error {
	naming := (*naming)(nil)
	err := s.write(ctx, func(tx *sqlite.Tx) (err error) {
		if naming, err = s.names.in(ctx, tx); err != nil {
			return err
		}
		gone, seen, err := readWorkspaces(ctx, tx)
		if err != nil {
			return err
		}
		kept := map[workspace]bool{}
		for _, a := range active {
			w, err := naming.workspace(a, seen, now)
			if err != nil {
				return err
			}
			if !kept[w] {
				if err := putWorkspace(ctx, tx, naming, w, gone[w], a.Group); err != nil {
					return err
				}
			}
			kept[w] = true
			delete(gone, w)
		}
		return removeWorkspaces(ctx, tx, gone)
	})
	if err == nil {
		naming.keep()
	}
	return err
}

// workspace is the identity of an active workspace.
type workspace struct {
	occupancy
	machine, project int64
	started          int64
}

// occupancy is a user on a host.
type occupancy struct {
	instance int64
	user     string
}

// readWorkspaces returns the ids of the active workspaces, and since when each user is on each
// host.
func readWorkspaces(ctx context.Context, tx *sqlite.Tx) (ids map[workspace]int64, seen map[occupancy]int64, err error) {
	ids, seen = map[workspace]int64{}, map[occupancy]int64{}
	err = each(ctx, tx, `SELECT workspace_id, instance_id, coalesce(user_id, ?), machine_id, coalesce(project_id, 0), unixepoch(started_at)
		FROM active_workspace`, []any{usage.Unattributed}, func(rows *sql.Rows) error {
		var id int64
		var w workspace
		if err := rows.Scan(&id, &w.instance, &w.user, &w.machine, &w.project, &w.started); err != nil {
			return err
		}
		ids[w] = id
		if since, ok := seen[w.occupancy]; !ok || w.started < since {
			seen[w.occupancy] = w.started
		}
		return nil
	})
	return ids, seen, err
}

func (g *naming) workspace(a usage.Active, seen map[occupancy]int64, now time.Time) (w workspace, err error) {
	w.user = g.whose(a.User)
	if w.instance, err = g.instance(a.Host); err != nil {
		return w, err
	}
	if w.machine, err = g.machine(a.Machine); err != nil {
		return w, err
	}
	if w.project, err = g.project(a.Project); err != nil {
		return w, err
	}
	if since, ok := seen[w.occupancy]; ok {
		w.started = since
	} else {
		w.started = now.Unix()
	}
	if !a.Started.IsZero() {
		w.started = a.Started.Unix()
	}
	return w, g.user(w.user)
}

// putWorkspace writes a workspace and its group, or only a new group. id is 0 for a new
// workspace.
func putWorkspace(ctx context.Context, tx *sqlite.Tx, naming *naming, w workspace, id int64, group string) error {
	groupID, err := naming.group(group)
	if err != nil {
		return err
	}
	if id == 0 {
		if err := tx.QueryRowContext(ctx, `INSERT INTO active_workspace(instance_id, machine_id, user_id, project_id, started_at)
			VALUES (?, ?, ?, ?, ?) RETURNING workspace_id`,
			w.instance, w.machine, w.user, w.project, unix(w.started).Format(time.RFC3339)).Scan(&id); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO active_group VALUES (?, ?)
		ON CONFLICT DO UPDATE SET group_id = excluded.group_id WHERE group_id <> excluded.group_id`, id, groupID)
	return err
}

// removeWorkspaces also deletes usage of hosts that are not active, which a backfill may have
// stored.
func removeWorkspaces(ctx context.Context, tx *sqlite.Tx, gone map[workspace]int64) error {
	for _, id := range gone {
		if _, err := tx.ExecContext(ctx, "DELETE FROM active_workspace WHERE workspace_id = ?", id); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM workspace_usage WHERE instance_id NOT IN (SELECT instance_id FROM active_workspace)")
	_, more := tx.ExecContext(ctx, "DELETE FROM workspace_beside WHERE instance_id NOT IN (SELECT instance_id FROM active_workspace)")
	return errors.Join(err, more)
}

// Active returns the active workspaces and what their hosts have used since they began, by
// host. If several users share a host, each workspace gets all of its usage.
func (v *View) Active(ctx context.Context) ([]usage.ActiveUsage, error) {
	var all []usage.ActiveUsage
	err := each(ctx, v.tx, `
		WITH workspace AS MATERIALIZED (
			SELECT workspace_id, instance_id, unixepoch(started_at) AS started FROM active_workspace),
		used AS MATERIALIZED (
			SELECT w.workspace_id, sum(u.busy_kwh) AS busy, sum(u.idle_kwh) AS idle, sum(u.measured_kwh) AS measured,
				sum(u.busy_kwh * c.gco2eq_per_kwh) AS busy_grams, sum(u.idle_kwh * c.gco2eq_per_kwh) AS idle_grams,
				sum(u.measured_kwh * c.gco2eq_per_kwh) AS measured_grams,
				sum(u.estimated * (u.busy_kwh + u.idle_kwh + u.measured_kwh)) AS estimated
			FROM workspace_usage u JOIN workspace w ON w.instance_id = u.instance_id AND u.until > w.started
			LEFT JOIN interval_price c ON c.start = u.start GROUP BY w.workspace_id)
		SELECT coalesce(i.raw_label, i.host), coalesce(p.cloud_project_name, ?), m.machine_name, coalesce(a.user_id, ?), coalesce(g.group_name, ?),
			w.started, coalesce(u.busy, 0), coalesce(u.idle, 0), coalesce(u.measured, 0),
			u.busy_grams, u.idle_grams, coalesce(u.measured_grams, 0), coalesce(u.estimated, 0)
		FROM active_workspace a JOIN workspace w USING (workspace_id)
		JOIN dim_instance i ON i.instance_id = a.instance_id JOIN dim_machine m ON m.machine_id = a.machine_id
		LEFT JOIN dim_project p ON p.project_id = a.project_id
		LEFT JOIN active_group ag ON ag.workspace_id = a.workspace_id LEFT JOIN dim_group g ON g.group_id = ag.group_id
		LEFT JOIN used u ON u.workspace_id = a.workspace_id
		ORDER BY 1, 2, 3, 4, 5, 6`, []any{usage.Unknown, usage.Unattributed, usage.Unattributed}, func(rows *sql.Rows) error {
		var a usage.ActiveUsage
		var started int64
		var busy, idle *float64
		var measured usage.Grams
		if err := rows.Scan(&a.Host, &a.Project, &a.Machine, &a.User, &a.Group, &started,
			&a.Energy.Busy, &a.Energy.Idle, &a.Energy.Measured, &busy, &idle, &measured, &a.Estimated); err != nil {
			return err
		}
		a.Started = unix(started)
		if a.Priced = busy != nil; a.Priced {
			a.Emissions = usage.ByMode[usage.Grams]{Busy: usage.Grams(*busy), Idle: usage.Grams(*idle), Measured: measured}
		}
		all = append(all, a)
		return nil
	})
	return all, err
}

// hostPort splits a label such as 172.16.100.5:9100, [fd00::5]:9100 or vm7. port is nil if
// there is none.
func hostPort(label string) (host string, port any) {
	if h, p, err := net.SplitHostPort(label); err == nil {
		if n, err := strconv.ParseUint(p, 10, 16); err == nil {
			return h, int64(n)
		}
		return label, nil
	}
	if inner, ok := strings.CutPrefix(label, "["); ok && strings.HasSuffix(inner, "]") {
		return strings.TrimSuffix(inner, "]"), nil
	}
	return label, nil
}

// hostRow is the usage of one host in one stretch of a piece, as stored.
type hostRow struct {
	start, instance, until, machine int64
	amounts
	beside    *usage.Beside
	estimated bool
}

// putHosts replaces the usage by host of the record's interval, estimates included. A record
// without usage by host leaves it.
func (s *Store) putHosts(ctx context.Context, tx *sqlite.Tx, naming *naming, rec usage.Record) error {
	if rec.Hosts == nil {
		return nil
	}
	for _, query := range []string{
		"DELETE FROM workspace_usage WHERE start >= ? AND start < ?", "DELETE FROM workspace_beside WHERE start >= ? AND start < ?",
	} {
		if _, err := tx.ExecContext(ctx, query, span(rec.Interval)...); err != nil {
			return err
		}
	}
	rows := make([]hostRow, 0, len(rec.Hosts))
	for _, h := range rec.Hosts {
		instance, err := naming.instance(h.Host)
		if err != nil {
			return err
		}
		machine, err := naming.machine(h.Machine)
		if err != nil {
			return err
		}
		rows = append(rows, hostRow{
			start: h.Start.Unix(), instance: instance, until: h.Until.Unix(), machine: machine,
			amounts: amounts{h.CPU, h.Energy}, beside: h.Beside,
		})
	}
	return s.putHostRows(ctx, tx, oneEach(rows))
}

// oneEach sorts rows in the order of the table and adds up those of one stretch, which several
// series of one host can have.
func oneEach(rows []hostRow) []hostRow {
	slices.SortStableFunc(rows, func(a, b hostRow) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.instance, b.instance), cmp.Compare(a.until, b.until))
	})
	var merged []hostRow
	for _, r := range rows {
		if n := len(merged); n > 0 && merged[n-1].start == r.start && merged[n-1].instance == r.instance && merged[n-1].until == r.until {
			merged[n-1].plus(r.amounts)
			merged[n-1].beside = usage.Together(merged[n-1].beside, r.beside)
			continue
		}
		merged = append(merged, r)
	}
	return merged
}

func (s *Store) putHostRows(ctx context.Context, tx *sqlite.Tx, rows []hostRow) error {
	for i := range rows {
		r := &rows[i]
		if b := r.beside; b != nil && (b.Metered != (usage.Metered{}) || b.Memory != 0 || b.MemoryEnergy != 0) {
			if _, err := tx.ExecContext(ctx, "INSERT INTO workspace_beside VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", r.start, r.instance, r.until,
				float64(b.Metered.CPU.Busy), float64(b.Metered.CPU.Idle), float64(b.Metered.Energy.Busy), float64(b.Metered.Energy.Idle),
				float64(b.Memory), float64(b.MemoryEnergy)); err != nil {
				return err
			}
		}
	}
	return s.insert.host.Write(ctx, tx, len(rows), func(to []any, i int) []any {
		r := &rows[i]
		return append(to, r.start, r.instance, r.until, r.machine,
			float64(r.cpu.Busy), float64(r.cpu.Idle), float64(r.energy.Busy), float64(r.energy.Idle), r.estimated, float64(r.energy.Measured))
	})
}
