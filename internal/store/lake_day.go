// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// changedDays returns the local dates of the intervals that changed after a revision.
func (s *Store) changedDays(ctx context.Context, tx *sqlite.Tx, since int64) (map[string]bool, error) {
	changed := map[string]bool{}
	if since == 0 {
		return changed, nil
	}
	err := each(ctx, tx, "SELECT start FROM usage_interval WHERE revision IS NOT NULL AND revision > ?", []any{since}, func(rows *sql.Rows) error {
		var start int64
		err := rows.Scan(&start)
		changed[unix(start).In(s.zone).Format(time.DateOnly)] = true
		return err
	})
	return changed, err
}

// readLakeDay reads what there is of a day: the intervals that begin in it.
func (s *Store) readLakeDay(ctx context.Context, tx *sqlite.Tx, date string, day usage.Period) (d usage.LakeDay, err error) {
	d = usage.LakeDay{Period: day, Date: date, Seconds: int64(s.length / time.Second)}
	next := usage.FloorEpoch(day.From.Add(s.length-time.Second), s.length) // the first that begins in the day
	hole := func(from, to time.Time, state usage.State) {
		if n := len(d.Holes); n > 0 && d.Holes[n-1].To.Equal(from) && d.Holes[n-1].State == state {
			d.Holes[n-1].To = to
			d.Holes[n-1].Intervals++
			return
		}
		d.Holes = append(d.Holes, usage.Gap{Period: usage.Period{From: from, To: to}, State: state, Intervals: 1})
	}
	unknownUntil := func(t time.Time) {
		for ; next.Before(t); next = next.Add(s.length) {
			hole(next, next.Add(s.length), usage.Missing)
			d.Unknown++
		}
	}
	err = each(ctx, tx, `SELECT start, state, coalesce(revision, 0), retry_at IS NOT NULL, pruned
		FROM usage_interval
		WHERE start >= ? AND start < ? ORDER BY start`, []any{day.From.Unix(), day.To.Unix()}, func(rows *sql.Rows) error {
		var start, revision int64
		var state usage.State
		var due, pruned bool
		if err := rows.Scan(&start, &state, &revision, &due, &pruned); err != nil {
			return err
		}
		unknownUntil(unix(start))
		next = unix(start).Add(s.length)
		d.Revision = max(d.Revision, revision)
		switch {
		case state == usage.Settled:
			d.Settled++
		case due || state != usage.Empty && state != usage.Missing:
			d.Open++
		case state == usage.Empty:
			hole(unix(start), next, state)
			d.Empty++
		default:
			hole(unix(start), next, state)
			d.Unknown++
		}
		if pruned {
			d.Pruned++
		}
		return nil
	})
	unknownUntil(day.To)
	return d, err
}

// ReplayDay calls facts for every interval of a day that has usage, and members for every row that
// fact_usage has or had before it was pruned, in order of time, and returns the day, all as of one
// moment. If per-key rows of the day were deleted, it returns usage.ErrPruned.
func (s *Store) ReplayDay(ctx context.Context, day usage.Period, facts func(usage.Record) error, members func(usage.Member) error) (d usage.LakeDay, err error) {
	err = s.read(ctx, func(tx *sqlite.Tx) error {
		naming, err := s.names.in(ctx, tx)
		if err != nil {
			return err
		}
		names, err := readMemberNames(ctx, tx)
		if err != nil {
			return err
		}
		if d, err = s.readLakeDay(ctx, tx, day.From.In(s.zone).Format(time.DateOnly), day); err != nil {
			return err
		}
		starts, err := withUsage(ctx, tx, day)
		if err != nil {
			return err
		}
		for _, i := range starts {
			rec, err := readRecord(ctx, tx, naming, i)
			if err != nil {
				return fmt.Errorf("interval %s: store: %w", i, err)
			}
			if err := facts(rec); err != nil {
				return err
			}
			rows, err := readMembers(ctx, tx, i, names)
			if err == nil && len(rows) == 0 { // they were deleted, and another interval of the day was restated
				rows, err = foldMembers(ctx, tx, naming, i, names)
			}
			if err != nil {
				return err
			}
			for _, m := range rows {
				if err := members(m); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return d, err
}

// foldMembers returns the rows of fact_usage of an interval as they are when it is stored.
func foldMembers(ctx context.Context, tx *sqlite.Tx, naming *naming, i usage.Interval, names memberNames) (all []usage.Member, err error) {
	c, err := loadHead(ctx, tx, i)
	if err == nil {
		err = loadRows(ctx, tx, i, &c)
	}
	if err != nil {
		return nil, err
	}
	members, err := fold(ctx, naming, c)
	for _, m := range members {
		is := usage.Member{Interval: i, State: c.state, Scope: usage.Scope(m.scope), Name: m.scope, CPU: m.cpu.BusyIdle(), Energy: m.energy.ByMode()}
		switch id := m.id(); is.Scope {
		case usage.ScopeProject:
			is.Name = names.projects[id.project]
		case usage.ScopeMachine:
			is.Name = names.machines[id.machine]
		case usage.ScopeUser:
			is.Name = id.user
		}
		if m.priced {
			is.Emissions, is.Intensity = new(m.grams.ByMode()), new(m.intensity())
		}
		all = append(all, is)
	}
	return all, err
}
