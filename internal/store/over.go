// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// over adds up the intervals that begin in a period: whole days from their sums, the rest at
// either end from the facts.
func (s *Store) over(ctx context.Context, tx *sqlite.Tx, p usage.Period) (totals, error) {
	sums := totals{}
	return sums, s.addOver(ctx, tx, p, sums)
}

// addOver adds what over reads.
func (s *Store) addOver(ctx context.Context, tx *sqlite.Tx, p usage.Period, sums totals) error {
	if s.length == 0 {
		return nil // a store without intervals
	}
	p.From, p.To = s.ceil(p.From), s.ceil(p.To)
	p, err := s.stretched(ctx, tx, p)
	if err != nil {
		return err
	}
	whole := s.wholeDays(p)
	for _, edge := range []usage.Period{{From: p.From, To: whole.From}, {From: whole.To, To: p.To}} {
		if !edge.From.Before(edge.To) {
			continue
		}
		if err := s.addFacts(ctx, tx, edge, sums); err != nil {
			return err
		}
	}
	if !whole.From.Before(whole.To) {
		return nil
	}
	return addDays(ctx, tx, dateOf(whole.From, s.zone), dateOf(whole.To.Add(-s.length), s.zone), sums)
}

// stretched is a period up to the end of its last day, if nothing is stored of the rest of that day:
// so a day that is not over yet has sums, too.
func (s *Store) stretched(ctx context.Context, tx *sqlite.Tx, p usage.Period) (usage.Period, error) {
	end := p.To
	for !s.beginsDay(end) {
		end = end.Add(s.length)
	}
	if !p.From.Before(p.To) || !end.After(p.To) {
		return p, nil
	}
	var more bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM usage_interval
		WHERE start >= ? AND start < ? AND state IN ('unpriced', 'provisional', 'settled'))`, p.To.Unix(), end.Unix()).Scan(&more)
	if err == nil && !more {
		p.To = end
	}
	return p, err
}

// addFacts adds the facts of a period.
func (s *Store) addFacts(ctx context.Context, tx *sqlite.Tx, p usage.Period, sums totals) error {
	var pruned bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM usage_interval WHERE start >= ? AND start < ? AND pruned = 1)",
		p.From.Unix(), p.To.Unix()).Scan(&pruned); err != nil {
		return err
	}
	if pruned {
		return fmt.Errorf("%w: only whole days in %s can be added up", usage.ErrPruned, s.zone)
	}
	return eachFact(ctx, tx, p, func(r row, by terms) error {
		sums.add(r, by)
		return nil
	})
}

// wholeDays is the part of a period that consists of whole local days, measured in intervals.
// If there is none it is empty, at the period's end.
func (s *Store) wholeDays(p usage.Period) usage.Period {
	days := p
	for days.From.Before(p.To) && !s.beginsDay(days.From) {
		days.From = days.From.Add(s.length)
	}
	for days.To.After(days.From) && !s.beginsDay(days.To) {
		days.To = days.To.Add(-s.length)
	}
	return days
}

// beginsDay reports whether the interval at start is the first of its local date.
func (s *Store) beginsDay(start time.Time) bool {
	return dateOf(start, s.zone) != dateOf(start.Add(-s.length), s.zone)
}

// ceil is the start of the first interval that begins at or after t.
func (s *Store) ceil(t time.Time) time.Time {
	i := usage.IntervalAt(t, s.length)
	if i.Start.Before(t) {
		return i.End()
	}
	return i.Start
}
