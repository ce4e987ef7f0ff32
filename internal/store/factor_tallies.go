// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// FactorTallies returns what the members of a scope emitted in each period by sets of factors: by
// set, then by member. A member of which a set knows nothing is left out. Whole days of projects,
// groups and the site come from stored sums where these are those of the same sources; anything
// else is added up from the facts. If it takes per-key rows that were deleted, it returns
// usage.ErrPruned.
func (s *Store) FactorTallies(ctx context.Context, scope usage.Scope, sets []usage.FactorSet, periods ...usage.Period) ([]map[string]map[string]usage.FactorTally, error) {
	all := make([]map[string]map[string]usage.FactorTally, len(periods))
	err := s.View(ctx, func(v *View) error {
		known, err := readFactorSets(ctx, v.tx)
		if err != nil {
			return err
		}
		for i, p := range periods {
			t := &factorTallies{view: v, scope: scope, sets: sets, known: known, sums: map[string]map[string]*usage.FactorSum{}}
			if err := t.add(ctx, p); err != nil {
				return fmt.Errorf("add up %s to %s by other factors: %w", unix(p.From.Unix()), unix(p.To.Unix()), err)
			}
			all[i] = t.list()
		}
		return nil
	})
	return all, err
}

// factorTallies adds up one period.
type factorTallies struct {
	view  *View
	scope usage.Scope
	sets  []usage.FactorSet
	known map[string][]usage.GridName // the sources that stored sums were made with
	sums  map[string]map[string]*usage.FactorSum
}

func (t *factorTallies) at(set, member string) *usage.FactorSum {
	if t.sums[set] == nil {
		t.sums[set] = map[string]*usage.FactorSum{}
	}
	if t.sums[set][member] == nil {
		t.sums[set][member] = &usage.FactorSum{}
	}
	return t.sums[set][member]
}

func (t *factorTallies) list() map[string]map[string]usage.FactorTally {
	all := map[string]map[string]usage.FactorTally{}
	for set, members := range t.sums {
		all[set] = map[string]usage.FactorTally{}
		for name, sum := range members {
			all[set][name] = sum.Tally()
		}
	}
	return all
}

// add adds a period, day by day.
func (t *factorTallies) add(ctx context.Context, p usage.Period) error {
	s := t.view.store
	if s.length == 0 {
		return nil // a store without intervals
	}
	used, some, err := t.view.Span(ctx)
	if err != nil || !some {
		return err
	}
	if p.From.Before(used.From) {
		p.From = used.From
	}
	p.From, p.To = s.ceil(p.From), s.ceil(usage.Earlier(p.To, used.To))
	for p.From.Before(p.To) {
		day := s.dayAt(p.From)
		part := usage.Period{From: p.From, To: usage.Earlier(day.To, p.To)}
		// The last day may not be over; nothing is known of the rest.
		whole := part.From.Equal(day.From) && !part.To.Before(usage.Earlier(day.To, s.ceil(used.To)))
		if err := t.addDay(ctx, day, part, whole); err != nil {
			return err
		}
		p.From = part.To
	}
	return nil
}

// addDay adds part of a day, or the whole.
func (t *factorTallies) addDay(ctx context.Context, day, part usage.Period, whole bool) error {
	pruned, err := isPruned(ctx, t.view.tx, day)
	if err != nil {
		return err
	}
	byMember := whole && t.scope != usage.ScopeMachine && t.scope != usage.ScopeUser
	if pruned && !byMember {
		return fmt.Errorf("%w: by other factors, whole days of projects, groups and the site are kept", usage.ErrPruned)
	}
	news, err := readFactorNews(ctx, t.view.tx, usage.Period{From: usage.SlotAt(day.From), To: day.To})
	if err != nil {
		return err
	}
	var left []usage.FactorSet
	for _, set := range t.sets {
		stale := slices.ContainsFunc(news, func(n factorNews) bool { return n.factors == set.Name })
		if byMember && (pruned || !stale && slices.Equal(t.known[set.Name], set.Sources)) {
			if err := t.addStored(ctx, set.Name, dateOf(day.From, t.view.store.zone)); err != nil {
				return err
			}
			continue
		}
		left = append(left, set)
	}
	if len(left) == 0 {
		return nil
	}
	return eachFactored(ctx, t.view.tx, part, left, func(set string, r row, factor usage.GramsPerKWh) error {
		k, err := t.view.naming.keyOf(ctx, r.key)
		if err != nil {
			return err
		}
		t.at(set, t.scope.Member(k.Key)).Add(r.energy, factor)
		return nil
	})
}

// addStored adds the stored sums of a day.
func (t *factorTallies) addStored(ctx context.Context, set string, date int64) error {
	return eachFactorDay(ctx, t.view.tx, set, date, func(project, group string, tally usage.FactorTally) {
		t.at(set, t.scope.Member(usage.Key{Project: project, Group: group})).AddTally(tally)
	})
}

func eachFactorDay(ctx context.Context, tx *sqlite.Tx, set string, date int64, f func(project, group string, tally usage.FactorTally)) error {
	return each(ctx, tx, `SELECT p.cloud_project_name, g.group_name, d.kwh, d.gco2eq
		FROM factor_day d JOIN dim_project p USING (project_id) JOIN dim_group g USING (group_id)
		WHERE d.factors = ? AND d.day = ?`, []any{set, date}, func(rows *sql.Rows) error {
		var project, group string
		tally := usage.FactorTally{Known: true}
		err := rows.Scan(&project, &group, &tally.Energy, &tally.Emissions)
		f(project, group, tally)
		return err
	})
}
