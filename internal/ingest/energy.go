package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// wakeEvery bounds the sleep of the loops, so that a wall clock that jumps
	// is noticed: timers follow the monotonic clock.
	wakeEvery = time.Minute
	// longestRun is the time asked for at once when all goes well. A day of 200
	// hosts costs Prometheus 1 s.
	longestRun = 24 * time.Hour
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
		if now := s.reloads.Load(); now != reload {
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
			wait(ctx, d, s.reloaded)
		default:
			pause.reset()
			wait(ctx, s.untilDue(), s.reloaded)
		}
	}
}

// untilDue is the time until the next interval is whole.
func (s *Spine) untilDue() time.Duration {
	set := s.current()
	now := s.Now()
	next := usage.IntervalAt(now.Add(-set.Lag), set.Interval).End().Add(set.Lag)
	return min(max(next.Sub(now), time.Millisecond), wakeEvery)
}

// collect is the whole of the live exporter and of catching up: it writes down
// what has come due, then reads and commits it, oldest first, until nothing is
// due. An error leaves what is not committed missing.
func (s *Spine) collect(ctx context.Context, chunk *chunk) error {
	set := s.current()
	now := s.Now()
	first := usage.IntervalAt(now.Add(-set.Lookback), set.Interval)
	scheduled, err := s.Store.Schedule(ctx, first, now.Add(-set.Lag))
	if scheduled || err != nil {
		s.wrote(ctx, err)
	}
	if err != nil {
		return err
	}
	for worked := false; ; {
		due, err := s.Store.Due(ctx, s.Now(), chunk.size(set.Interval))
		if err != nil {
			return err
		}
		if len(due) == 0 {
			if worked {
				s.Witness.Rested(ctx)
			}
			return nil
		}
		if !worked {
			s.Witness.Changed(ctx) // what is missing is shown, however long its answer takes
		}
		if err := s.advance(ctx, set, due, chunk); err != nil {
			return err
		}
		worked = true
		s.Witness.Changed(ctx)
	}
}

// advance reads one run of intervals and commits each. A run that is too large
// for the server is left for a smaller one; an interval that is too large on its
// own is put off, so that it does not stand in the way of the others.
func (s *Spine) advance(ctx context.Context, set Settings, due []usage.Due, chunk *chunk) error {
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
	for _, d := range due {
		power, err := set.Power(ctx, d.Start)
		if err != nil {
			return err
		}
		n := len(d.Pieces())
		rec := facts(set, power, d, readings[:n], began)
		readings = readings[n:]
		err = s.commit(ctx, set, rec)
		if s.wrote(ctx, err); err != nil && !errors.Is(err, usage.ErrSettled) {
			return err
		}
	}
	return nil
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
	if werr := s.Store.Failed(ctx, run, err, retry); werr != nil {
		s.wrote(ctx, werr)
		return errors.Join(err, werr)
	}
	if tooLarge {
		s.Log.Warn("Left missing for now", "interval", run[0], "err", err, "retry", retry)
		return nil // the others are no larger for it
	}
	return err
}

// facts turns the readings of one interval into its record: power, then whose.
func facts(set Settings, power Power, d usage.Due, readings []usage.Reading, at time.Time) usage.Record {
	rec := usage.Record{Interval: d.Interval, PUE: set.PUE, FetchedAt: at, Coverage: map[string]usage.Coverage{}}
	rated := map[string]usage.Rating{}
	for _, reading := range readings {
		for _, share := range set.Attribution.Shares(reading.Samples) {
			rating, ok := rated[share.Machine]
			if !ok {
				rating = power.Rating(share.Machine)
				rated[share.Machine] = rating
				rec.Ratings = append(rec.Ratings, rating)
			}
			rec.Facts = append(rec.Facts, usage.Fact{
				Key: share.Key, Start: reading.Piece.Start, CPU: share.CPU, Energy: power.Energy(rating, share.CPU),
			})
		}
		for project, c := range reading.Coverage {
			sum := rec.Coverage[project]
			rec.Coverage[project] = usage.Coverage{Seen: sum.Seen + c.Seen, Capacity: sum.Capacity + c.Capacity}
		}
	}
	if len(rec.Facts) == 0 {
		rec.State = usage.Empty
		if d.State != usage.Empty {
			rec.AskAgain = at.Add(askAgainAfter)
		}
	}
	return rec
}

// commit prices a record with what is known now and stores it.
func (s *Spine) commit(ctx context.Context, set Settings, rec usage.Record) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if rec.State != usage.Empty {
		slots, err := s.slots(ctx, set.Grid, rec.Interval)
		if err != nil {
			return err
		}
		// Not settled by its age alone: the provider may not have been asked yet.
		rec.Prices, rec.State = price(rec.Interval, slots, set.SettleAfter, time.Time{})
		if rec.State == usage.Unpriced {
			defer nudge(s.unpriced)
		}
	}
	return s.Store.Commit(ctx, rec)
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

func timedOut(err error) bool {
	f := usage.FailureOf(err)
	return f != nil && f.Reason == usage.ReasonTimeout
}

// chunk is how many intervals are asked for at once: half as many after an
// answer that was too large, twice as many again after two that were not.
type chunk struct {
	most int // 0: as many as make longestRun
	good int
}

func (c *chunk) size(interval time.Duration) int {
	whole := max(int(longestRun/interval), 1)
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
		c.most, c.good = min(2*c.most, int(longestRun/time.Minute)), 0
	}
}
