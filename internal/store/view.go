// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// View is the store as of one moment: everything read from it is consistent. It must not be
// used after the call that provided it.
type View struct {
	store  *Store
	tx     *sqlite.Tx
	naming *naming
}

// View calls f with a view, in one transaction. Writers do not wait for it.
func (s *Store) View(ctx context.Context, f func(*View) error) error {
	return s.read(ctx, func(tx *sqlite.Tx) error {
		naming, err := s.names.in(ctx, tx)
		if err != nil {
			return err
		}
		return f(&View{store: s, tx: tx, naming: naming})
	})
}

// alone reads one thing in a view of its own.
func alone[T any](ctx context.Context, s *Store, read func(*View, context.Context) (T, error)) (got T, err error) {
	err = s.View(ctx, func(v *View) error {
		got, err = read(v, ctx)
		return err
	})
	return got, err
}

// Summary is View.Summary, now.
func (s *Store) Summary(ctx context.Context) (usage.Summary, error) {
	return alone(ctx, s, (*View).Summary)
}

// Active is View.Active, now.
func (s *Store) Active(ctx context.Context) ([]usage.ActiveUsage, error) {
	return alone(ctx, s, (*View).Active)
}

// Shown is View.Shown, now.
func (s *Store) Shown(ctx context.Context) (usage.Shown, error) { return alone(ctx, s, (*View).Shown) }

// Accounts is View.Accounts, now.
func (s *Store) Accounts(ctx context.Context, periods ...usage.Period) ([]Account, error) {
	return alone(ctx, s, func(v *View, ctx context.Context) ([]Account, error) { return v.Accounts(ctx, periods...) })
}

// Summary returns the totals over all intervals.
func (v *View) Summary(ctx context.Context) (sum usage.Summary, err error) {
	sum.States = map[usage.State]int{}
	all := make(totals, v.naming.count())
	if err := all.readInto(ctx, v.tx, "SELECT sums, more FROM usage_total WHERE id = 1"); err != nil {
		return sum, err
	}
	if sum.Totals, err = all.list(ctx, v.naming); err != nil {
		return sum, err
	}
	if sum.Held, err = holdCounters(ctx, v.tx, v.naming, all, sum.Totals); err != nil {
		return sum, err
	}
	if err := countStates(ctx, v.tx, &sum); err != nil {
		return sum, err
	}
	if sum.Machines, err = machines(ctx, v.tx); err != nil {
		return sum, err
	}
	if sum.Newest, err = newest(ctx, v.tx, v.naming); err != nil {
		return sum, err
	}
	sum.Attended, err = attended(ctx, v.tx)
	return sum, err
}

// list returns the sums in order of their keys.
func (t totals) list(ctx context.Context, naming *naming) ([]usage.Total, error) {
	used := 0
	for id, r := range t {
		if r.rows == 0 {
			continue
		}
		if _, err := naming.keyOf(ctx, id); err != nil {
			return nil, err
		}
		used++
	}
	all := make([]usage.Total, 0, used)
	err := naming.inOrder(ctx, used, func(id int64) bool {
		r := t[id]
		return r != nil && r.rows > 0
	}, func(id int64, k usage.Key) { all = append(all, t[id].total(k)) })
	return all, err
}

// holdCounters raises the settled sums to what the counters have shown before. It returns what those
// have shown that have no usage any more: sums over keys that leave it out would fall.
func holdCounters(ctx context.Context, tx *sqlite.Tx, naming *naming, sums totals, totals []usage.Total) (held []usage.Total, err error) {
	floors, err := readFloors(ctx, tx)
	if err != nil || len(floors) == 0 {
		return nil, err
	}
	byKey := map[usage.Key]floor{}
	for id, f := range floors {
		k, err := naming.keyOf(ctx, id)
		if err != nil {
			return nil, err
		}
		if r := sums[id]; r != nil && r.rows > 0 {
			byKey[k.Key] = f
			continue
		}
		held = append(held, usage.Total{
			Key: k.Key, SettledEnergy: f.energy, SettledEmissions: f.emissions, SettledEmbodied: f.embodied,
		})
	}
	for i := range totals {
		t := &totals[i]
		f := byKey[t.Key]
		held := f.over(floor{t.SettledEnergy, t.SettledEmissions, t.SettledEmbodied})
		t.SettledEnergy, t.SettledEmissions, t.SettledEmbodied = held.energy, held.emissions, held.embodied
	}
	slices.SortFunc(held, func(a, b usage.Total) int { return a.Compare(b.Key) })
	return held, nil
}

func machines(ctx context.Context, tx *sqlite.Tx) (names []string, err error) {
	err = each(ctx, tx, "SELECT machine_name FROM dim_machine ORDER BY machine_name", nil, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	})
	return names, err
}

func countStates(ctx context.Context, tx *sqlite.Tx, sum *usage.Summary) error {
	for _, state := range usage.States() {
		sum.States[state] = 0
	}
	if err := each(ctx, tx, "SELECT state, count(*) FROM usage_interval GROUP BY state", nil, func(rows *sql.Rows) error {
		var state usage.State
		var n int
		err := rows.Scan(&state, &n)
		sum.States[state] = n
		return err
	}); err != nil {
		return err
	}
	return tx.QueryRowContext(ctx, "SELECT total(kwh) FROM usage_interval WHERE state = 'unpriced'").Scan(&sum.Unpriced)
}

func newest(ctx context.Context, tx *sqlite.Tx, naming *naming) (*usage.Newest, error) {
	var start, seconds int64
	err := tx.QueryRowContext(ctx, `SELECT start, seconds FROM usage_interval
		WHERE state IN ('unpriced', 'provisional', 'settled') ORDER BY start DESC LIMIT 1`).Scan(&start, &seconds)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	n := &usage.Newest{
		Interval: usage.Interval{Start: unix(start), Length: time.Duration(seconds) * time.Second},
	}
	n.Usage, err = usageOf(ctx, tx, naming, n.Interval)
	return n, err
}

// usageOf returns the usage of one interval by key, ordered.
func usageOf(ctx context.Context, tx *sqlite.Tx, naming *naming, i usage.Interval) ([]usage.KeyUsage, error) {
	c := content{}
	var err error
	if c.prices, err = readPrices(ctx, tx, i); err != nil {
		return nil, err
	}
	var beside besides
	if more, err := hasBeside(ctx, tx, i); err != nil {
		return nil, err
	} else if more {
		if beside, err = readBesides(ctx, tx, i.Start.Unix(), i.End().Unix()); err != nil {
			return nil, err
		}
	}
	byKey := make(map[int64]*usage.KeyUsage, naming.count())
	var r row
	columns := []any{&r.start, &r.key, &r.energy.Busy, &r.energy.Idle}
	if err := each(ctx, tx, "SELECT start, key_id, busy_kwh, idle_kwh FROM usage_fact WHERE start >= ? AND start < ?", span(i), func(rows *sql.Rows) error {
		if err := rows.Scan(columns...); err != nil {
			return err
		}
		r.beside, r.energy.Measured = nil, 0
		beside.complete(&r)
		u := byKey[r.key]
		if u == nil {
			k, err := naming.keyOf(ctx, r.key)
			if err != nil {
				return err
			}
			u = &usage.KeyUsage{Key: k.Key, Priced: len(c.prices) > 0}
			byKey[r.key] = u
		}
		u.Energy = u.Energy.Plus(r.energy)
		if price := c.price(r.start); price != nil {
			u.Emissions = u.Emissions.Plus(r.at(*price))
		}
		return nil
	}); err != nil {
		return nil, err
	}
	all := make([]usage.KeyUsage, 0, len(byKey))
	err = naming.inOrder(ctx, len(byKey), func(id int64) bool { return byKey[id] != nil }, func(id int64, _ usage.Key) {
		all = append(all, *byKey[id])
	})
	return all, err
}

const (
	// sightedFor is how far back sightings go.
	sightedFor = 14 * day
	// present is the time before the newest interval's end in which a project must have had
	// usage to count as present.
	present = time.Hour
)

// Sightings returns the days on which projects had usage and which labels their series had,
// then and now. Days without any answer are left out.
func (v *View) Sightings(ctx context.Context) (usage.Sightings, error) {
	all := usage.Sightings{Now: map[string]usage.LabelPresence{}}
	var end *int64
	if err := v.tx.QueryRowContext(ctx, "SELECT max(start + seconds) FROM usage_interval WHERE state <> 'missing'").Scan(&end); err != nil || end == nil {
		return all, err
	}
	all.Newest = unix(*end)
	if err := each(ctx, v.tx, `SELECT p.cloud_project_name, l.project, l.machine, l.host, l.user
			FROM interval_labels l JOIN dim_project p ON p.project_id = l.project_id WHERE l.start >= ? ORDER BY l.start`,
		[]any{all.Newest.Add(-max(present, v.store.length)).Unix()}, func(rows *sql.Rows) error {
			var project string
			var l usage.LabelPresence
			err := rows.Scan(&project, &l.Project, &l.Machine, &l.Host, &l.User)
			all.Now[project] = l // the newest interval wins
			return err
		}); err != nil {
		return all, err
	}
	return all, each(ctx, v.tx, `WITH whole AS (
				SELECT start / 86400 AS day, count(*) AS intervals FROM usage_interval
				WHERE start >= ?1 AND state IN ('unpriced', 'provisional', 'settled') GROUP BY 1)
			SELECT p.cloud_project_name, w.day * 86400, max(l.start), count(*) * 1.0 / w.intervals,
				min(l.project), min(l.machine), min(l.host), max(l.user)
			FROM interval_labels l JOIN dim_project p ON p.project_id = l.project_id JOIN whole w ON w.day = l.start / 86400
			WHERE l.start >= ?1 GROUP BY l.project_id, w.day ORDER BY 1, 2`,
		[]any{usage.FloorEpoch(all.Newest.Add(-sightedFor), day).Unix()}, func(rows *sql.Rows) error {
			var d usage.Sighting
			var at, last int64
			err := rows.Scan(&d.Project, &at, &last, &d.Share, &d.LabelPresence.Project, &d.Machine, &d.Host, &d.User)
			d.Day, d.Last = unix(at), unix(last)
			all.Days = append(all.Days, d)
			return err
		})
}
