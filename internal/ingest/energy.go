package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// wakeEvery is the Spine's WakeEvery if nobody says otherwise.
	wakeEvery = time.Minute
	// longestRun is the time asked for at once when all goes well. A day of 200
	// hosts costs Prometheus 1 s.
	longestRun = 24 * time.Hour
	// mostAtOnce bounds the intervals of a run, all of which are held in memory: a day
	// by five minutes.
	mostAtOnce = 288
	// askAgainAfter is when an empty interval gets its second chance.
	askAgainAfter = time.Hour
	// putOffLongest bounds how long an interval waits that failed on its own:
	// it may be an outage rather than the interval.
	putOffLongest = 10 * time.Minute
)

// runEnergy collects whatever is due, for ever.
func (s *Spine) runEnergy(ctx context.Context) {
	pause := backoff{longest: time.Minute}
	chunk := &chunk{}
	reload := int64(-1)
	for ctx.Err() == nil {
		// A new start or new settings may be what an interval was waiting for.
		if now := s.current().generation; now != reload {
			reload = now
			if err := s.Store.RetryNow(ctx); err != nil && ctx.Err() == nil {
				s.Log.Error("Taking up what was put off failed", "err", err)
			}
		}
		err := s.collect(ctx, chunk)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d := pause.after(err)
			s.Log.Error("Collecting failed", "err", err, "retry_in", d.Round(time.Millisecond))
			wait(ctx, d, s.due)
		default:
			pause.reset()
			wait(ctx, s.untilDue(), s.due)
		}
	}
}

// untilDue is the time until the next interval is whole.
func (s *Spine) untilDue() time.Duration {
	set := s.current()
	now := s.Now()
	next := usage.IntervalAt(now.Add(-set.Lag), set.Interval).End().Add(set.Lag)
	return min(max(next.Sub(now), time.Millisecond), s.WakeEvery)
}

// collect is the whole of the live exporter and of catching up: it writes down
// what has come due, then reads and commits it, oldest first, until nothing is
// due. An error leaves what is not committed missing.
func (s *Spine) collect(ctx context.Context, chunk *chunk) error {
	set := s.current()
	edge := &edge{}
	for worked := false; ; {
		// Again with every run: a backlog may take hours, and they come due meanwhile.
		if err := s.schedule(ctx, set, edge); err != nil {
			return err
		}
		due, err := s.next(ctx, chunk.size(set.Interval))
		if err != nil {
			return err
		}
		if len(due) == 0 {
			if !worked {
				return nil
			}
			err := s.track(ctx, set, edge)
			s.Witness.Rested(ctx)
			return err
		}
		if !worked {
			s.changed(ctx) // what is missing is shown, however long its answer takes
		}
		if err := s.advance(ctx, set, due, chunk, edge); err != nil {
			return err
		}
		worked = true
		s.changed(ctx)
	}
}

// schedule writes down the intervals that are whole by now.
func (s *Spine) schedule(ctx context.Context, set Settings, edge *edge) error {
	now := s.Now()
	edge.until = now.Add(-set.Lag)
	scheduled, err := s.Store.Schedule(ctx, usage.IntervalAt(now.Add(-set.Lookback), set.Interval), edge.until)
	if scheduled || err != nil {
		s.wrote(ctx, err)
	}
	return err
}

// next is the oldest run that is due. But before a backlog is worked on, the newest
// interval is: who looks at the present does not wait for the past.
func (s *Spine) next(ctx context.Context, limit int) ([]usage.Due, error) {
	run, err := s.Store.Due(ctx, s.Now(), limit)
	if err != nil || len(run) == 0 {
		return nil, err
	}
	newest, err := s.Store.Newest(ctx, s.Now())
	if err == nil && newest != nil && newest.Start.After(run[len(run)-1].Start) {
		return []usage.Due{*newest}, nil
	}
	return run, err
}

// advance reads one run of intervals and commits it. A run that is too large
// for the server is left for a smaller one; an interval that is too large on its
// own is put off, so that it does not stand in the way of the others.
func (s *Spine) advance(ctx context.Context, set Settings, due []usage.Due, chunk *chunk, edge *edge) error {
	run := make([]usage.Interval, len(due))
	for i, d := range due {
		run[i] = d.Interval
	}
	began := s.Now()
	readings, rejects, err := set.Source.Read(ctx, run)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.Witness.Asked(usage.SourcePrometheus, s.Now().Sub(began), err)
	if err != nil {
		return s.failed(ctx, due, run, err, chunk)
	}
	chunk.grow()
	s.Witness.Rejected(rejects)
	return s.record(ctx, set, due, readings, began, edge)
}

// record makes a run's readings its records and commits them together.
func (s *Spine) record(ctx context.Context, set Settings, due []usage.Due, readings []usage.Reading, at time.Time, edge *edge) error {
	for {
		page, err := s.page(ctx, set)
		if err != nil {
			return err
		}
		all, failed := s.compose(ctx, set, page, due, readings, at)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		_, err = s.commit(ctx, set, page, records(all))
		if errors.Is(err, errOtherPage) {
			continue
		}
		if err != nil {
			return errors.Join(err, failed)
		}
		for _, c := range all {
			edge.see(page, c.Interval, c.whole)
		}
		return failed
	}
}

// failed decides what becomes of a run that could not be read. If it is the
// server that is away, the whole run waits. If it may be the question, less is
// asked, down to single intervals, and one that fails on its own is put off: it
// must not stand in the way of the others.
func (s *Spine) failed(ctx context.Context, due []usage.Due, run []usage.Interval, err error, chunk *chunk) error {
	tooLarge := usage.IsTooLarge(err) && !timedOut(err)
	retry := s.Now()
	switch {
	case isAway(err):
	case len(run) > 1:
		chunk.shrink(len(run))
		if tooLarge {
			s.Log.Warn("Asking for less", "from", run[0], "intervals", len(run), "err", err)
			return nil // no attempt at any of them
		}
	default:
		longest := putOffLongest
		if tooLarge {
			longest = askAgainAfter // it will hardly become smaller
		}
		retry = retry.Add(jitter(grow(time.Minute, due[0].Attempts, longest)))
	}
	noted := s.Store.Failed(ctx, run, err, retry)
	if noted != nil {
		s.wrote(ctx, noted)
	} else if tooLarge {
		s.Log.Warn("Left missing for now", "interval", run[0], "err", err, "retry", retry)
		return nil // the others are no larger for it
	}
	return errors.Join(err, noted)
}

// commit prices records with what is known now and stores them together. It says
// what became of each: some may be left as they are.
func (s *Spine) commit(ctx context.Context, set Settings, page *page, recs []usage.Record) ([]usage.Outcome, error) {
	if len(recs) == 0 {
		return nil, nil
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if !s.book.open(page) {
		return nil, errOtherPage
	}
	slots, err := s.slots(ctx, set.Grid, usage.Period{From: recs[0].Interval.Start, To: recs[len(recs)-1].Interval.End()})
	if err != nil {
		return nil, err
	}
	for i := range recs {
		rec := &recs[i]
		if rec.State == usage.Empty {
			continue
		}
		// Not settled by its age alone: the provider may not have been asked yet.
		rec.Prices, rec.State = price(rec.Interval, slots, set.SettleAfter, time.Time{})
		if rec.State == usage.Settled && s.mayChangeHands(set, rec.Interval, false) {
			rec.State = usage.Provisional
		}
		if rec.State == usage.Unpriced {
			defer nudge(s.unpriced)
		}
	}
	outcomes, err := s.Store.CommitAll(ctx, recs)
	s.wrote(ctx, err)
	return outcomes, err
}

// wrote tells of the outcome of a write, unless it was cut short by the end of
// the program.
func (s *Spine) wrote(ctx context.Context, err error) {
	if ctx.Err() == nil && !errors.Is(err, usage.ErrSettled) {
		s.Witness.Wrote(err)
	}
}

// isAway says that it is not the question: nobody answers, or not to us.
func isAway(err error) bool {
	f := usage.FailureOf(err)
	return f != nil && (f.Reason == usage.ReasonConnection || f.Reason == usage.ReasonAuth || f.Reason == usage.ReasonRateLimited)
}

// unheard says that nobody was there to answer.
func unheard(err error) bool {
	f := usage.FailureOf(err)
	return f != nil && f.Reason == usage.ReasonConnection
}

func timedOut(err error) bool {
	f := usage.FailureOf(err)
	return f != nil && f.Reason == usage.ReasonTimeout
}

// chunk is how many intervals are asked for at once: half as many after an
// answer that was too large, twice as many again after two that were not.
type chunk struct {
	most int // 0: as many as make longestRun, or mostAtOnce
	good int
}

func (c *chunk) size(interval time.Duration) int {
	whole := min(max(int(longestRun/interval), 1), mostAtOnce)
	if c.most == 0 || c.most >= whole {
		return whole
	}
	return c.most
}

func (c *chunk) shrink(tried int) {
	c.most, c.good = max(tried/2, 1), 0
}

func (c *chunk) grow() {
	if c.good++; c.most > 0 && c.good >= 2 {
		c.most, c.good = min(2*c.most, mostAtOnce), 0
	}
}
