// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// PriceStore is the store of intervals that wait for better prices.
type PriceStore interface {
	Updater
	Pending(ctx context.Context) ([]usage.Pending, error)
	Slots(ctx context.Context, provider, grid string, from, to time.Time) ([]usage.Slot, error)
}

// pricer gives intervals the best known price, and settles those whose time has come.
type pricer struct {
	store    PriceStore
	observer Observer
	clock    clock.Clock
	book     *book
}

// repriced counts what happened to pending intervals.
type repriced struct {
	priced   int // got their first price
	restated int // got another price
	settled  int // became final; also counted above if the price changed
	unpriced int // still have no price
	changed  []change
}

// change is an interval whose price or state changed.
type change struct {
	usage.Outcome
	was usage.State
}

// atOnce bounds the intervals that are written in one transaction, and so how long another loop
// or program waits for its turn.
const atOnce = 48

// reprice checks all pending intervals that are wanted, and updates those with a better known
// price. An interval never goes back: it keeps its price until there is another.
func (p *pricer) reprice(ctx context.Context, set Settings, wanted func(usage.Interval) bool) (repriced, error) {
	var done repriced
	pending, err := p.store.Pending(ctx)
	if err != nil || len(pending) == 0 {
		return done, err
	}
	pending = slices.DeleteFunc(pending, func(d usage.Pending) bool { return !wanted(d.Interval) })
	better, err := p.better(ctx, set, pending, &done)
	if err != nil {
		return done, err
	}
	for run := range slices.Chunk(better, atOnce) {
		if err := p.update(ctx, set, run, &done); err != nil {
			return done, err
		}
	}
	return done, nil
}

// better lists the pending intervals whose price differs from the known slots, without blocking
// writers. It counts those without a price.
func (p *pricer) better(ctx context.Context, set Settings, pending []usage.Pending, done *repriced) ([]usage.Interval, error) {
	if len(pending) == 0 {
		return nil, nil
	}
	first, last := pending[0].Interval, pending[len(pending)-1].Interval
	slots, err := slotsOf(ctx, p.store, set.Grid, usage.Period{From: first.Start, To: last.End()})
	if err != nil {
		return nil, err
	}
	var better []usage.Interval
	for _, d := range pending {
		if _, _, is := p.priceOf(set, d, slots); is {
			better = append(better, d.Interval)
		} else if d.State == usage.Unpriced {
			done.unpriced++
		}
	}
	return better, nil
}

// priceOf is the price of a pending interval, and whether it differs from the current one.
func (p *pricer) priceOf(set Settings, d usage.Pending, slots map[time.Time]usage.Slot) ([]usage.PiecePrice, usage.State, bool) {
	prices, state := lastPrice(set, d.Interval, slots, p.clock.Now())
	if state == usage.Unpriced && set.isOver(d, p.clock.Now()) {
		prices, state = d.Prices, usage.Settled
	}
	if state == usage.Settled && (p.book.mayChangeHands(set, d.Interval, d.Again) || p.book.mayGrow(set, d.Interval, d.Reread || d.Again)) {
		state = usage.Provisional
	}
	better := state != usage.Unpriced && (state != d.State || restated(d.Prices, prices))
	return prices, state, better
}

// isOver reports whether a price stays what it is: it came from a source that has been removed, and
// those that took its place have had their say.
func (s Settings) isOver(d usage.Pending, now time.Time) bool {
	return d.State == usage.Provisional && !now.Before(s.lastWord(usage.Slot{From: d.Interval.End()}).Add(s.SettleAfter))
}

// update writes one run. The transaction sees what another program has done to an interval
// meanwhile.
func (p *pricer) update(ctx context.Context, set Settings, run []usage.Interval, done *repriced) error {
	was := make(map[time.Time]usage.Stored, len(run))
	outcomes, err := p.store.Update(ctx, run, func(s usage.Stored) (usage.Record, usage.Policy, error) {
		was[s.Interval.Start] = s
		if s.State != usage.Unpriced && s.State != usage.Provisional {
			return usage.Record{}, usage.Policy{Leave: true}, nil
		}
		slots, err := set.Grid.slots(s.Slots)
		if err != nil {
			return usage.Record{}, usage.Policy{}, err
		}
		d := usage.Pending{Interval: s.Interval, State: s.State, Prices: s.Prices, Again: s.Due, Reread: s.Reread}
		prices, state, better := p.priceOf(set, d, slots)
		return usage.Record{Prices: prices, State: state}, usage.Policy{PricesOnly: true, Leave: !better}, nil
	})
	if wrote(ctx, p.observer, err); err != nil {
		return err
	}
	for _, o := range outcomes {
		done.count(was[o.Interval.Start], o)
	}
	return nil
}

func (r *repriced) count(was usage.Stored, o usage.Outcome) {
	if o.State == usage.Unpriced {
		r.unpriced++
	}
	if o.Left != nil || !o.Changed {
		return
	}
	r.changed = append(r.changed, change{o, was.State})
	switch {
	case was.State == usage.Unpriced:
		r.priced++
	case o.State == usage.Settled:
		r.settled++
	default:
		r.restated++
	}
}

// slotsOf returns what counts of each half hour that a time touches.
func slotsOf(ctx context.Context, store interface {
	Slots(ctx context.Context, provider, grid string, from, to time.Time) ([]usage.Slot, error)
}, c Chain, p usage.Period,
) (map[time.Time]usage.Slot, error) {
	return c.slots(func(provider, grid string) (map[time.Time]usage.Slot, error) {
		list, err := store.Slots(ctx, provider, grid, usage.SlotAt(p.From), p.To)
		return byStart(list), err
	})
}

func byStart(list []usage.Slot) map[time.Time]usage.Slot {
	known := make(map[time.Time]usage.Slot, len(list))
	for _, slot := range list {
		known[slot.From] = slot
	}
	return known
}
