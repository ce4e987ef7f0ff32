// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// attendanceValues are what usage_interval says of hosts; all NULL if nothing is known of them.
type attendanceValues struct{ doubts, final, unlisted any }

func attendanceColumns(a *usage.Attendance) (v attendanceValues, err error) {
	if a == nil {
		return v, nil
	}
	n := 0
	for _, hosts := range a.Doubtful {
		n += hosts
	}
	v.doubts, v.final = n, a.Final
	if len(a.Unlisted) > 0 {
		text, err := json.Marshal(a.Unlisted)
		if err != nil {
			return v, err
		}
		v.unlisted = string(text)
	}
	return v, nil
}

// putAttendance stores which hosts were there, and which of them are not exact.
func (s *Store) putAttendance(ctx context.Context, tx *sqlite.Tx, naming *naming, rec usage.Record) error {
	a := rec.Attendance
	if a == nil {
		return nil
	}
	start := rec.Interval.Start.Unix()
	ids, err := projectIDs(naming, a)
	if err != nil {
		return err
	}
	present := slices.Sorted(maps.Keys(a.Present))
	if err := s.insert.attendance.Write(ctx, tx, len(present), func(values []any, i int) []any {
		p := a.Present[present[i]]
		return append(values, start, ids[present[i]], p.Hosts, p.Cores)
	}); err != nil {
		return err
	}
	if len(a.Doubtful) == 0 {
		return nil
	}
	for kind, n := range a.Doubtful {
		if _, err := tx.ExecContext(ctx, "INSERT INTO interval_doubts VALUES (?, ?, ?, ?, ?)",
			start, ids[kind.Project], string(kind.State), string(kind.Reason), n); err != nil {
			return err
		}
	}
	return s.insert.doubt.Write(ctx, tx, len(a.Doubts), func(values []any, i int) []any {
		d := &a.Doubts[i]
		return append(values, start, ids[d.Project], d.Host, d.Machine, d.Cores, string(d.State), string(d.Reason), d.Detail)
	})
}

// projectIDs are the ids of all projects of an attendance.
func projectIDs(naming *naming, a *usage.Attendance) (map[string]int64, error) {
	ids := map[string]int64{}
	add := func(name string) (err error) {
		if _, ok := ids[name]; !ok {
			ids[name], err = naming.project(name)
		}
		return err
	}
	// In order, so that a new store numbers projects the same way each time.
	for _, name := range slices.Sorted(maps.Keys(a.Present)) {
		if err := add(name); err != nil {
			return nil, err
		}
	}
	kinds := slices.SortedFunc(maps.Keys(a.Doubtful), func(a, b usage.DoubtKind) int { return cmp.Compare(a.Project, b.Project) })
	for _, kind := range kinds {
		if err := add(kind.Project); err != nil {
			return nil, err
		}
	}
	for i := range a.Doubts {
		if err := add(a.Doubts[i].Project); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// readAttendance reads what putAttendance has stored. doubts is the column of usage_interval: of
// an interval whose hosts are all exact, only their numbers are read.
func readAttendance(ctx context.Context, db queryer, i usage.Interval, doubts int) (*usage.Attendance, error) {
	a := &usage.Attendance{Present: map[string]usage.Presence{}, Doubtful: map[usage.DoubtKind]int{}}
	start := []any{i.Start.Unix()}
	var final *bool
	var unlisted *string
	if err := db.QueryRowContext(ctx, "SELECT final, unlisted FROM usage_interval WHERE start = ?", start...).Scan(&final, &unlisted); err != nil {
		return nil, err
	}
	a.Final = final != nil && *final
	if unlisted != nil {
		if err := json.Unmarshal([]byte(*unlisted), &a.Unlisted); err != nil {
			return nil, err
		}
	}
	if err := readPresence(ctx, db, i, a.Present); err != nil || doubts == 0 {
		return a, err
	}
	if err := each(ctx, db, `SELECT p.cloud_project_name, d.state, d.reason, d.hosts
		FROM interval_doubts d JOIN dim_project p USING (project_id) WHERE d.start = ?`, start, func(rows *sql.Rows) error {
		var kind usage.DoubtKind
		var n int
		err := rows.Scan(&kind.Project, &kind.State, &kind.Reason, &n)
		a.Doubtful[kind] = n
		return err
	}); err != nil {
		return nil, err
	}
	err := each(ctx, db, `SELECT p.cloud_project_name, d.host, d.machine, d.cores, d.state, d.reason, d.detail
		FROM interval_doubt d JOIN dim_project p USING (project_id) WHERE d.start = ?`, start, func(rows *sql.Rows) error {
		var d usage.Doubt
		err := rows.Scan(&d.Project, &d.Host, &d.Machine, &d.Cores, &d.State, &d.Reason, &d.Detail)
		a.Doubts = append(a.Doubts, d)
		return err
	})
	usage.SortDoubts(a.Doubts)
	return a, err
}

func readPresence(ctx context.Context, db queryer, i usage.Interval, present map[string]usage.Presence) error {
	return each(ctx, db, `SELECT p.cloud_project_name, h.hosts, h.cores
		FROM interval_hosts h JOIN dim_project p USING (project_id) WHERE h.start = ?`, []any{i.Start.Unix()}, func(rows *sql.Rows) error {
		var project string
		var p usage.Presence
		err := rows.Scan(&project, &p.Hosts, &p.Cores)
		present[project] = p
		return err
	})
}

func readCoverage(ctx context.Context, db queryer, i usage.Interval, coverage map[string]usage.Coverage) error {
	return each(ctx, db, `SELECT p.cloud_project_name, c.seen_cpu_seconds, c.capacity_cpu_seconds
		FROM interval_coverage c JOIN dim_project p USING (project_id) WHERE c.start = ?`, []any{i.Start.Unix()}, func(rows *sql.Rows) error {
		var project string
		var c usage.Coverage
		err := rows.Scan(&project, &c.Seen, &c.Capacity)
		coverage[project] = c
		return err
	})
}

// Doubted lists the hosts that were not exact in intervals that begin in a period, those with the
// most intervals first, at most limit of them, and how many there are. Hosts whose details were
// deleted by retention, or that are beyond the first of very many, are not listed. The zero
// Period means all time; without states, intervals in any state count.
func (s *Store) Doubted(ctx context.Context, p usage.Period, states []usage.State, limit int) (all []usage.Doubted, n int, err error) {
	from, to := p.From.Unix(), p.To.Unix()
	if p == (usage.Period{}) {
		from, to = minStart, math.MaxInt64
	}
	wanted, err := json.Marshal(append([]usage.State{}, states...))
	if err != nil {
		return nil, 0, err
	}
	err = each(ctx, s.reader, `SELECT p.cloud_project_name, d.host, d.machine, d.cores, d.state, d.reason, d.detail,
			count(*) AS intervals, max(d.start), count(*) OVER () FROM interval_doubt d
		JOIN dim_project p USING (project_id) JOIN usage_interval i ON i.start = d.start
		WHERE d.start >= ?1 AND d.start < ?2 AND (?3 = '[]' OR i.state IN (SELECT value FROM json_each(?3)))
		GROUP BY d.project_id, d.host, d.machine, d.state, d.reason ORDER BY intervals DESC, 1, 2, 3, 5, 6 LIMIT ?4`,
		[]any{from, to, string(wanted), limit}, func(rows *sql.Rows) error {
			var d usage.Doubted
			var newest int64
			err := rows.Scan(&d.Project, &d.Host, &d.Machine, &d.Cores, &d.State, &d.Reason, &d.Detail, &d.Intervals, &newest, &n)
			d.Newest = unix(newest)
			all = append(all, d)
			return err
		})
	return all, n, err
}

// Found returns whether anything was ever found, and what is known if not.
func (s *Store) Found(ctx context.Context) (f usage.Found, err error) {
	err = s.read(ctx, func(tx *sqlite.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM usage_interval WHERE state IN ('unpriced', 'provisional', 'settled')),
			(SELECT count(*) FROM usage_interval WHERE state = 'empty')`).Scan(&f.Usage, &f.Empty); err != nil || f.Usage {
			return err
		}
		a, err := attended(ctx, tx)
		if a != nil {
			f.Attendance = a.Attendance
		}
		return err
	})
	return f, err
}

// attended is the newest interval that has usage, or in which hosts were there of which nothing
// is booked; nil if there is none.
func attended(ctx context.Context, tx *sqlite.Tx) (*usage.Attended, error) {
	var start, seconds int64
	var doubts *int
	err := tx.QueryRowContext(ctx, `SELECT start, seconds, doubts FROM usage_interval i
		WHERE state IN ('unpriced', 'provisional', 'settled')
			OR state = 'empty' AND EXISTS (SELECT 1 FROM interval_hosts h WHERE h.start = i.start)
		ORDER BY start DESC LIMIT 1`).Scan(&start, &seconds, &doubts)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a := &usage.Attended{
		Interval: usage.Interval{Start: unix(start), Length: time.Duration(seconds) * time.Second},
		Coverage: map[string]usage.Coverage{},
	}
	if doubts != nil {
		if a.Attendance, err = readAttendance(ctx, tx, a.Interval, *doubts); err != nil {
			return nil, err
		}
	}
	return a, readCoverage(ctx, tx, a.Interval, a.Coverage)
}
