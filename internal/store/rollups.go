// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const position = "coalesce((SELECT revision FROM follower WHERE name = ?), 0)"

// Rollups returns the intervals that changed since a follower's position, in order of their
// revisions, at most limit of them, each as it is now. A follower that replaces its copy of
// each interval ends up equal to the store. Intervals whose per-key rows were deleted are left
// out: Prune waits until the follower has them, and a follower that begins later does not get
// them.
func (s *Store) Rollups(ctx context.Context, follower string, limit int) ([]usage.Rollup, error) {
	var all []usage.Rollup
	err := s.read(ctx, func(tx *sqlite.Tx) error {
		naming, err := s.names.in(ctx, tx)
		if err != nil {
			return err
		}
		err = each(ctx, tx, `SELECT start, seconds, state, revision FROM usage_interval
			WHERE revision IS NOT NULL AND revision > `+position+` AND pruned = 0 ORDER BY revision LIMIT ?`,
			[]any{follower, limit}, func(rows *sql.Rows) error {
				var p usage.Rollup
				var start, seconds int64
				if err := rows.Scan(&start, &seconds, &p.State, &p.Revision); err != nil {
					return err
				}
				p.Interval = usage.Interval{Start: unix(start), Length: time.Duration(seconds) * time.Second}
				all = append(all, p)
				return nil
			})
		for i := range all {
			if err == nil {
				err = fill(ctx, tx, naming, &all[i])
			}
		}
		return err
	})
	return all, err
}

// fill adds up the facts of a rollup's interval by group and by user.
func fill(ctx context.Context, tx *sqlite.Tx, naming *naming, p *usage.Rollup) error {
	c, err := load(ctx, tx, p.Interval)
	if err != nil {
		return err
	}
	site := &member{priced: len(c.prices) > 0}
	groups, users := map[string]*member{}, map[string]*member{}
	for _, r := range c.rows {
		k, err := naming.keyOf(ctx, r.key)
		if err != nil {
			return err
		}
		price := c.price(r.start)
		site.add(r, price)
		for _, by := range []struct {
			members map[string]*member
			name    string
		}{{groups, k.Group}, {users, k.User}} {
			if by.members[by.name] == nil {
				by.members[by.name] = &member{priced: site.priced}
			}
			by.members[by.name].add(r, price)
		}
	}
	if site.priced {
		intensity := site.intensity()
		p.Intensity = &intensity
	}
	p.Groups, p.Users = rollupMembers(groups), rollupMembers(users)
	return nil
}

func rollupMembers(members map[string]*member) []usage.RollupMember {
	var all []usage.RollupMember
	for _, name := range slices.Sorted(maps.Keys(members)) {
		m := members[name]
		p := usage.RollupMember{Name: name, CPU: m.cpu.BusyIdle(), Energy: m.energy.ByMode()}
		if m.priced {
			grams := m.grams.ByMode()
			p.Emissions = &grams
		}
		all = append(all, p)
	}
	return all
}

// RollupsWritten moves a follower's position to a revision: it has that one and all before it.
// At 0 it gets everything again.
func (s *Store) RollupsWritten(ctx context.Context, follower string, revision int64) error {
	return s.write(ctx, func(tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO follower VALUES (?, ?)
			ON CONFLICT DO UPDATE SET revision = excluded.revision`, follower, revision)
		return err
	})
}

// RollupsPending counts the intervals that a follower does not have yet.
func (s *Store) RollupsPending(ctx context.Context, follower string) (n int, err error) {
	err = s.reader.QueryRowContext(ctx, `SELECT count(*) FROM usage_interval
		WHERE revision IS NOT NULL AND pruned = 0 AND revision > `+position, follower).Scan(&n)
	return n, err
}
