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
	sums, err := readAccounts(ctx, v.tx, v.store.zone)
	if err != nil {
		return sum, err
	}
	if sum.Totals, err = sums.all.list(ctx, v.naming); err != nil {
		return sum, err
	}
	if err := holdCounters(ctx, v.tx, v.naming, sum.Totals); err != nil {
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
	all := make([]usage.Total, 0, len(t))
	for id, r := range t {
		if r.rows == 0 {
			continue
		}
		k, err := naming.keyOf(ctx, id)
		if err != nil {
			return nil, err
		}
		all = append(all, r.total(k.Key))
	}
	slices.SortFunc(all, func(a, b usage.Total) int { return a.Compare(b.Key) })
	return all, nil
}

// holdCounters raises the settled sums to what the counters have shown before.
func holdCounters(ctx context.Context, tx *sqlite.Tx, naming *naming, totals []usage.Total) error {
	floors, err := readFloors(ctx, tx)
	if err != nil || len(floors) == 0 {
		return err
	}
	byKey := map[usage.Key]floor{}
	for id, f := range floors {
		k, err := naming.keyOf(ctx, id)
		if err != nil {
			return err
		}
		byKey[k.Key] = f
	}
	for i := range totals {
		t := &totals[i]
		f := byKey[t.Key]
		held := f.over(floor{t.SettledEnergy, t.SettledEmissions, t.SettledEmbodied})
		t.SettledEnergy, t.SettledEmissions, t.SettledEmbodied = held.energy, held.emissions, held.embodied
	}
	return nil
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
	c, err := load(ctx, tx, n.Interval)
	if err != nil {
		return nil, err
	}
	byKey := map[int64]*usage.KeyUsage{}
	for _, r := range c.rows {
		u := byKey[r.key]
		if u == nil {
			k, err := naming.keyOf(ctx, r.key)
			if err != nil {
				return nil, err
			}
			u = &usage.KeyUsage{Key: k.Key, Priced: len(c.prices) > 0}
			byKey[r.key] = u
		}
		u.Energy = u.Energy.Plus(r.energy)
		if price := c.price(r.start); price != nil {
			u.Emissions = u.Emissions.Plus(r.at(*price))
		}
	}
	for _, u := range byKey {
		n.Usage = append(n.Usage, *u)
	}
	slices.SortFunc(n.Usage, func(a, b usage.KeyUsage) int { return a.Compare(b.Key) })
	return n, nil
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
