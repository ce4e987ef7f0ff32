// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"errors"
	"log/slog"

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

// add adds what was collected next.
func (c *collected) add(next collected) {
	c.outcomes = append(c.outcomes, next.outcomes...)
	c.newest.take(next.newest)
	c.facts += next.facts
	c.energy += next.energy
}

// collect collects a run of adjacent intervals: all of it or, with an error, the intervals
// before the first that failed.
func (c *collector) collect(ctx context.Context, set Settings, due []usage.Due, treat treatment) (collected, error) {
	run := intervalsOf(due)
	var done collected
	for len(run) > 0 {
		n := set.Source.Fits(run)
		part, err := c.collectAtOnce(ctx, set, run[:n], due[:n], treat)
		done.add(part)
		if err != nil {
			return done, err
		}
		run, due = run[n:], due[n:]
	}
	return done, nil
}

func intervalsOf(due []usage.Due) []usage.Interval {
	run := make([]usage.Interval, len(due))
	for i, d := range due {
		run[i] = d.Interval
	}
	return run
}

// collectAtOnce collects as much as is read at once.
func (c *collector) collectAtOnce(ctx context.Context, set Settings, run []usage.Interval, due []usage.Due, treat treatment) (collected, error) {
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
		r := &recording{collector: c, set: set, beside: beside, at: began, treat: treat}
		done, err := r.record(ctx, due, readings)
		if !errors.Is(err, errOtherPage) {
			if len(done.outcomes) > 0 {
				c.log.Debug("Collected usage", "from", run[0], "intervals", len(done.outcomes),
					"facts", done.facts, "kwh", float64(done.energy), "took", c.clock.Now().Sub(began))
			}
			return done, err
		}
	}
}

// tell passes on what is to be said of records, of which the newest is whole: of what is the same
// throughout, the newest is told.
func (c *collector) tell(set Settings, attended []attended, newest *composed) {
	for i := range attended {
		a := attended[len(attended)-1-i]
		c.notices.see(a.interval, a.attendance)
	}
	c.notices.alike(newest.readings)
	c.notices.remarks(newest.readings)
	if c.lookout != nil && !newest.due.Start.Before(set.endOfWhole(c.clock.Now()).Add(-set.Interval)) {
		c.lookout.see(newest)
		c.wattage.see(set, newest)
	}
}

// wrote reports the outcome of a write, unless the write was cut short by shutdown.
func wrote(ctx context.Context, observer Observer, err error) {
	if ctx.Err() == nil {
		observer.Wrote(err)
	}
}
