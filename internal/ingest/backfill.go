package ingest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Range is a stretch of time whose intervals are to be collected or made anew.
type Range struct {
	usage.Period
	// Restate does those again that have an answer, settled ones too.
	Restate bool
	// Project, if it is not nil, is the only one that the source is asked for.
	// Intervals that hold nothing yet are then left: a part of an interval would
	// look like all of it.
	Project *string
	// Dry writes nothing, and asks the source nothing.
	Dry bool
}

// Ledger is a Store that also gives back what it has.
type Ledger interface {
	Store
	// Known gives the state of every interval that begins in a period.
	Known(ctx context.Context, p usage.Period) (map[time.Time]usage.State, error)
	// Record gives an interval back as it is stored.
	Record(ctx context.Context, i usage.Interval) (usage.Record, error)
}

// Done is how far a range is, and how it went.
type Done struct {
	All      int                 // intervals in the range
	Behind   int                 // of which are behind
	At       time.Time           // end of the last that is behind
	Stored   map[usage.State]int // what was stored, by state
	Had      int                 // had an answer before, and were not asked for
	Left     int                 // settled or pruned, and left alone
	Partless int                 // hold nothing yet, so that one project alone was not asked for
	Failed   []usage.Gap         // could not be had
	NoCarbon error               // the last failure to ask for intensity
}

// maxPause bounds the wait for an upstream that is away; whoever watches would
// rather see it tried.
const (
	maxPause = 30 * time.Second
	// maxPauses is how often in a row it is away before a range is given up.
	maxPauses = 10
)

// Backfill collects a range with the same steps as the live loops, also while
// another program runs those on the same store. What it has done stays done
// wherever it is ended; run again it goes on from there. The last step is told
// of after each stretch.
func (s *Spine) Backfill(ctx context.Context, store Ledger, r Range, step func(Done)) (Done, error) {
	b := &backfill{Spine: s, store: store, set: s.current(), Range: r, step: step, pause: backoff{longest: maxPause}}
	b.done.Stored = map[usage.State]int{}
	if !r.Dry {
		s.learnUpTo(ctx, b.set, r.To)
	}
	err := b.run(ctx)
	return b.done, err
}

type backfill struct {
	*Spine
	Range
	store Ledger
	set   Settings
	step  func(Done)
	done  Done
	chunk chunk
	pause backoff
	grid  time.Time // slots before it were asked for
	// seen are the slots that came in a dry run, in which they are not stored.
	seen map[time.Time]usage.Slot
}

func (b *backfill) run(ctx context.Context) error {
	at := usage.IntervalAt(b.From, b.set.Interval)
	if at.Start.Before(b.From) {
		at = at.Next()
	}
	b.done.All = max(int(b.To.Sub(at.Start)/b.set.Interval), 0)
	for !at.End().After(b.To) {
		day := usage.Period{From: at.Start, To: earlier(at.Start.Add(longestRun), b.To)}
		wanted, err := b.wanted(ctx, day)
		if err != nil {
			return err
		}
		for len(wanted) > 0 {
			n, err := b.stretch(ctx, wanted)
			if err != nil {
				return err
			}
			wanted = wanted[n:]
		}
		for at.Start.Before(day.To) && !at.End().After(b.To) {
			at = at.Next()
		}
		b.reach(at.Start)
	}
	return nil
}

// wanted lists the intervals of a day that are to be asked for.
func (b *backfill) wanted(ctx context.Context, day usage.Period) ([]usage.Due, error) {
	known, err := b.store.Known(ctx, day)
	if err != nil {
		return nil, err
	}
	var wanted []usage.Due
	for i := usage.IntervalAt(day.From, b.set.Interval); !i.End().After(day.To); i = i.Next() {
		state, ok := known[i.Start]
		if !ok {
			state = usage.Missing
		}
		answered := state != usage.Missing && state != usage.Empty
		switch {
		case b.Project != nil && !answered:
			b.done.Partless++
		case answered && !b.Restate && b.Project == nil:
			b.done.Had++
		case state == usage.Settled && !b.Restate:
			b.done.Left++
		default:
			wanted = append(wanted, usage.Due{Interval: i, State: state})
		}
	}
	return wanted, nil
}

// stretch collects the first adjacent intervals of those wanted, as many as the
// source answers for at once, and says how many of them are behind.
func (b *backfill) stretch(ctx context.Context, wanted []usage.Due) (int, error) {
	n := 1
	for n < min(len(wanted), b.chunk.size(b.set.Interval)) && wanted[n-1].End().Equal(wanted[n].Start) {
		n++
	}
	due := wanted[:n]
	if b.Dry {
		b.done.Stored[usage.Missing] += n
		return n, nil
	}
	run := make([]usage.Interval, n)
	for i, d := range due {
		run[i] = d.Interval
	}
	b.slotsFor(ctx, run)
	began := b.Now()
	readings, rejects, err := b.set.Source.Read(ctx, run)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	b.Witness.Asked(usage.SourcePrometheus, b.Now().Sub(began), err)
	if err != nil {
		return b.failed(ctx, run, err)
	}
	b.chunk.grow()
	b.pause.reset()
	b.Witness.Rejected(rejects)
	if err := b.commit(ctx, due, readings, began); err != nil {
		return 0, err
	}
	b.reach(run[n-1].End())
	return n, nil
}

// failed decides, as the live loop does, what becomes of a run that could not be
// read: the server is waited for, a question that is too large is halved, and one
// interval that fails on its own is left behind and told of.
func (b *backfill) failed(ctx context.Context, run []usage.Interval, err error) (int, error) {
	first := usage.Period{From: run[0].Start, To: run[len(run)-1].End()}
	switch {
	case isAway(err) && b.pause.failures >= maxPauses, usage.IsPermanent(err) && isAway(err):
		return 0, fmt.Errorf("from %s on: %w", run[0], err)
	case isAway(err):
		b.Log.Warn("The source is away, waiting", "from", run[0], "err", err)
		wait(ctx, b.pause.after(err), nil)
		return 0, ctx.Err()
	case len(run) > 1:
		b.chunk.shrink(len(run))
		b.Log.Debug("Asking for less", "from", run[0], "intervals", len(run), "err", err)
		return 0, nil
	case !usage.IsTooLarge(err) && b.pause.failures < patience:
		wait(ctx, b.pause.after(err), nil)
		return 0, ctx.Err()
	}
	b.pause.reset()
	b.Log.Warn("Left behind", "interval", run[0], "err", err)
	b.done.Failed = append(b.done.Failed, usage.Gap{Period: first, State: usage.Missing, Intervals: 1, Error: err.Error()})
	b.reach(run[0].End())
	return 1, nil
}

// commit makes readings the records of a run, as the live loop does, and stores
// them together.
func (b *backfill) commit(ctx context.Context, due []usage.Due, readings []usage.Reading, at time.Time) error {
	page, err := b.page(ctx, b.set)
	if err != nil {
		return err
	}
	for i := range due {
		due[i].Attempts = patience // a range does not wait for a closer look
	}
	all, err := b.compose(ctx, b.set, page, due, readings, at)
	if err != nil {
		return err
	}
	recs := records(all)
	for i := range recs {
		rec := &recs[i]
		rec.Hosts = nil // what is known by host is of workspaces that are there now
		rec.Again = false
		rec.Restate, rec.Project, rec.AskAgain = b.Restate, b.Project, time.Time{}
		if b.Restate {
			rec.Why = usage.BecauseRestate
		}
	}
	left, err := b.Spine.commit(ctx, b.set, page, recs)
	if err != nil {
		return err
	}
	b.done.Left += len(left)
	for _, rec := range recs {
		if !slices.Contains(left, rec.Interval) {
			b.done.Stored[rec.State]++
		}
	}
	return nil
}

// slotsFor sees that the slots of a run are in the store, asking for many days at
// once. Energy does not wait for it: what has no price gets one when there is one.
func (b *backfill) slotsFor(ctx context.Context, run []usage.Interval) {
	from, to := usage.SlotAt(run[0].Start), run[len(run)-1].End()
	if !b.grid.Before(to) {
		return
	}
	ahead := earlier(from.Add(longestWindow), usage.SlotAt(b.Now()).Add(usage.SlotLength))
	ask := func() ([]usage.Slot, usage.Rejects, error) { return b.set.Grid.Slots(ctx, from, ahead) }
	var err error
	if b.Dry {
		var slots []usage.Slot
		slots, _, err = ask()
		b.seen = map[time.Time]usage.Slot{}
		for _, slot := range slots {
			b.seen[slot.From] = slot
		}
	} else {
		err = b.keep(ctx, ask)
	}
	b.grid = ahead
	if err != nil && ctx.Err() == nil {
		b.done.NoCarbon = err
		b.Log.Warn("Asking for carbon intensity failed, energy is stored without", "from", from, "err", err)
	}
}

func (b *backfill) reach(at time.Time) {
	b.done.At = at
	b.done.Behind = min(int(at.Sub(b.From)/b.set.Interval), b.done.All)
	if b.step != nil {
		b.step(b.done)
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
