// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// unsettledDays is how many days before the newest usage may still change with every interval: those that are
// not settled yet.
const unsettledDays = 3

// closedDays remembers what whole days add up to that have long ended. Of 100 000 keys a day's sums
// are 25 MB, and usage since 1 January would take those of a whole year for each new interval. What
// is remembered is used as long as no interval of its days has changed, which each transaction
// checks: another program may have written.
type closedDays struct {
	mu    sync.Mutex
	spans map[int]*closedSpan // by the place of their time in SpentSince
}

// closedSpan is the sum of some days.
type closedSpan struct {
	usage.Period
	print fingerprint
	sums  spentSums
}

// fingerprint is of some intervals. A change of an interval's numbers comes with a greater revision
// or another answer.
type fingerprint struct {
	intervals, unpriced, newest int64
	revisions, fetched          float64
}

func fingerprintOf(ctx context.Context, tx *sqlite.Tx, p usage.Period) (f fingerprint, err error) {
	err = tx.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE state = 'unpriced'), coalesce(max(revision), 0),
		total(revision), total(fetched_at) FROM usage_interval WHERE start >= ? AND start < ?`, p.From.Unix(), p.To.Unix()).
		Scan(&f.intervals, &f.unpriced, &f.newest, &f.revisions, &f.fetched)
	return f, err
}

// addClosed adds the days of a period, which are remembered as those of a place.
func (s *Store) addClosed(ctx context.Context, tx *sqlite.Tx, place int, p usage.Period, to spentSums) error {
	s.closed.mu.Lock()
	defer s.closed.mu.Unlock()
	span, fresh := s.closed.spans[place], &closedSpan{Period: p, sums: spentSums{}}
	unread := p
	if span != nil && span.From.Equal(p.From) && !span.To.After(p.To) {
		now, err := fingerprintOf(ctx, tx, span.Period)
		if err != nil {
			return err
		}
		if now == span.print {
			fresh.sums, unread.From = span.sums, span.To // other days are added to it
		}
	}
	if unread.From.Before(unread.To) {
		var err error
		if fresh.print, err = fingerprintOf(ctx, tx, p); err != nil {
			return err
		}
		if s.closed.spans == nil {
			s.closed.spans = map[int]*closedSpan{}
		}
		delete(s.closed.spans, place) // until all of it is added
		if err := s.addSpent(ctx, tx, unread, fresh.sums); err != nil {
			return err
		}
		s.closed.spans[place] = fresh
	}
	to.include(fresh.sums)
	return nil
}

// addSpent adds what a period has.
func (s *Store) addSpent(ctx context.Context, tx *sqlite.Tx, p usage.Period, to spentSums) error {
	part := make(totals, len(to))
	if err := s.addOver(ctx, tx, p, part); err != nil {
		return err
	}
	to.add(part)
	return nil
}

// split returns the days of a period that have long ended, if it begins with one, and the rest.
func (s *Store) split(p usage.Period, newest time.Time) (closed, rest usage.Period) {
	y, m, d := newest.In(s.zone).Date()
	edge := s.ceil(time.Date(y, m, d-unsettledDays, 0, 0, 0, 0, s.zone))
	closed, rest = usage.Period{From: p.From, To: usage.Earlier(edge, p.To)}, p
	if s.length == 0 || !closed.From.Before(closed.To) || !s.beginsDay(s.ceil(p.From)) || !s.beginsDay(closed.To) {
		return usage.Period{}, p
	}
	rest.From = closed.To
	return closed, rest
}

// spentSums are the sums that a Spent is made of, by key.
type spentSums map[int64]*spentSum

type spentSum struct {
	rows, priced int64
	sums         [len(spentOf)]usage.Sum
}

// spentOf are the sums of a key that are part of a Spent.
var spentOf = [...]int{busyKWh, idleKWh, measuredKWh, busyGrams, idleGrams, measuredGrams, doubtKWh, skewKWh, undoubtedKWh}

func (s spentSums) of(id int64) *spentSum {
	sum := s[id]
	if sum == nil {
		sum = &spentSum{}
		s[id] = sum
	}
	return sum
}

func (s spentSums) add(part totals) {
	for id, r := range part {
		if r.rows == 0 {
			continue
		}
		sum := s.of(id)
		sum.rows += r.rows
		sum.priced += r.priced
		for i, of := range spentOf {
			sum.sums[i].AddSum(r.sums.at(of))
		}
	}
}

func (s spentSums) include(others spentSums) {
	for id, o := range others {
		sum := s.of(id)
		sum.rows += o.rows
		sum.priced += o.priced
		for i := range o.sums {
			sum.sums[i].AddSum(o.sums[i])
		}
	}
}
