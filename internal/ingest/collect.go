// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// collector collects intervals: it reads their CPU seconds, attributes them, turns them into
// facts, prices those and updates the store.
type collector struct {
	store    Updater
	observer Observer
	clock    clock.Clock
	log      *slog.Logger
	book     *book
	notices  *notices
	lookout  *lookout // nil: a command, which is asked for a time
	wattage  *wattage // nil: the same
}

func newCollector(store Updater, observer Observer, c clock.Clock, log *slog.Logger, b *book) *collector {
	return &collector{store: store, observer: observer, clock: c, log: log, book: b, notices: &notices{log: log, clock: c}}
}

// treatment lets a loop adjust a record before it is stored, and decide how it replaces what is
// stored.
type treatment func(d usage.Due, rec *usage.Record) usage.Policy

// collected is the result of collecting a run of intervals.
type collected struct {
	outcomes []usage.Outcome // of the intervals collected, from the first on
	newest   edge            // the newest interval seen
	facts    int
	energy   usage.KWh
}

// collect collects a run of adjacent intervals: all of it or, with an error, the intervals
// before the first that failed.
func (c *collector) collect(ctx context.Context, set Settings, due []usage.Due, treat treatment) (collected, error) {
	run := make([]usage.Interval, len(due))
	for i, d := range due {
		run[i] = d.Interval
	}
	began := c.clock.Now()
	readings, rejects, err := set.Source.Read(ctx, run)
	if ctx.Err() != nil {
		return collected{}, ctx.Err()
	}
	c.observer.Requested(usage.SourcePrometheus, c.clock.Now().Sub(began), err)
	if err != nil {
		return collected{}, err
	}
	c.observer.Rejected(rejects)
	beside := &instruments{collector: c, set: set, run: run}
	for {
		done, err := c.record(ctx, set, due, readings, beside, began, treat)
		if !errors.Is(err, errOtherPage) {
			if len(done.outcomes) > 0 {
				c.log.Debug("Collected usage", "from", run[0], "intervals", len(done.outcomes),
					"facts", done.facts, "kwh", float64(done.energy), "took", c.clock.Now().Sub(began))
			}
			return done, err
		}
	}
}

// record turns a run's readings into records, attributed by the current page of the directory,
// and stores them together. If the directory changes meanwhile it returns errOtherPage and
// stores nothing.
func (c *collector) record(ctx context.Context, set Settings, due []usage.Due, readings []usage.Reading, beside *instruments, at time.Time, treat treatment) (collected, error) {
	page, err := c.book.page(ctx, set)
	if err != nil {
		return collected{}, err
	}
	all, failed := c.compose(ctx, set, page, due, readings, beside, at)
	if ctx.Err() != nil {
		return collected{}, ctx.Err()
	}
	var done collected
	if done.outcomes, err = c.update(ctx, set, page, all, treat); err != nil {
		return collected{}, joined(err, failed)
	}
	for _, rec := range slices.Backward(all) { // of what is the same throughout, the newest is told
		c.notices.see(rec.due.Interval, rec.Attendance)
		c.notices.alike(rec.readings)
		c.notices.remarks(rec.readings)
	}
	if n := len(all); n > 0 && c.lookout != nil && !all[n-1].due.Start.Before(set.endOfWhole(c.clock.Now()).Add(-set.Interval)) {
		c.lookout.see(&all[n-1])
		c.wattage.see(set, &all[n-1])
	}
	for _, rec := range all {
		done.newest.see(page, rec.due.Interval, rec.readings)
		done.facts += len(rec.Facts)
		for _, f := range rec.Facts {
			done.energy += f.Energy.Total()
		}
	}
	return done, failed
}

// composed is the record of an interval without prices, and what it was made from.
type composed struct {
	usage.Record
	due      usage.Due
	readings []attributed
	policy   usage.Policy
}

// attributed is a reading, cut into parts with one key each, and what instruments say of it.
type attributed struct {
	usage.Reading
	page        Attribution
	parts       []usage.Part
	instruments *usage.Instruments // nil: nothing is asked for
}

// compose turns the readings of a run into records, up to the first that needs a closer look
// which fails; err says why.
func (c *collector) compose(ctx context.Context, set Settings, page *page, due []usage.Due, readings []usage.Reading, beside *instruments, at time.Time) ([]composed, error) {
	var all []composed
	var powers []Power
	var failed error
	for _, d := range due {
		n := len(d.Pieces())
		whose, err := c.attribute(ctx, set, page, d, readings[:n])
		if err != nil {
			failed = err
			break
		}
		power, err := set.Power(ctx, d.Start)
		if err != nil {
			failed = err
			break
		}
		all, powers = append(all, composed{due: d, readings: whose}), append(powers, power)
		readings = readings[n:]
	}
	if err := beside.add(ctx, all, powers); err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Record = facts(set, powers[i], all[i].due.Interval, all[i].readings, at)
	}
	return all, failed
}

// patience is how many times an interval is fetched again because the server did not say when
// in it the time was used. After that it is split by elapsed time.
const patience = 3

// attribute attributes the readings of an interval. Hosts that change owners within it are
// queried a second time, per minute.
func (c *collector) attribute(ctx context.Context, set Settings, page *page, d usage.Due, readings []usage.Reading) ([]attributed, error) {
	all := make([]attributed, len(readings))
	for i, r := range readings {
		finer, err := c.profiles(ctx, set, d, r.Piece, page.attribution.Handovers(r))
		if err != nil {
			return nil, err
		}
		all[i] = attributed{Reading: r, page: page.attribution, parts: page.attribution.Parts(r, finer)}
	}
	return all, nil
}

// profiles queries when in a piece the hosts that change owners used their time.
func (c *collector) profiles(ctx context.Context, set Settings, d usage.Due, piece usage.Interval, hands []usage.Series) (map[usage.Series]usage.Profile, error) {
	if len(hands) == 0 {
		return nil, nil
	}
	began := c.clock.Now()
	profiles, err := set.Source.Profiles(ctx, piece, hands)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	c.observer.Requested(usage.SourcePrometheus, c.clock.Now().Sub(began), err)
	switch {
	case err == nil:
		return profiles, nil
	case usage.IsOutage(err) && d.Attempts < patience:
		return nil, &closerLookError{d.Interval, len(hands), err}
	}
	c.log.Warn("No per-minute CPU data; splitting usage by elapsed time", "interval", d, "hosts", len(hands), "err", err)
	return nil, nil
}

// closerLookError means that the source did not say when in an interval the hosts that change
// owners used their time. The rest of the run was answered.
type closerLookError struct {
	interval usage.Interval
	hosts    int
	err      error
}

func (e *closerLookError) Error() string {
	return fmt.Sprintf("interval %s: query per-minute CPU seconds of %d hosts that change owners: %v", e.interval, e.hosts, e.err)
}

func (e *closerLookError) Unwrap() error { return e.err }

// update prices records with what the store knows, in the transaction that stores them, so that
// neither a new price nor a change of the directory is missed.
func (c *collector) update(ctx context.Context, set Settings, page *page, all []composed, treat treatment) ([]usage.Outcome, error) {
	if len(all) == 0 {
		return nil, nil
	}
	intervals := make([]usage.Interval, len(all))
	records := make(map[time.Time]*composed, len(all))
	for i := range all {
		rec := &all[i]
		rec.policy = treat(rec.due, &rec.Record)
		rec.policy.Answered, rec.policy.RereadAt = true, set.rereadAt(rec.due.Interval, rec.FetchedAt)
		intervals[i], records[rec.due.Start] = rec.due.Interval, rec
	}
	outcomes, err := c.store.Update(ctx, intervals, func(was usage.Stored) (usage.Record, usage.Policy, error) {
		rec := records[was.Interval.Start]
		if !c.book.isCurrent(page) {
			return usage.Record{}, usage.Policy{}, errOtherPage
		}
		if rec.State == usage.Empty || rec.policy.Leave {
			return rec.Record, rec.policy, nil
		}
		slots, err := set.Grid.slots(was.Slots)
		if err != nil {
			return usage.Record{}, usage.Policy{}, err
		}
		// Not settled by age alone: the provider may not have been asked yet.
		fresh := rec.Record
		fresh.Prices, fresh.State = price(set, was.Interval, slots, c.clock.Now())
		reread := !rec.policy.RereadAt.IsZero() || rec.policy.Project != nil && was.Reread
		if fresh.State == usage.Settled && (c.book.mayChangeHands(set, was.Interval, false) || c.book.mayGrow(set, was.Interval, reread)) {
			fresh.State = usage.Provisional
		}
		return fresh, rec.policy, nil
	})
	if !errors.Is(err, errOtherPage) {
		wrote(ctx, c.observer, err)
	}
	return outcomes, err
}

// wrote reports the outcome of a write, unless the write was cut short by shutdown.
func wrote(ctx context.Context, observer Observer, err error) {
	if ctx.Err() == nil {
		observer.Wrote(err)
	}
}
