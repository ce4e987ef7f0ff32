// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"log/slog"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Range is a time whose intervals to collect or compute again: those that begin in it and are
// over.
type Range struct {
	usage.Period
	// Restate includes intervals that have an answer, even settled ones.
	Restate bool
	// Project, if not nil, is the only one to fetch. Intervals without usage are then left
	// alone: a part of an interval would look like all of it.
	Project *string
	// Dry writes nothing. A dry backfill sends no queries; a dry recost fetches the intensity
	// that it needs.
	Dry bool
}

// Done is how far a range is, and how it went.
type Done struct {
	Whole    usage.Period // from the first of its intervals to the end of the last
	All      int          // intervals in the range
	Finished int          // how many of them are done, with any result
	At       time.Time    // end of the last one done

	Stored   map[usage.State]int // stored intervals, by their state now
	Had      int                 // were stored before, and not fetched
	Priced   int                 // how many of those got another price or became final
	Left     map[error]int       // left unchanged, by reason: see usage.Outcome
	Failed   []usage.Gap         // could not be fetched
	Unpriced int                 // intervals of the range without a price
	NoCarbon error               // the last failure to fetch intensity

	Runs    int            // queries for CPU seconds, each for a run of intervals
	Windows []usage.Period // requests for intensity
}

func (d *Done) count(outcomes []usage.Outcome) {
	for _, o := range outcomes {
		if o.Left != nil {
			d.Left[o.Left]++
		} else {
			d.Stored[o.State]++
		}
	}
}

// Store is what the loops and commands need of the store.
type Store interface {
	Schedule
	RereadStore
	PriceStore
	DirectoryStore
	RollupStore
	FactorStore
	SaveSlots(ctx context.Context, slots []usage.Slot) (doubted int, err error)
	ForecastErrors(ctx context.Context, provider, grid string, since time.Time) ([]usage.ForecastError, error)
	SaveActive(ctx context.Context, active []usage.Active, now time.Time) error
	Estimate(ctx context.Context) error
	Prune(ctx context.Context, now time.Time, keep time.Duration, writer string) (usage.Pruned, error)
	PruneMembers(ctx context.Context, now time.Time, keep time.Duration, writer string) (usage.Pruned, error)
	Others(ctx context.Context) (wrote bool, err error)
	LakeEnd(ctx context.Context) error
	// Found returns whether anything was ever found.
	Found(ctx context.Context) (usage.Found, error)
}

// RangeStore is what a command needs of the store to work on a range.
type RangeStore interface {
	PriceStore
	DirectoryStore
	SaveSlots(ctx context.Context, slots []usage.Slot) (doubted int, err error)
	ForecastErrors(ctx context.Context, provider, grid string, since time.Time) ([]usage.ForecastError, error)
	// Known returns the state of every stored interval that begins in a period.
	Known(ctx context.Context, p usage.Period) (map[time.Time]usage.State, error)
	// RereadDue returns the intervals that begin in a period and are to be read a second time now.
	RereadDue(ctx context.Context, p usage.Period, now time.Time) (map[time.Time]bool, error)
	// Missed records that fetching an interval failed, and that it is missing.
	Missed(ctx context.Context, i usage.Interval, why error, retry time.Time) error
	Active(ctx context.Context) ([]usage.ActiveUsage, error)
	// ModelsNear returns the processors of a machine type in the nearest interval that has them.
	ModelsNear(ctx context.Context, machine string, at time.Time) ([]usage.ModelShare, error)
}

// Worker works on ranges for a command, beside a running exporter or without one.
type Worker struct {
	Store    RangeStore
	Observer Observer
	Clock    clock.Clock
	Log      *slog.Logger
	Settings Settings
	// Step, if not nil, is called with the progress of the range.
	Step func(Done)
}

// Whole is the time of the intervals that begin in a period and are over, lag included. It is
// empty if there are none.
func (w *Worker) Whole(p usage.Period) usage.Period {
	first := func(t time.Time) time.Time {
		at := usage.IntervalAt(t, w.Settings.Interval)
		if at.Start.Before(t) {
			at = at.Next()
		}
		return at.Start
	}
	whole := usage.Period{From: first(p.From), To: usage.Earlier(first(p.To), w.Settings.endOfWhole(w.Clock.Now()))}
	if whole.To.Before(whole.From) {
		whole.To = whole.From
	}
	return whole
}

// begin returns the state of a range before any work.
func (w *Worker) begin(r Range) Done {
	d := Done{Stored: map[usage.State]int{}, Left: map[error]int{}, Whole: w.Whole(r.Period)}
	d.All = int(d.Whole.To.Sub(d.Whole.From) / w.Settings.Interval)
	return d
}

func (w *Worker) step(d Done) {
	if w.Step != nil {
		w.Step(d)
	}
}

// fetcher and book are the command's own: it shares the store with a running exporter, not the
// exporter's memory.
func (w *Worker) fetcher() *fetcher {
	return &fetcher{store: w.Store, observer: w.Observer, clock: w.Clock, failing: map[string]bool{}}
}

func (w *Worker) windows(until time.Time) *windows {
	return &windows{fetcher: w.fetcher(), set: w.Settings, log: w.Log, until: until, rests: map[usage.GridName]*rest{}}
}

func (w *Worker) book() *book {
	return &book{store: w.Store, observer: noDirectory{}, clock: w.Clock, began: w.Clock.Now()}
}

// noDirectory is a DirectoryObserver that ignores everything.
type noDirectory struct{}

func (noDirectory) Directory(time.Time)                      {}
func (noDirectory) RejectedRecords([]directory.RecordReject) {}

// longestBreath is longer than SQLite sleeps while it waits for its turn to write.
const longestBreath = 110 * time.Millisecond

// write runs one transaction, then lets another program write that waits for its turn. If
// another program holds the store for longer than a write waits, it tries again.
func (w *Worker) write(ctx context.Context, do func() error) error {
	pause := backoff{longest: maxPause}
	for {
		began := w.Clock.Now()
		err := do()
		switch {
		case err == nil:
			if took := w.Clock.Now().Sub(began); took > 0 {
				w.Clock.Sleep(ctx, min(took, longestBreath), nil)
			}
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case pause.failures >= patience:
			return err
		}
		w.Log.Warn("Writing to the store failed; trying again", "err", err)
		w.Clock.Sleep(ctx, pause.after(err, w.Clock), nil)
	}
}
