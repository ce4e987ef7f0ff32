// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// RereadStore is the list of answered intervals that are to be read a second time.
type RereadStore interface {
	ToReread(ctx context.Context, now time.Time, longest time.Duration, limit int) ([]usage.Reread, error)
	// Reread records that a second reading would find nothing new.
	Reread(ctx context.Context, intervals []usage.Interval) error
	RereadLater(ctx context.Context, i usage.Interval, until time.Time) error
}

// rereadAt is when an interval that was read at a time is read again; zero: not, because what
// comes late was there already.
func (s Settings) rereadAt(i usage.Interval, read time.Time) time.Time {
	at := i.End().Add(s.RereadAfter)
	if s.RereadAfter <= 0 || !read.Before(at) {
		return time.Time{}
	}
	return at
}

// mayGrow reports whether the usage of an interval may still change, because it is yet to be
// read a second time, or once more after a hole, so that it must not settle although its price is final. As with the
// directory, the source has settle_after for that, since it was due or since the start of the
// program; then it counts as down.
func (b *book) mayGrow(set Settings, i usage.Interval, due bool) bool {
	if !due || set.RereadAfter <= 0 {
		return false
	}
	return b.clock.Now().Before(usage.Later(i.End().Add(set.RereadAfter), b.began).Add(set.SettleAfter))
}

// rereader reads answered intervals a second time, for data that came late to the source: from
// agents that were cut off, by remote write, or from recording rules that were behind. The
// fuller answer stays. Most intervals are as they were, which a cheap question shows.
type rereader struct {
	store     RereadStore
	collector *collector
	clock     clock.Clock
	log       *slog.Logger

	chunk     chunk
	pause     backoff
	row       int       // single intervals that failed one after the other
	notBefore time.Time // after a failure
}

func newRereader(store RereadStore, c *collector) *rereader {
	return &rereader{store: store, collector: c, clock: c.clock, log: c.log, pause: backoff{longest: putOffLongest}}
}

// waitNoMore makes it try again at once.
func (r *rereader) waitNoMore() {
	r.notBefore = time.Time{}
	r.pause.reset()
}

// step reads the oldest run that is due. A failure of the source is no error: it must not hold
// up what was never answered. found is false if there is nothing to do now.
func (r *rereader) step(ctx context.Context, set Settings) (found, read bool, err error) {
	now := r.clock.Now()
	if set.RereadAfter <= 0 || now.Before(r.notBefore) && r.notBefore.Sub(now) <= putOffLongest { // later: set by a clock that ran ahead
		return false, false, nil
	}
	run, err := r.store.ToReread(ctx, now, set.RereadAfter+2*askAgainAfter, r.chunk.size(set.Interval))
	if err != nil || len(run) == 0 {
		return false, false, err
	}
	others, err := r.changed(ctx, set, run)
	for err == nil && len(others) > 0 {
		n := 1
		for n < len(others) && others[n-1].End().Equal(others[n].Start) {
			n++
		}
		run = others[:n]
		var done collected
		done, err = r.collector.collect(ctx, set, dueOf(run), treatLive)
		n = len(done.outcomes)
		others, run, read = others[n:], run[n:], read || n > 0
	}
	if err != nil {
		return false, read, r.failed(ctx, run, err)
	}
	r.chunk.grow()
	r.row = 0
	r.pause.reset()
	return true, read, nil
}

// changed returns the intervals of a run that are to be read in full. The others are done: the
// source has the same hosts as before, and all that there is of them was read.
func (r *rereader) changed(ctx context.Context, set Settings, run []usage.Reread) (others []usage.Reread, err error) {
	var sure bool
	for _, d := range run {
		sure = sure || d.Sure
	}
	if !sure {
		return run, nil
	}
	intervals := make([]usage.Interval, len(run))
	for i, d := range run {
		intervals[i] = d.Interval
	}
	began := r.clock.Now()
	present, err := set.Source.Present(ctx, intervals)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	r.collector.observer.Requested(usage.SourcePrometheus, r.clock.Now().Sub(began), err)
	if err != nil {
		return nil, err
	}
	var same []usage.Interval
	for i, d := range run {
		if d.Sure && i < len(present) && maps.Equal(present[i], d.Present) {
			same = append(same, d.Interval)
		} else {
			others = append(others, d)
		}
	}
	if len(same) == 0 {
		return others, nil
	}
	err = r.store.Reread(ctx, same)
	wrote(ctx, r.collector.observer, err)
	return others, err
}

func dueOf(run []usage.Reread) []usage.Due {
	due := make([]usage.Due, len(run))
	for i, d := range run {
		due[i] = d.Due
	}
	return due
}

// failed decides as the energy loop does, but always pauses: nothing is missing.
func (r *rereader) failed(ctx context.Context, run []usage.Reread, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if usage.FailureOf(err) == nil {
		return err // an error of the store
	}
	first := run[0].Interval
	if closer, ok := errors.AsType[*closerLookError](err); ok {
		first, run = closer.interval, run[:1]
	}
	level := slog.LevelWarn
	if r.pause.failures > 0 {
		level = slog.LevelDebug
	}
	now := r.clock.Now()
	r.notBefore = now.Add(r.pause.after(err, r.clock))
	r.log.Log(ctx, level, "Reading stored intervals a second time failed; trying again later",
		"from", first, "intervals", len(run), "retry", r.notBefore.UTC().Format(time.RFC3339), "err", err)
	switch v := judge(err, len(run), r.row); {
	case v.less:
		r.chunk.shrink(len(run))
	case v.aside:
		r.row++
		noted := r.store.RereadLater(ctx, first, now.Add(r.clock.Jitter(askAgainAfter)))
		wrote(ctx, r.collector.observer, noted)
		return noted
	}
	return nil
}
