// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// recording turns readings into records by one page of the directory, and stores them together.
//
// Everything that takes a question comes first, in plan. Then the records are made one by one, each
// when the store wants it, so that memory follows the hosts of one interval and not the run.
type recording struct {
	collector *collector
	set       Settings
	page      *page
	beside    *instruments
	at        time.Time // when the source was asked
	treat     treatment

	readings usage.Readings
	plans    map[time.Time]*planned // by the interval's start

	done     collected
	attended []attended
	last     *composed // the newest that was made
}

// planned is what a record will be made from.
type planned struct {
	due   usage.Due
	first int // its first piece among the readings
	power Power
	finer []map[usage.Series]usage.Profile // by piece
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

// attended is which hosts an interval had.
type attended struct {
	interval   usage.Interval
	attendance *usage.Attendance
}

// record records a run, up to the first interval that needs a closer look which fails. If the
// directory changes meanwhile it returns errOtherPage and stores nothing.
func (r *recording) record(ctx context.Context, due []usage.Due, readings usage.Readings) (done collected, err error) {
	c := r.collector
	if r.page, err = c.book.page(ctx, r.set); err != nil {
		return collected{}, err
	}
	r.readings = readings
	run, failed, err := r.plan(ctx, due)
	if ctx.Err() != nil {
		return collected{}, ctx.Err()
	}
	if err != nil || len(run) == 0 {
		return collected{}, joined(err, failed)
	}
	outcomes, err := c.store.Update(ctx, run, r.decide)
	if !errors.Is(err, errOtherPage) {
		wrote(ctx, c.observer, err)
	}
	if err != nil {
		return collected{}, joined(err, failed)
	}
	r.done.outcomes = outcomes
	if r.last != nil {
		c.tell(r.set, r.attended, r.last)
	}
	return r.done, failed
}

// plan asks for all that the records of a run need. The run ends before the first interval that
// needs a closer look which fails; failed says why.
func (r *recording) plan(ctx context.Context, due []usage.Due) (run []usage.Interval, failed, err error) {
	r.plans = make(map[time.Time]*planned, len(due))
	models, first := false, 0
	for _, d := range due {
		p := &planned{due: d, first: first}
		if p.power, failed = r.set.Power(ctx, d.Start); failed != nil {
			break
		}
		n := len(d.Pieces())
		if models = models || r.needsModels(p, n); ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if failed = r.look(ctx, p, n); failed != nil {
			break
		}
		first += n
		r.plans[d.Start] = p
		run = append(run, d.Interval)
	}
	if len(run) == 0 {
		return nil, failed, nil
	}
	return run, failed, r.beside.ask(ctx, models)
}

// needsModels reports whether the power of any machine type in an interval depends on its
// processors.
func (r *recording) needsModels(p *planned, pieces int) bool {
	if !r.set.Asked.Models {
		return false
	}
	for i := range pieces {
		if needsModels(p.power, r.page.attribution, r.readings.At(p.first+i)) {
			return true
		}
	}
	return false
}

// look asks when in an interval the hosts that change owners used their time, per minute.
func (r *recording) look(ctx context.Context, p *planned, pieces int) error {
	p.finer = make([]map[usage.Series]usage.Profile, pieces)
	for i := range pieces {
		piece := p.due.Pieces()[i]
		if !r.page.attribution.HandsOver(piece) {
			continue
		}
		finer, err := r.collector.profiles(ctx, r.set, p.due, piece, r.page.attribution.Handovers(r.readings.At(p.first+i)))
		if err != nil {
			return err
		}
		p.finer[i] = finer
	}
	return nil
}

// patience is how many times an interval is fetched again because the server did not say when
// in it the time was used. After that it is split by elapsed time.
const patience = 3

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

// decide makes the record of an interval and prices it with what the store knows, in the transaction
// that stores it, so that neither a new price nor a change of the directory is missed.
func (r *recording) decide(was usage.Stored) (usage.Record, usage.Policy, error) {
	c := r.collector
	if !c.book.isCurrent(r.page) {
		return usage.Record{}, usage.Policy{}, errOtherPage
	}
	r.last = nil // two at a time would be the most memory that a run takes
	rec := r.compose(r.plans[was.Interval.Start])
	r.see(rec)
	if rec.State == usage.Empty || rec.policy.Leave {
		return rec.Record, rec.policy, nil
	}
	slots, err := r.set.Grid.slots(was.Slots)
	if err != nil {
		return usage.Record{}, usage.Policy{}, err
	}
	// Not settled by age alone: the provider may not have been asked yet.
	fresh := rec.Record
	fresh.Prices, fresh.State = price(r.set, was.Interval, slots, c.clock.Now())
	reread := !rec.policy.RereadAt.IsZero() || rec.policy.Project != nil && was.Reread
	if fresh.State == usage.Settled && (c.book.mayChangeHands(r.set, was.Interval, false) || c.book.mayGrow(r.set, was.Interval, reread)) {
		fresh.State = usage.Provisional
	}
	return fresh, rec.policy, nil
}

// compose makes the record of an interval.
func (r *recording) compose(p *planned) *composed {
	rec := &composed{due: p.due, readings: make([]attributed, len(p.finer))}
	for i := range rec.readings {
		reading := r.readings.At(p.first + i)
		rec.readings[i] = attributed{Reading: reading, page: r.page.attribution, parts: r.page.attribution.Parts(reading, p.finer[i])}
		r.beside.give(p.first+i, &rec.readings[i])
	}
	rec.Record = facts(r.set, p.power, p.due.Interval, rec.readings, r.at)
	rec.policy = r.treat(rec.due, &rec.Record)
	rec.policy.Answered, rec.policy.RereadAt = true, r.set.rereadAt(rec.due.Interval, rec.FetchedAt)
	return rec
}

// see keeps what is told of a record once it is stored. If a transaction is repeated, what comes
// again counts once.
func (r *recording) see(rec *composed) {
	if len(r.attended) > 0 && !rec.due.Start.After(r.attended[len(r.attended)-1].interval.Start) {
		r.attended, r.done = nil, collected{}
	}
	r.attended = append(r.attended, attended{rec.due.Interval, rec.Attendance})
	r.last = rec
	r.done.newest.see(r.page, rec.due.Interval, rec.readings)
	r.done.facts += len(rec.Facts)
	for i := range rec.Facts {
		r.done.energy += rec.Facts[i].Energy.Total()
	}
}
