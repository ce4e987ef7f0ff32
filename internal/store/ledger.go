// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Update is the only way in which usage and prices enter the store. In one transaction it
// passes each interval as stored to decide, and replaces it by the record that decide returns:
// facts, the rows of fact_usage, prices, state and sums. Nothing that another program or loop
// writes in the meantime is lost. It returns the outcome of each interval, in the order given.
// An error from decide ends it, and nothing is written.
//
// Storing the same records again changes no number. No interval goes back: a settled one stays
// unless the policy restates it; one whose per-key rows were deleted always stays; facts
// without a price keep the stored prices; and an answer with less usage than is stored deletes
// nothing. An answer that changes nothing still counts as an answer: the interval is not due
// any more.
func (s *Store) Update(ctx context.Context, intervals []usage.Interval, decide usage.Decide) ([]usage.Outcome, error) {
	var u *update
	err := s.write(ctx, func(tx *sqlite.Tx) (err error) {
		u = &update{store: s, ctx: ctx, tx: tx}
		if u.naming, err = s.names.in(ctx, tx); err != nil {
			return err
		}
		for _, i := range intervals {
			outcome, err := u.one(i, decide)
			if err != nil {
				return fmt.Errorf("interval %s: store: %w", i, err)
			}
			u.outcomes = append(u.outcomes, outcome)
		}
		if u.sums == nil { // nothing was replaced
			return nil
		}
		if err := u.flush(); err != nil {
			return err
		}
		return u.sums.write(ctx)
	})
	if err != nil {
		return nil, err
	}
	u.naming.keep()
	if u.sums != nil {
		s.keep(u.sums)
	}
	return u.outcomes, nil
}

// update is one transaction that replaces intervals.
type update struct {
	store    *Store
	ctx      context.Context
	tx       *sqlite.Tx
	naming   *naming
	sums     *accounts // nil until the first interval is replaced
	repriced []repricing
	outcomes []usage.Outcome
}

// one updates one interval.
func (u *update) one(i usage.Interval, decide usage.Decide) (usage.Outcome, error) {
	old, err := loadHead(u.ctx, u.tx, i)
	if err != nil {
		return usage.Outcome{}, err
	}
	outcome := usage.Outcome{Interval: i, State: old.state}
	if old.pruned {
		outcome.Left = usage.ErrPruned
		return outcome, nil
	}
	rec, policy, err := decide(usage.Stored{
		Interval: i, State: old.state, Prices: old.prices, Due: old.due, Reread: old.reread,
		Slots: func(provider, grid string) (map[time.Time]usage.Slot, error) {
			return slotsOf(u.ctx, u.tx, provider, grid, i)
		},
		Record: func() (usage.Record, error) { return readRecord(u.ctx, u.tx, u.naming, i) },
	})
	if err != nil || policy.Leave {
		return outcome, err
	}
	rec.Interval = i
	if err := check(rec, policy); err != nil {
		return outcome, err
	}
	if err := loadRows(u.ctx, u.tx, i, &old); err != nil {
		return outcome, err
	}
	return u.replace(old, rec, policy)
}

// replace stores a record in place of what there is, or leaves that as it is. Nothing is
// written before all checks have passed.
func (u *update) replace(old content, rec usage.Record, policy usage.Policy) (usage.Outcome, error) {
	outcome := usage.Outcome{Interval: rec.Interval, State: old.state}
	same, why, err := u.stays(old, rec, policy)
	switch {
	case err != nil:
		return outcome, err
	case same || errors.Is(why, usage.ErrForgotten):
		outcome.Left = why
		if policy.Answered {
			err = answered(u.ctx, u.tx, rec.Interval, policy, old.state)
		}
		return outcome, err
	case why != nil:
		outcome.Left = why
		return outcome, nil
	}
	if old.state == usage.Provisional || old.state == usage.Settled {
		if rec.State == usage.Unpriced {
			rec.Prices = old.prices
		}
		rec.State = old.state.OrLater(rec.State)
	}
	rec.Prices = settle(rec.Prices, rec.State)
	fresh := old
	fresh.state, fresh.prices = rec.State, rec.Prices
	if !policy.PricesOnly {
		if fresh, err = u.fresh(&rec); err != nil {
			return outcome, err
		}
	}
	if policy.Project != nil {
		err := u.keepOthers(&rec, *policy.Project, old, &fresh)
		if errors.Is(err, usage.ErrOtherFactors) {
			outcome.Left = err
			return outcome, nil
		}
		if err != nil {
			return outcome, err
		}
	}
	outcome.State, outcome.Changed = rec.State, !fresh.looks(old)
	return outcome, u.put(old, fresh, rec, policy)
}

// settle says of prices that nothing revises any more that they are final, if they were measured.
func settle(prices []usage.PiecePrice, state usage.State) []usage.PiecePrice {
	if state != usage.Settled {
		return prices
	}
	prices = slices.Clone(prices)
	for i := range prices {
		prices[i].Quality = prices[i].Quality.Settled()
	}
	return prices
}

// stays reports whether the stored interval stays: because the record says the same (same), or
// because the record may not replace it (why).
func (u *update) stays(old content, rec usage.Record, policy usage.Policy) (same bool, why, err error) {
	switch {
	case old.state == usage.Settled && !policy.Restate:
		return false, usage.ErrSettled, nil
	case policy.PricesOnly:
		return false, nil, old.mayBePriced(rec.State)
	case policy.Project == nil:
	case len(old.rows) == 0:
		return false, usage.ErrNoWhole, nil
	default:
		if old.rows, err = u.rowsOf(old.rows, *policy.Project); err != nil {
			return false, nil, err
		}
		if rec.State == usage.Empty && len(old.rows) == 0 {
			return true, nil, nil
		}
	}
	better, err := u.outlives(old, rec, policy.Again)
	if better {
		return false, usage.ErrForgotten, err
	}
	return false, nil, err
}

// fresh resolves the keys of a record's facts. Usage of forgotten people becomes unattributed.
func (u *update) fresh(rec *usage.Record) (content, error) {
	rec.Facts = u.naming.booked(rec.Facts)
	fresh := content{state: rec.State, prices: rec.Prices}
	var err error
	if fresh.rows, err = number(u.naming, rec.Facts); err != nil {
		return fresh, err
	}
	fresh.made, err = factorsOf(*rec, u.naming)
	return fresh, err
}

// put writes everything that follows from the new content of an interval.
func (u *update) put(old, fresh content, rec usage.Record, policy usage.Policy) error {
	steps := []func() error{
		func() error { return u.putFacts(old, fresh, rec, policy) },
		func() error { return u.putPrices(old, fresh, rec.Interval) },
		func() error { return u.putMembers(old, fresh, rec.Interval) },
		func() error { return putChanges(u.ctx, u.tx, rec.Interval, old, fresh, policy.Why) },
		func() error { return u.putSums(old, fresh, rec, policy) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// putFacts writes the interval and, unless only prices change, its facts and the factors that
// they were computed with.
func (u *update) putFacts(old, fresh content, rec usage.Record, policy usage.Policy) error {
	news := !fresh.looks(old)
	if policy.PricesOnly {
		return restate(u.ctx, u.tx, rec.Interval, fresh.state, news)
	}
	if old.state != usage.Missing { // nothing to clear before a first answer
		if err := clearFacts(u.ctx, u.tx, rec.Interval, old.doubts); err != nil {
			return err
		}
	}
	if err := putInterval(u.ctx, u.tx, rec, fresh.energy(), policy, news); err != nil {
		return err
	}
	if err := u.store.insertFacts(u.ctx, u.tx, fresh.rows); err != nil {
		return err
	}
	if err := putBesides(u.ctx, u.tx, fresh.rows); err != nil {
		return err
	}
	if err := putFactors(u.ctx, u.tx, u.naming, rec); err != nil {
		return err
	}
	if err := u.store.putAttendance(u.ctx, u.tx, u.naming, rec); err != nil {
		return err
	}
	if err := dueBehindHole(u.ctx, u.tx, rec); err != nil {
		return err
	}
	return u.store.putHosts(u.ctx, u.tx, u.naming, rec)
}

// putSums subtracts the old content from the sums and adds the new content.
func (u *update) putSums(old, fresh content, rec usage.Record, policy usage.Policy) (err error) {
	if u.sums == nil {
		if u.sums, err = u.store.accounts(u.ctx, u.tx); err != nil {
			return err
		}
	}
	if err := u.sums.replace(u.ctx, rec.Interval, old, fresh); err != nil || policy.PricesOnly {
		return err
	}
	return putHomes(u.ctx, u.naming, rec, u.sums.all)
}
