// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Backfill collects a range with the same collector as the live loop, even while another
// program runs the live loop on the same store. If it is stopped, everything done so far stays
// done, and running it again resumes there.
func (w *Worker) Backfill(ctx context.Context, r Range) (Done, error) {
	b := &backfill{
		worker: w, over: r, done: w.begin(r), book: w.book(), stored: map[time.Time]bool{}, pause: backoff{longest: maxPause},
		smaller: backoff{longest: beforeSmaller},
	}
	b.collector = newCollector(w.Store, w.Observer, w.Clock, w.Log, b.book)
	b.windows = w.windows(b.done.Whole.To)
	b.windows.refetch, b.windows.plan = r.Restate, r.Dry
	if !r.Dry {
		learner := &librarian{book: b.book, observer: w.Observer, clock: w.Clock, log: w.Log}
		learner.learnUpTo(ctx, w.Settings, b.done.Whole.To)
	}
	err := b.findWorkspaces(ctx)
	if err == nil {
		err = b.run(ctx)
	}
	if err == nil && !r.Dry {
		b.windows.freshen()
		b.windows.coverFactors(ctx, b.done.Whole)
		err = b.priceLeft(ctx)
	}
	b.sum()
	return b.done, err
}

// backfill is the work on one range.
type backfill struct {
	worker    *Worker
	over      Range
	collector *collector
	book      *book
	windows   *windows
	done      Done
	stored    map[time.Time]bool // intervals that this backfill has stored

	chunk    chunk
	pause    backoff // after a failure of the source or the store
	smaller  backoff // before a smaller query than one that was too large
	answered bool    // whether the source has answered at all
	row      int     // intervals in a row that failed

	// active is the start of each host's workspace; nil: store no usage by host.
	active map[string]time.Time
}

// findWorkspaces decides which hosts to store usage of: those of which an exporter would have,
// had it been running at the time.
func (b *backfill) findWorkspaces(ctx context.Context) error {
	if !b.worker.Settings.Workspaces || b.over.Project != nil {
		return nil
	}
	all, err := b.worker.Store.Active(ctx)
	b.active = map[string]time.Time{}
	for _, a := range all {
		if since, ok := b.active[a.Host]; !ok || a.Started.Before(since) {
			b.active[a.Host] = a.Started
		}
	}
	return err
}

func (b *backfill) run(ctx context.Context) error {
	for at := b.done.Whole.From; at.Before(b.done.Whole.To); {
		day := usage.Period{From: at, To: usage.Earlier(at.Add(longestRun), b.done.Whole.To)}
		wanted, err := b.wanted(ctx, day)
		if err != nil {
			return err
		}
		for len(wanted) > 0 {
			b.reach(wanted[0].Start)
			n, err := b.advance(ctx, wanted)
			if err != nil {
				return err
			}
			wanted = wanted[n:]
		}
		at = day.To
		b.reach(at)
	}
	return nil
}

// wanted lists the intervals of a day to fetch.
func (b *backfill) wanted(ctx context.Context, day usage.Period) ([]usage.Due, error) {
	known, err := b.worker.Store.Known(ctx, day)
	if err != nil {
		return nil, err
	}
	again := map[time.Time]bool{}
	if b.worker.Settings.RereadAfter > 0 && b.over.Project == nil {
		if again, err = b.worker.Store.RereadDue(ctx, day, b.worker.Clock.Now()); err != nil {
			return nil, err
		}
	}
	var wanted []usage.Due
	for i := usage.IntervalAt(day.From, b.worker.Settings.Interval); i.Start.Before(day.To); i = i.Next() {
		state, ok := known[i.Start]
		if !ok {
			state = usage.Missing
		}
		answered := state != usage.Missing && state != usage.Empty
		switch {
		case b.over.Project != nil && !answered:
			b.done.Left[usage.ErrNoWhole]++
		case again[i.Start]:
			wanted = append(wanted, usage.Due{Interval: i, State: state})
		case answered && !b.over.Restate && b.over.Project == nil:
			b.done.Had++
		case state == usage.Settled && !b.over.Restate:
			b.done.Left[usage.ErrSettled]++
		default:
			wanted = append(wanted, usage.Due{Interval: i, State: state})
		}
	}
	return wanted, nil
}

// advance collects the first adjacent intervals of those wanted, as many as the source answers
// for at once, and returns how many are done.
func (b *backfill) advance(ctx context.Context, wanted []usage.Due) (int, error) {
	n := 1
	for n < min(len(wanted), b.chunk.size(b.worker.Settings.Interval)) && wanted[n-1].End().Equal(wanted[n].Start) {
		n++
	}
	due := slices.Clone(wanted[:n])
	b.done.Runs++
	b.windows.cover(ctx, usage.Period{From: due[0].Start, To: due[n-1].End()})
	if b.over.Dry {
		return n, nil
	}
	for i := range due {
		due[i].Attempts = b.pause.failures
	}
	done, err := b.collector.collect(ctx, b.worker.Settings, due, b.treat)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	b.count(done.outcomes)
	b.answered = b.answered || !unheard(err)
	n = len(done.outcomes)
	if err == nil {
		b.chunk.grow()
		b.smaller.reset()
	}
	if err != nil && n == 0 {
		return b.failed(ctx, due, err)
	}
	b.row = 0
	b.pause.reset()
	b.reach(due[n-1].End())
	return n, nil
}

// treat applies the options of the range to a record.
func (b *backfill) treat(d usage.Due, rec *usage.Record) usage.Policy {
	policy := usage.Policy{Restate: b.over.Restate, Again: !b.over.Restate, Project: b.over.Project}
	if b.over.Restate || b.over.Project != nil {
		policy.Why = usage.BecauseRestate
	}
	if b.active == nil {
		rec.Hosts = nil // the usage by host stays
	}
	rec.Hosts = slices.DeleteFunc(rec.Hosts, func(h usage.HostFact) bool {
		since, ok := b.active[h.Host]
		return !ok || !h.Until.After(since)
	})
	if b.over.Project != nil {
		// A directory may say that a machine without the label belongs to another project.
		rec.Facts = slices.DeleteFunc(rec.Facts, func(f usage.Fact) bool { return f.Project != *b.over.Project })
		maps.DeleteFunc(rec.Labels, func(project string, _ usage.LabelPresence) bool { return project != *b.over.Project })
		if len(rec.Facts) == 0 {
			rec.State = usage.Empty // as far as this project goes
		}
	}
	if rec.State == usage.Empty && d.State == usage.Empty {
		policy.Leave = true // an exporter may still ask for it a second time
	} else if rec.State == usage.Empty {
		policy.AskAgain = rec.FetchedAt.Add(askAgainAfter)
	}
	return policy
}

func (b *backfill) count(outcomes []usage.Outcome) {
	b.done.count(outcomes)
	for _, o := range outcomes {
		if o.Left == nil {
			b.stored[o.Interval.Start] = true
		}
	}
}

// priceLeft gives intervals of the range that are not final the best known price, as the carbon
// loop does: a grid that was down may be up again, and there may be no exporter to do it.
func (b *backfill) priceLeft(ctx context.Context) error {
	within := func(i usage.Interval) bool {
		return !i.Start.Before(b.done.Whole.From) && i.Start.Before(b.done.Whole.To)
	}
	pending, err := b.worker.Store.Pending(ctx)
	if err != nil {
		return err
	}
	b.windows.freshen()
	pending = slices.DeleteFunc(pending, func(p usage.Pending) bool { return !within(p.Interval) })
	for len(pending) > 0 {
		n := 1
		for n < len(pending) && pending[n].Interval.End().Sub(pending[0].Interval.Start) <= longestWindow {
			n++
		}
		b.windows.cover(ctx, usage.Period{From: pending[0].Interval.Start, To: pending[n-1].Interval.End()})
		pending = pending[n:]
	}
	pricer := &pricer{store: b.worker.Store, observer: b.worker.Observer, clock: b.worker.Clock, book: b.book}
	done, err := pricer.reprice(ctx, b.worker.Settings, within)
	b.done.Unpriced = done.unpriced
	for _, c := range done.changed {
		if b.stored[c.Interval.Start] {
			b.done.Stored[c.was]--
			b.done.Stored[c.State]++
		} else {
			b.done.Priced++
		}
	}
	return err
}

// reach records that everything before a moment is done.
func (b *backfill) reach(at time.Time) {
	b.done.At = at
	b.done.Finished = int(at.Sub(b.done.Whole.From) / b.worker.Settings.Interval)
	b.sum()
	b.worker.step(b.done)
}

// sum copies what the windows found out about the grid.
func (b *backfill) sum() { b.done.Windows, b.done.NoCarbon = b.windows.list, b.windows.failed }
