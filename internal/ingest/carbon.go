package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// pollEvery is how often the provider is asked what it knows now.
	pollEvery = 10 * time.Minute
	// firstPoll is how soon it is asked again while intervals have no price.
	firstPoll = time.Minute
	// margin is added to settle_after in every poll, so that each slot is seen
	// once more after it has become final.
	margin = 2 * time.Hour
	// longestWindow bounds what a routine poll asks for, one request of the UK
	// API; what is older and still open is asked for once an hour.
	longestWindow = 13 * 24 * time.Hour
	askOldEvery   = time.Hour
	nearby        = 24 * time.Hour
	// errorsOver is the time whose forecasts are held against the actuals: four
	// weeks, each day of the week as often as any other.
	errorsOver = 28 * 24 * time.Hour
)

// carbon is what the loop remembers between rounds.
type carbon struct {
	pause   backoff
	paused  time.Time               // no request before
	poll    time.Time               // when the next poll is due
	outlook time.Time               // when the next look ahead is due: once a slot, so that each is seen at every lead
	asked   map[time.Time]time.Time // slots before the window: when they were last asked for
	eager   time.Duration           // how soon to ask again while intervals have no price
	reload  int64                   // the settings that all of this belongs to
}

// newCarbon remembers nothing: all is due.
func newCarbon(reload int64) *carbon {
	return &carbon{
		pause: backoff{longest: 5 * time.Minute}, asked: map[time.Time]time.Time{}, eager: firstPoll, reload: reload,
	}
}

// runCarbon keeps intensities, and prices what waits for them, for ever.
func (s *Spine) runCarbon(ctx context.Context) {
	c := newCarbon(s.current().generation)
	for ctx.Err() == nil {
		set := s.current()
		if set.generation != c.reload {
			c = newCarbon(set.generation)
		}
		if !s.Now().Before(c.paused) {
			if err := s.ask(ctx, set, c); err != nil && ctx.Err() == nil {
				d := c.pause.after(err)
				c.paused = s.Now().Add(d)
				s.Log.Error("Asking for carbon intensity failed", "err", err, "retry_in", d.Round(time.Millisecond))
			}
		}
		unpriced, err := s.reprice(ctx, set)
		if err != nil && ctx.Err() == nil {
			s.Log.Error("Pricing failed", "err", err)
		}
		c.hurry(s.Now(), unpriced)
		s.forget(c)
		next := min(max(c.poll.Sub(s.Now()), c.paused.Sub(s.Now()), time.Millisecond), s.WakeEvery)
		wait(ctx, next, s.unpriced)
	}
}

// forget mends times that a wall clock running ahead has left in the future.
func (s *Spine) forget(c *carbon) {
	now := s.Now()
	if c.poll.After(now.Add(pollEvery)) {
		c.poll = now
	}
	if c.outlook.After(now.Add(usage.SlotLength)) {
		c.outlook = now
	}
	if c.paused.After(now.Add(2 * usage.MaxRetryAfter)) {
		c.paused = now
	}
}

// ask asks for what is due: the outlook and the recent past by the clock, and
// whatever older slots intervals wait for. What came is kept even when another
// part fails; a provider without an outlook still has a past.
func (s *Spine) ask(ctx context.Context, set Settings, c *carbon) error {
	now := s.Now()
	var noOutlook error
	if !now.Before(c.outlook) {
		noOutlook = s.keep(ctx, func() ([]usage.Slot, usage.Rejects, error) { return set.Grid.Outlook(ctx, usage.SlotAt(now)) })
		if waits(noOutlook) {
			return noOutlook
		}
		if noOutlook == nil || usage.IsPermanent(noOutlook) {
			c.outlook = usage.SlotAt(now).Add(usage.SlotLength)
		}
	}
	window := usage.SlotAt(now.Add(-min(set.SettleAfter+margin, longestWindow)))
	if !now.Before(c.poll) {
		end := usage.SlotAt(now).Add(usage.SlotLength)
		err := s.keep(ctx, func() ([]usage.Slot, usage.Rejects, error) { return set.Grid.Slots(ctx, window, end) })
		if err == nil || usage.IsPermanent(err) {
			c.poll = now.Add(pollEvery)
		}
		if usage.IsPermanent(err) {
			c.eager = pollEvery // asking the same sooner is useless
		}
		if err != nil {
			return errors.Join(noOutlook, err)
		}
	}
	if err := errors.Join(noOutlook, s.askOld(ctx, set.Grid, c, window)); err != nil {
		return err
	}
	c.pause.reset()
	return nil
}

// hurry brings the next poll forward while intervals have no price: a minute
// after the last, then two, up to the usual time.
func (c *carbon) hurry(now time.Time, unpriced bool) {
	switch {
	case !unpriced:
		c.eager = firstPoll
	case c.poll.After(now.Add(c.eager)):
		c.poll = now.Add(c.eager)
		c.eager = min(2*c.eager, pollEvery)
	}
}

// askOld asks for the slots before the window that intervals wait for and that
// were not asked for lately. Slots near each other make one question.
func (s *Spine) askOld(ctx context.Context, grid Grid, c *carbon, window time.Time) error {
	pending, err := s.Store.Pending(ctx)
	if err != nil {
		return err
	}
	now := s.Now()
	var wanted []time.Time
	var errs []error
	for _, p := range pending {
		for _, piece := range p.Interval.Pieces() {
			slot := usage.SlotAt(piece.Start)
			at, asked := c.asked[slot]
			lately := asked && now.Sub(at) < askOldEvery && !at.After(now)
			if slot.Before(window) && !lately && (len(wanted) == 0 || !wanted[len(wanted)-1].Equal(slot)) {
				wanted = append(wanted, slot)
			}
		}
	}
	for len(wanted) > 0 {
		n := 1
		for n < len(wanted) && wanted[n].Sub(wanted[n-1]) <= nearby {
			n++
		}
		from, to := wanted[0], wanted[n-1].Add(usage.SlotLength)
		err := s.keep(ctx, func() ([]usage.Slot, usage.Rejects, error) { return grid.Slots(ctx, from, to) })
		if usage.IsOutage(err) {
			return errors.Join(append(errs, err)...)
		}
		// A question that has no answer now must not hide the others.
		for _, slot := range wanted[:n] {
			c.asked[slot] = now
		}
		errs, wanted = append(errs, err), wanted[n:]
	}
	return errors.Join(errs...)
}

// keep asks one question and stores the slots of its answer.
func (s *Spine) keep(ctx context.Context, question func() ([]usage.Slot, usage.Rejects, error)) error {
	began := s.Now()
	slots, rejects, err := question()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.Witness.Asked(usage.SourceCarbonIntensity, s.Now().Sub(began), err)
	s.Witness.Rejected(rejects)
	s.writing.Lock()
	defer s.writing.Unlock()
	werr := s.Store.SaveSlots(ctx, slots)
	if len(slots) > 0 {
		s.wrote(ctx, werr)
	}
	return errors.Join(err, werr)
}

// reprice gives every pending interval the best price known, and settles those
// whose time has come. An interval never goes back: one that has a price keeps
// it until there is another. It says whether any is left without.
func (s *Spine) reprice(ctx context.Context, set Settings) (unpriced bool, err error) {
	s.writing.Lock()
	changed, unpriced, err := s.repriceAll(ctx, set)
	s.writing.Unlock()
	if changed {
		s.changed(ctx)
	}
	return unpriced, errors.Join(err, s.showGrid(ctx, set.Grid))
}

// showGrid tells what is known of the grid around now.
func (s *Spine) showGrid(ctx context.Context, g Grid) error {
	now := s.Now()
	around, err := s.Store.Slots(ctx, g.Provider(), g.Grid(), now.Add(-longestWindow), now.Add(3*24*time.Hour))
	if err != nil {
		return err
	}
	wrong, err := s.Store.ForecastErrors(ctx, g.Provider(), g.Grid(), now.Add(-errorsOver))
	if err != nil {
		return err
	}
	s.Witness.Grid(around)
	s.Witness.ForecastErrors(wrong)
	return nil
}

func (s *Spine) repriceAll(ctx context.Context, set Settings) (changed, unpriced bool, err error) {
	pending, err := s.Store.Pending(ctx)
	if err != nil {
		return false, false, err
	}
	err = s.repriceSome(ctx, set, pending, func(_ usage.Pending, is usage.State, news bool) {
		changed = changed || news
		unpriced = unpriced || is == usage.Unpriced
	})
	return changed, unpriced, err
}

// repriceSome gives pending intervals, in the order of time, the best price known,
// and tells of each what it is then and whether that is news.
func (s *Spine) repriceSome(ctx context.Context, set Settings, pending []usage.Pending, tell func(p usage.Pending, is usage.State, news bool)) error {
	if len(pending) == 0 {
		return nil
	}
	first, last := pending[0].Interval, pending[len(pending)-1].Interval
	slots, err := s.slots(ctx, set.Grid, usage.Period{From: first.Start, To: last.End()})
	if err != nil {
		return err
	}
	for _, p := range pending {
		prices, state := price(p.Interval, slots, set.SettleAfter, s.Now())
		if state == usage.Settled && s.mayChangeHands(set, p.Interval, p.Again) {
			state = usage.Provisional
		}
		if state == usage.Unpriced || state == p.State && !restated(p.Prices, prices) {
			tell(p, p.State, false)
			continue
		}
		err := s.Store.Reprice(ctx, p.Interval, prices, state)
		if s.wrote(ctx, err); err != nil && !errors.Is(err, usage.ErrSettled) {
			return err
		}
		tell(p, state, true)
	}
	return nil
}

// slots gives the known slots that a stretch of time touches, by their start.
func (s *Spine) slots(ctx context.Context, g Grid, p usage.Period) (map[time.Time]usage.Slot, error) {
	list, err := s.Store.Slots(ctx, g.Provider(), g.Grid(), usage.SlotAt(p.From), p.To)
	if err != nil {
		return nil, err
	}
	byStart := make(map[time.Time]usage.Slot, len(list))
	for _, slot := range list {
		byStart[slot.From] = slot
	}
	return byStart, nil
}

// waits says that the server has asked to be left alone.
func waits(err error) bool {
	f := usage.FailureOf(err)
	return f != nil && f.RetryAfter > 0
}
