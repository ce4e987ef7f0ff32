// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// askAgainAfter is when an empty interval gets its second chance.
	askAgainAfter = time.Hour
	// putOffLongest bounds how long an interval waits that failed alone: it may be an outage
	// rather than the interval.
	putOffLongest = 10 * time.Minute
)

// Schedule is the list of intervals and when they are due.
type Schedule interface {
	// Schedule adds the intervals that are over.
	Schedule(ctx context.Context, first usage.Interval, until time.Time) (usage.Scheduled, error)
	Due(ctx context.Context, now time.Time, limit int) ([]usage.Due, error)
	// Newest is the newest interval that is due and was never tried; nil if there is none.
	Newest(ctx context.Context, now time.Time) (*usage.Due, error)
	Failed(ctx context.Context, intervals []usage.Interval, why error, retry time.Time) error
	// RetryNow makes intervals due that wait after a failure; without arguments, all of them.
	RetryNow(ctx context.Context, intervals ...usage.Interval) error
}

// energyLoop collects whatever is due: the newest interval, and any that it has missed.
type energyLoop struct {
	schedule  Schedule
	collector *collector
	again     *rereader
	tracker   *tracker
	lookout   *lookout
	outages   *outages
	settings  func() Settings
	clock     clock.Clock
	log       *slog.Logger
	wakeEvery time.Duration
	due       <-chan struct{} // rung when something may be due
	unpriced  chan<- struct{} // rung when an interval is stored without a price
	changed   func(ctx context.Context)
	rested    func(ctx context.Context)

	chunk   chunk
	smaller backoff // before a smaller query than one that was too large
	row     int     // single intervals that failed one after the other
	aside   aside
	heard   bool         // Prometheus has answered in this round
	skipped usage.Period // as logged
}

func (l *energyLoop) run(ctx context.Context) {
	pause := backoff{longest: time.Minute}
	reload := int64(-1)
	for ctx.Err() == nil {
		// A restart or new settings may be what an interval was waiting for.
		if now := l.settings().generation; now != reload {
			reload = now
			l.again.waitNoMore()
			if err := l.schedule.RetryNow(ctx); err != nil && ctx.Err() == nil {
				l.outages.store.fail(err, "")
			}
		}
		err := l.round(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d := pause.after(err, l.clock)
			l.log.Debug("Collecting usage failed", "err", err, "retry_in", d.Round(time.Millisecond))
			l.outages.told(err, l.outages.prometheus, l.settings().Addresses.Prometheus)
			l.clock.Sleep(ctx, d, l.due)
		default:
			if l.heard { // a round in which nothing was due says nothing
				l.outages.prometheus.over()
			}
			pause.reset()
			l.clock.Sleep(ctx, l.untilDue(), l.due)
		}
	}
}

// untilDue is the time until the next interval is over.
func (l *energyLoop) untilDue() time.Duration {
	set, now := l.settings(), l.clock.Now()
	next := usage.Interval{Start: set.endOfWhole(now), Length: set.Interval}.End().Add(set.Lag)
	return min(max(next.Sub(now), time.Millisecond), l.wakeEvery)
}

// round schedules what has come due, then collects it run by run, oldest first, until nothing
// is due. Then it reads again what is to be read a second time. After an error, what is not
// stored stays missing.
func (l *energyLoop) round(ctx context.Context) error {
	set := l.settings()
	newest := &edge{}
	l.heard = false
	for worked := false; ; {
		// Before every run: a backlog may take hours, and more comes due meanwhile.
		if err := l.scheduleUpTo(ctx, set, newest); err != nil {
			return err
		}
		due, err := l.next(ctx, l.chunk.size(set.Interval))
		if err != nil {
			return err
		}
		if !worked || len(due) == 0 {
			heard, err := l.lookout.look(ctx, set, len(due) > 0)
			if l.heard = l.heard || heard; err != nil {
				return err
			}
		}
		if len(due) == 0 {
			if worked {
				if err := l.rest(ctx, set, newest); err != nil {
					return err
				}
			}
			found, read, err := l.again.step(ctx, set)
			if read {
				l.heard = true
				l.changed(ctx)
				nudge(l.unpriced) // what has waited for it may settle now
			}
			if err != nil || !found {
				return err
			}
			worked = read
			continue
		}
		if !worked {
			l.changed(ctx) // show what is missing before a fetch that may take long
		}
		err = l.advance(ctx, set, due, newest)
		if err != nil {
			return err
		}
		l.changed(ctx)
		worked = true
	}
}

// rest ends the work on what was due.
func (l *energyLoop) rest(ctx context.Context, set Settings, newest *edge) error {
	tracked, err := l.tracker.track(ctx, set, newest)
	if tracked {
		l.changed(ctx)
	}
	l.rested(ctx)
	return err
}

// scheduleUpTo schedules the intervals that are over by now.
func (l *energyLoop) scheduleUpTo(ctx context.Context, set Settings, newest *edge) error {
	now := l.clock.Now()
	newest.until = now.Add(-set.Lag)
	done, err := l.schedule.Schedule(ctx, usage.IntervalAt(now.Add(-set.Lookback), set.Interval), newest.until)
	if done.Wrote || err != nil {
		wrote(ctx, l.collector.observer, err)
	}
	if done.Skipped != l.skipped && !done.Skipped.From.IsZero() {
		l.skipped = done.Skipped
		l.log.Warn("Skipping a gap too long for an outage. If the clock is right, run carbontool backfill for it",
			"from", done.Skipped.From, "to", done.Skipped.To)
	}
	return err
}

// next is the oldest run that is due. Before a backlog, the newest interval comes first: the
// present must not wait for the past.
func (l *energyLoop) next(ctx context.Context, limit int) ([]usage.Due, error) {
	run, err := l.schedule.Due(ctx, l.clock.Now(), limit)
	if err != nil || len(run) == 0 {
		return nil, err
	}
	newest, err := l.schedule.Newest(ctx, l.clock.Now())
	if err == nil && newest != nil && newest.Start.After(run[len(run)-1].Start) {
		return []usage.Due{*newest}, nil
	}
	return run[:l.settings().Source.Fits(intervalsOf(run))], err // the present is due again after each reading
}

// advance collects one run, or as much of it as it can.
func (l *energyLoop) advance(ctx context.Context, set Settings, due []usage.Due, newest *edge) error {
	done, err := l.collector.collect(ctx, set, due, treatLive)
	for _, o := range done.outcomes {
		if o.State == usage.Unpriced {
			nudge(l.unpriced)
			break
		}
	}
	newest.take(done.newest)
	l.heard = l.heard || len(done.outcomes) > 0
	l.outages.prometheus.gain(len(done.outcomes))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		return l.answered(ctx)
	case usage.FailureOf(err) == nil:
		return err // an error of the store
	}
	if closer, ok := errors.AsType[*closerLookError](err); ok {
		return joined(err, l.noteFailed(ctx, []usage.Interval{closer.interval}, err, l.clock.Now()))
	}
	return l.failed(ctx, due[len(done.outcomes):], err)
}

// treatLive stores an answer as the newest knowledge. An interval that was fetched again only
// to be attributed again has no reason to have less usage.
func treatLive(d usage.Due, rec *usage.Record) usage.Policy {
	policy := usage.Policy{Again: d.State != usage.Missing && d.State != usage.Empty}
	if rec.State == usage.Empty && d.State != usage.Empty {
		policy.AskAgain = rec.FetchedAt.Add(askAgainAfter)
	}
	return policy
}

// answered retries what was set aside, now that the server answers again.
func (l *energyLoop) answered(ctx context.Context) error {
	l.chunk.grow()
	l.smaller.reset()
	l.row = 0
	again := l.aside.takeUp(l.clock.Now())
	if len(again) == 0 {
		return nil
	}
	l.log.Debug("Prometheus answers again, asking for what had failed", "intervals", len(again))
	err := l.schedule.RetryNow(ctx, again...)
	wrote(ctx, l.collector.observer, err)
	return err
}

// failed acts on a run as judge decides.
func (l *energyLoop) failed(ctx context.Context, due []usage.Due, err error) error {
	v, now := judge(err, len(due), l.row), l.clock.Now()
	retry := now
	switch {
	case v.less:
		l.chunk.shrink(len(due))
		l.log.Debug("Query failed; trying a shorter range", "from", due[0], "intervals", len(due), "err", err)
		if !v.wait {
			l.clock.Sleep(ctx, l.smaller.after(err, l.clock), nil)
			return ctx.Err() // does not count as a failed attempt
		}
	case v.aside:
		longest := putOffLongest
		if !v.wait {
			longest = askAgainAfter // it is unlikely to become smaller
		}
		retry = now.Add(l.clock.Jitter(grow(time.Minute, due[0].Attempts, longest)))
		l.row++
		l.aside.add(due[0].Interval)
	}
	run := make([]usage.Interval, len(due))
	for i, d := range due {
		run[i] = d.Interval
	}
	noted := l.noteFailed(ctx, run, err, retry)
	if v.wait || noted != nil {
		return joined(err, noted)
	}
	l.log.Warn("Prometheus refuses this interval; trying it again later", "interval", due[0], "retry", retry, "err", err)
	l.clock.Sleep(ctx, l.smaller.after(err, l.clock), nil)
	return ctx.Err()
}

func (l *energyLoop) noteFailed(ctx context.Context, run []usage.Interval, why error, retry time.Time) error {
	err := l.schedule.Failed(ctx, run, why, retry)
	if err != nil {
		wrote(ctx, l.collector.observer, err)
	}
	return err
}
