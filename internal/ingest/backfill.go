package ingest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Range is a stretch of time whose intervals are to be collected or made anew:
// those that begin in it and are whole.
type Range struct {
	usage.Period
	// Restate does those again that have an answer, settled ones too.
	Restate bool
	// Project, if it is not nil, is the only one that the source is asked for.
	// Intervals that hold nothing yet are then left: a part of an interval would
	// look like all of it.
	Project *string
	// Dry writes nothing. A backfill then asks nobody; a recost asks for the
	// intensity that it needs.
	Dry bool
}

// Ledger is a Store that also gives back what it has.
type Ledger interface {
	Store
	// Known gives the state of every interval that begins in a period.
	Known(ctx context.Context, p usage.Period) (map[time.Time]usage.State, error)
	// Record gives an interval back as it is stored.
	Record(ctx context.Context, i usage.Interval) (usage.Record, error)
	// Rework makes intervals anew from what is stored, in one transaction.
	Rework(ctx context.Context, intervals []usage.Interval, anew func(usage.Record) (usage.Record, error)) ([]usage.Outcome, error)
	// Missed notes that an interval could not be had, and that it is missing.
	Missed(ctx context.Context, i usage.Interval, why error, retry time.Time) error
	Active(ctx context.Context) ([]usage.ActiveUsage, error)
}

// Done is how far a range is, and how it went.
type Done struct {
	Whole  usage.Period // from the first of its intervals to the end of the last
	All    int          // intervals in the range
	Behind int          // of which are behind
	At     time.Time    // end of the last that is behind

	Stored   map[usage.State]int // what was stored, by the state it has now
	Had      int                 // had an answer before, and were not asked for
	Priced   int                 // of those, how many got another price, or are final now
	Left     map[error]int       // left as they are, by why: see usage.Outcome
	Failed   []usage.Gap         // could not be had
	Unpriced int                 // of the range, how many have no price
	NoCarbon error               // the last failure to ask for intensity

	Runs    int            // questions for CPU seconds, each for a run of intervals
	Windows []usage.Period // questions for intensity
}

const (
	// maxPause bounds the wait for an upstream that is away; whoever watches would
	// rather see it tried.
	maxPause = 30 * time.Second
	// maxPauses is how often in a row it is away before a range is given up. One that
	// has not answered once is more likely mistyped than away: firstPauses is enough.
	maxPauses, firstPauses = 10, 4
	// manyInARow intervals that fail one after the other are not to blame: the
	// source is away or will never answer, whatever it says. Of time-outs, each of
	// which takes minutes, a few are enough.
	manyInARow, manyTimeouts = 48, 3
	// writeAtOnce bounds the intervals that are written in one transaction, and so
	// how long another program waits for its turn.
	writeAtOnce = 48
	// longestBreath is longer than SQLite sleeps while it waits for its turn to
	// write.
	longestBreath = 110 * time.Millisecond
)

// Backfill collects a range with the same steps as the live loops, also while
// another program runs those on the same store. What it has done stays done
// wherever it is ended; run again it goes on from there. The step is told of what
// is done after each stretch.
func (s *Spine) Backfill(ctx context.Context, store Ledger, r Range, step func(Done)) (Done, error) {
	b := s.newBackfill(store, r, step)
	b.anew = r.Restate
	if !r.Dry {
		s.learnUpTo(ctx, b.set, b.done.Whole.To)
	}
	err := b.workspaces(ctx)
	if err == nil {
		err = b.run(ctx)
	}
	if err == nil && !r.Dry {
		err = b.priceLeft(ctx)
	}
	return b.done, err
}

// backfill is the work on one range.
type backfill struct {
	*Spine
	Range
	store  Ledger
	set    Settings
	step   func(Done)
	done   Done
	stored map[time.Time]bool // intervals that it has stored

	chunk    chunk
	pause    backoff // of the source
	answered bool    // whether it has said anything yet
	row      int     // intervals in a row that could not be had

	anew      bool         // whether to ask for intensity that is known to be final
	asked     usage.Period // slots in it were asked for
	away      time.Time    // the grid is not asked before
	gridPause backoff
	seen      map[time.Time]usage.Slot // what came in a dry run, in which it is not stored

	// active is since when hosts are workspaces; nil: nothing is kept by host.
	active map[string]time.Time
}

func (s *Spine) newBackfill(store Ledger, r Range, step func(Done)) *backfill {
	b := &backfill{
		Spine: s, Range: r, store: store, set: s.current(), step: step, stored: map[time.Time]bool{},
		pause: backoff{longest: maxPause}, gridPause: backoff{longest: maxPause},
	}
	b.done = Done{Stored: map[usage.State]int{}, Left: map[error]int{}, Whole: s.Whole(r.Period)}
	b.done.All = int(b.done.Whole.To.Sub(b.done.Whole.From) / b.set.Interval)
	return b
}

// Whole is the time of the intervals that begin in a period and are over, and what
// comes late of them is in. It is empty if there are none.
func (s *Spine) Whole(p usage.Period) usage.Period {
	set := s.current()
	first := func(t time.Time) time.Time {
		at := usage.IntervalAt(t, set.Interval)
		if at.Start.Before(t) {
			at = at.Next()
		}
		return at.Start
	}
	whole := usage.Period{From: first(p.From), To: first(p.To)}
	if over := usage.IntervalAt(s.Now().Add(-set.Lag), set.Interval).Start; over.Before(whole.To) {
		whole.To = over
	}
	if whole.To.Before(whole.From) {
		whole.To = whole.From
	}
	return whole
}

// workspaces finds out of which hosts usage is to be kept: what an exporter would
// have kept that had been there in time.
func (b *backfill) workspaces(ctx context.Context) error {
	if !b.set.Workspaces || b.Project != nil {
		return nil
	}
	all, err := b.store.Active(ctx)
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
		day := usage.Period{From: at, To: earlier(at.Add(longestRun), b.done.Whole.To)}
		wanted, err := b.wanted(ctx, day)
		if err != nil {
			return err
		}
		for len(wanted) > 0 {
			b.reach(wanted[0].Start)
			n, err := b.stretch(ctx, wanted)
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

// wanted lists the intervals of a day that are to be asked for.
func (b *backfill) wanted(ctx context.Context, day usage.Period) ([]usage.Due, error) {
	known, err := b.store.Known(ctx, day)
	if err != nil {
		return nil, err
	}
	var wanted []usage.Due
	for i := usage.IntervalAt(day.From, b.set.Interval); i.Start.Before(day.To); i = i.Next() {
		state, ok := known[i.Start]
		if !ok {
			state = usage.Missing
		}
		answered := state != usage.Missing && state != usage.Empty
		switch {
		case b.Project != nil && !answered:
			b.done.Left[usage.ErrNoWhole]++
		case answered && !b.Restate && b.Project == nil:
			b.done.Had++
		case state == usage.Settled && !b.Restate:
			b.done.Left[usage.ErrSettled]++
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
	due, run := wanted[:n], make([]usage.Interval, n)
	for i, d := range due {
		run[i] = d.Interval
	}
	b.done.Runs++
	b.slotsFor(ctx, usage.Period{From: run[0].Start, To: run[n-1].End()})
	if b.Dry {
		return n, nil
	}
	began := b.Now()
	readings, rejects, err := b.set.Source.Read(ctx, run)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	b.Witness.Asked(usage.SourcePrometheus, b.Now().Sub(began), err)
	b.answered = b.answered || !unheard(err)
	if err != nil {
		return b.failed(ctx, due, err)
	}
	b.chunk.grow()
	b.Witness.Rejected(rejects)
	n, err = b.storeRun(ctx, due, readings, began)
	switch {
	case n == 0 && usage.FailureOf(err) != nil:
		return b.failed(ctx, due[:1], err)
	case n == 0 && err != nil:
		return 0, err
	}
	b.row = 0
	b.pause.reset()
	b.reach(due[n-1].End())
	return n, nil
}

// storeRun makes readings the records of a run, as the live loop does, and stores
// them together: those up to the first that needs a closer look which fails, and
// then why.
func (b *backfill) storeRun(ctx context.Context, due []usage.Due, readings []usage.Reading, at time.Time) (int, error) {
	page, err := b.page(ctx, b.set)
	if err != nil {
		return 0, err
	}
	for i := range due {
		due[i].Attempts = b.pause.failures
	}
	all, failed := b.compose(ctx, b.set, page, due, readings, at)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	var recs []usage.Record
	for i, rec := range records(all) {
		if b.finish(&rec); rec.State == usage.Empty && due[i].State == usage.Empty {
			b.done.Stored[usage.Empty]++ // as it is: an exporter may still ask for it once more
			continue
		}
		recs = append(recs, rec)
	}
	for some := range slices.Chunk(recs, writeAtOnce) {
		if err := b.write(ctx, func() ([]usage.Outcome, error) { return b.commit(ctx, b.set, page, some) }); err != nil {
			return 0, err
		}
	}
	return len(all), failed
}

// finish says of a record what makes it one of this range.
func (b *backfill) finish(rec *usage.Record) {
	rec.Restate, rec.Again, rec.Project = b.Restate, !b.Restate, b.Project
	if b.Restate || b.Project != nil {
		rec.Why = usage.BecauseRestate
	}
	if b.active == nil {
		rec.Hosts = nil // what is known by host stays
	}
	rec.Hosts = slices.DeleteFunc(rec.Hosts, func(h usage.HostFact) bool {
		since, ok := b.active[h.Host]
		return !ok || !h.Until.After(since)
	})
	if b.Project != nil {
		// A directory may say that a machine without the label is another project's.
		rec.Facts = slices.DeleteFunc(rec.Facts, func(f usage.Fact) bool { return f.Project != *b.Project })
		maps.DeleteFunc(rec.Labels, func(project string, _ usage.Labels) bool { return project != *b.Project })
		if len(rec.Facts) == 0 {
			rec.State = usage.Empty // of this project
		}
	}
}

// write does one transaction, counts what became of its intervals and lets another
// program write that waits for its turn. What another program stood in the way of,
// for longer than is waited for, is tried again.
func (b *backfill) write(ctx context.Context, do func() ([]usage.Outcome, error)) error {
	pause := backoff{longest: maxPause}
	for {
		began := b.Now()
		outcomes, err := do()
		b.count(outcomes)
		switch {
		case err == nil:
			if took := b.Now().Sub(began); took > 0 && !b.Dry {
				wait(ctx, min(took, longestBreath), nil)
			}
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case pause.failures >= patience:
			return err
		}
		b.Log.Warn("Writing to the store failed, trying again", "err", err)
		wait(ctx, pause.after(err), nil)
	}
}

func (b *backfill) count(outcomes []usage.Outcome) {
	for _, o := range outcomes {
		if o.Left != nil {
			b.done.Left[o.Left]++
			continue
		}
		b.done.Stored[o.State]++
		b.stored[o.Interval.Start] = true
	}
}

// failed decides, as the live loop does, what becomes of a run that could not be
// read: the server is waited for, a question that is too large is halved, and one
// interval that fails on its own is left behind, noted and told of.
func (b *backfill) failed(ctx context.Context, due []usage.Due, err error) (int, error) {
	first := due[0].Interval
	switch {
	case b.row >= manyInARow && (usage.IsTooLarge(err) || usage.IsPermanent(err)), b.row >= manyTimeouts && timedOut(err):
		return 0, fmt.Errorf("from %s on, as %d intervals before it: %w", first, b.row, err)
	case isAway(err) && usage.IsPermanent(err):
		return 0, fmt.Errorf("from %s on: %w", first, err)
	case isAway(err) || b.row >= manyInARow:
		if b.pause.failures >= b.pauses() {
			return 0, fmt.Errorf("from %s on: %w", first, err)
		}
		b.Log.Warn("The source is away, waiting", "from", first, "err", err)
		wait(ctx, b.pause.after(err), nil)
		return 0, ctx.Err()
	case len(due) > 1:
		b.chunk.shrink(len(due))
		b.Log.Debug("Asking for less", "from", first, "intervals", len(due), "err", err)
		if !usage.IsTooLarge(err) && !usage.IsPermanent(err) {
			wait(ctx, (&backoff{longest: shortestBackoff}).after(err), nil)
		}
		return 0, ctx.Err()
	case !usage.IsTooLarge(err) && !usage.IsPermanent(err) && b.row == 0 && b.pause.failures < patience:
		wait(ctx, b.pause.after(err), nil)
		return 0, ctx.Err()
	}
	if b.row++; b.row == 1 {
		b.Log.Warn("Leaving behind what fails on its own", "from", first, "err", err)
	}
	b.pause.reset()
	return 1, b.miss(ctx, due[0], err)
}

// pauses is how often in a row the source may be away.
func (b *backfill) pauses() int {
	if b.answered {
		return maxPauses
	}
	return firstPauses
}

// miss leaves an interval behind. One that holds nothing is missing from now on,
// for an exporter to ask for.
func (b *backfill) miss(ctx context.Context, d usage.Due, why error) error {
	gap := usage.Gap{Period: usage.Period{From: d.Start, To: d.End()}, State: d.State, Intervals: 1, Attempts: 1, Error: why.Error()}
	if n := len(b.done.Failed); n > 0 && b.done.Failed[n-1].To.Equal(gap.From) {
		gap.From, gap.Intervals = b.done.Failed[n-1].From, b.done.Failed[n-1].Intervals+1
		b.done.Failed = b.done.Failed[:n-1]
	}
	b.done.Failed = append(b.done.Failed, gap)
	b.reach(d.End())
	if d.State != usage.Missing {
		return nil
	}
	return b.store.Missed(ctx, d.Interval, why, b.Now())
}

func (b *backfill) reach(at time.Time) {
	b.done.At = at
	b.done.Behind = int(at.Sub(b.done.Whole.From) / b.set.Interval)
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
