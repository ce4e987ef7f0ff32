// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Estimate fills the gaps of active workspaces: an answered interval that has nothing for a
// host, after one that has, gets the mean usage per piece of hosts of that machine type. If
// none of that type was seen, there is no estimate. Facts do not include estimates, and real
// usage that arrives later replaces them. The gaps are looked for before the write lock is
// taken, because mostly there are none.
func (s *Store) Estimate(ctx context.Context) error {
	var holes []hole
	look := func(tx *sqlite.Tx) (err error) {
		holes, err = findHoles(ctx, tx)
		return err
	}
	if err := s.read(ctx, look); err != nil || len(holes) == 0 {
		return err
	}
	return s.write(ctx, func(tx *sqlite.Tx) error {
		if err := look(tx); err != nil {
			return err
		}
		means, err := readMeans(ctx, tx)
		if err != nil {
			return err
		}
		var rows []hostRow
		for _, h := range holes {
			mean, ok := means[h.machine]
			if !ok {
				continue
			}
			for _, piece := range h.Pieces() {
				rows = append(rows, hostRow{
					start: piece.Start.Unix(), instance: h.instance, until: piece.End().Unix(),
					machine: h.machine, amounts: mean, estimated: true,
				})
			}
		}
		return s.putHostRows(ctx, tx, oneEach(rows))
	})
}

// hole is an interval without usage of a host.
type hole struct {
	usage.Interval
	instance, machine int64
}

// trail is what was seen of an active host.
type trail struct {
	instance, machine int64
	started           int64
	last              int // index of the newest interval that has it; -1: none yet
}

// findHoles follows all hosts through the intervals in one pass.
func findHoles(ctx context.Context, tx *sqlite.Tx) (holes []hole, err error) {
	trails, err := readTrails(ctx, tx)
	if err != nil || len(trails) == 0 {
		return nil, err
	}
	answered, err := readAnswered(ctx, tx)
	if err != nil {
		return nil, err
	}
	skip := func(t *trail, until int) {
		for t.last++; t.last < until; t.last++ {
			holes = append(holes, hole{answered[t.last], t.instance, t.machine})
		}
	}
	here := 0
	err = each(ctx, tx, "SELECT start, instance_id, until FROM workspace_usage ORDER BY start", nil, func(rows *sql.Rows) error {
		var start, instance, until int64
		if err := rows.Scan(&start, &instance, &until); err != nil {
			return err
		}
		for here < len(answered) && answered[here].End().Unix() <= start {
			here++
		}
		t := trails[instance]
		switch {
		case here == len(answered), start < answered[here].Start.Unix(), t == nil, t.last == here:
		case t.last >= 0:
			skip(t, here)
		case until > t.started:
			t.last = here
		}
		return nil
	})
	for _, t := range trails {
		if t.last >= 0 {
			skip(t, len(answered))
		}
	}
	return holes, err
}

// readTrails returns the active hosts. A shared host began with its first user.
func readTrails(ctx context.Context, tx *sqlite.Tx) (map[int64]*trail, error) {
	trails := map[int64]*trail{}
	err := each(ctx, tx, `SELECT instance_id, min(machine_id), min(unixepoch(started_at))
		FROM active_workspace GROUP BY instance_id`, nil, func(rows *sql.Rows) error {
		t := &trail{last: -1}
		err := rows.Scan(&t.instance, &t.machine, &t.started)
		trails[t.instance] = t
		return err
	})
	return trails, err
}

func readAnswered(ctx context.Context, tx *sqlite.Tx) (intervals []usage.Interval, err error) {
	err = each(ctx, tx, "SELECT start, seconds FROM usage_interval WHERE state <> 'missing' ORDER BY start", nil, func(rows *sql.Rows) error {
		var start, seconds int64
		err := rows.Scan(&start, &seconds)
		intervals = append(intervals, usage.Interval{Start: unix(start), Length: time.Duration(seconds) * time.Second})
		return err
	})
	return intervals, err
}

// readMeans returns what a host uses in a piece on average, by machine type.
func readMeans(ctx context.Context, tx *sqlite.Tx) (map[int64]amounts, error) {
	means := map[int64]amounts{}
	err := each(ctx, tx, `SELECT machine_id, avg(busy_cpu), avg(idle_cpu), avg(busy), avg(idle), avg(measured) FROM (
			SELECT min(machine_id) AS machine_id, sum(busy_cpu_seconds) AS busy_cpu, sum(idle_cpu_seconds) AS idle_cpu,
				sum(busy_kwh) AS busy, sum(idle_kwh) AS idle, sum(measured_kwh) AS measured
			FROM workspace_usage WHERE estimated = 0 GROUP BY start, instance_id)
		GROUP BY machine_id`, nil, func(rows *sql.Rows) error {
		var machine int64
		var mean amounts
		err := rows.Scan(append(append([]any{&machine}, mean.columns()...), &mean.energy.Measured)...)
		means[machine] = mean
		return err
	})
	return means, err
}
