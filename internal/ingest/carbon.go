package ingest

import (
	"context"
	"log/slog"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// pollEvery is how often the provider is polled for current values.
	pollEvery = 10 * time.Minute
	// firstPoll is how soon it is polled again while intervals have no price.
	firstPoll = time.Minute
	// margin is added to settle_after in every poll, so that each slot is seen once more after
	// it has become final.
	margin = 2 * time.Hour
	// longestWindow bounds the range of a routine poll to one request of the UK API. Older
	// slots that are still open are asked for once an hour.
	longestWindow = 13 * 24 * time.Hour
	askOldEvery   = time.Hour
	nearby        = 24 * time.Hour
	// errorsOver is the time whose forecasts are compared with the actuals: four weeks, so that
	// every day of the week counts alike.
	errorsOver = 28 * 24 * time.Hour
)

// SlotStore stores carbon intensities.
type SlotStore interface {
	SaveSlots(ctx context.Context, slots []usage.Slot) error
	Slots(ctx context.Context, provider, grid string, from, to time.Time) ([]usage.Slot, error)
	ForecastErrors(ctx context.Context, provider, grid string, since time.Time) ([]usage.ForecastError, error)
}

// GridObserver receives what is known of the grid.
type GridObserver interface {
	// Grid receives the slots around now, whenever they change.
	Grid(slots []usage.Slot)
	// ForecastErrors receives the mean errors of the forecasts of the last weeks.
	ForecastErrors(all []usage.ForecastError)
}

// fetcher queries a grid and stores its answers.
type fetcher struct {
	store    SlotStore
	observer Observer
	clock    clock.Clock
}

// keep runs one query and stores the slots of its answer.
func (f *fetcher) keep(ctx context.Context, question func() ([]usage.Slot, usage.Rejects, error)) error {
	began := f.clock.Now()
	slots, rejects, err := question()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f.observer.Requested(usage.SourceCarbonIntensity, f.clock.Now().Sub(began), err)
	f.observer.Rejected(rejects)
	notKept := f.store.SaveSlots(ctx, slots)
	if len(slots) > 0 {
		wrote(ctx, f.observer, notKept)
	}
	return joined(err, notKept)
}

// carbonLoop fetches intensities, and prices intervals that wait for them.
type carbonLoop struct {
	fetcher  *fetcher
	pricer   *pricer
	outages  *outages
	shown    GridObserver
	settings func() Settings
	clock    clock.Clock
	log      *slog.Logger

	wakeEvery time.Duration
	unpriced  <-chan struct{} // there are intervals to price, or to settle
	changed   func(ctx context.Context)

	memory  carbonMemory
	answers gridAnswers
}

// gridAnswers are what a round has heard of the grid. Both may be false without an error: then
// nothing was due.
type gridAnswers struct {
	forecast, past     bool  // whether there was an answer
	noForecast, noPast error // why there was none
}

// carbonMemory is what the loop remembers of one provider between rounds.
type carbonMemory struct {
	pause   backoff
	paused  time.Time               // no request before
	poll    time.Time               // when the next poll is due
	outlook time.Time               // when the next forecast request is due: once a slot, so that each is seen at every lead
	asked   map[time.Time]time.Time // slots before the window, with the time of their last request
	eager   time.Duration           // time to the next poll while intervals have no price
	reload  int64                   // the settings that this memory belongs to
}

// newCarbonMemory returns an empty memory: everything is due.
func newCarbonMemory(reload int64) carbonMemory {
	return carbonMemory{
		pause: backoff{longest: 5 * time.Minute}, asked: map[time.Time]time.Time{}, eager: firstPoll, reload: reload,
	}
}

func (l *carbonLoop) run(ctx context.Context) {
	for ctx.Err() == nil {
		set := l.settings()
		if set.generation != l.memory.reload {
			l.memory = newCarbonMemory(set.generation)
		}
		m := &l.memory
		l.answers = gridAnswers{}
		if !l.clock.Now().Before(m.paused) {
			if err := l.ask(ctx, set); err != nil && ctx.Err() == nil {
				d := m.pause.after(err, l.clock)
				m.paused = l.clock.Now().Add(d)
				l.log.Debug("Fetching carbon intensity failed", "err", err, "retry_in", d.Round(time.Millisecond))
			}
		}
		unpriced, err := l.reprice(ctx, set)
		if err != nil && ctx.Err() == nil {
			l.outages.told(err, l.outages.carbon, set.Addresses.Grid)
		}
		if ctx.Err() != nil {
			return
		}
		l.tell(set)
		now := l.clock.Now()
		m.hurry(now, unpriced)
		m.mend(now)
		next := min(max(m.poll.Sub(now), m.paused.Sub(now), time.Millisecond), l.wakeEvery)
		l.clock.Sleep(ctx, next, l.unpriced)
	}
}

// tell tells of outages, and of their ends. A grid may have a past and no forecast.
func (l *carbonLoop) tell(set Settings) {
	o, a := l.outages, l.answers
	switch {
	case a.noPast != nil:
		o.told(joined(a.noPast, a.noForecast), o.carbon, set.Addresses.Grid)
	case isAway(a.noForecast), waits(a.noForecast), timedOut(a.noForecast):
		o.told(a.noForecast, o.carbon, set.Addresses.Grid)
	case a.noForecast != nil:
		o.told(a.noForecast, o.forecast, set.Addresses.Grid)
	}
	if a.past && a.noPast == nil {
		o.carbon.over()
	}
	if a.forecast {
		o.forecast.over()
	}
}

// mend corrects times in the future, which a wall clock that ran ahead has left.
func (m *carbonMemory) mend(now time.Time) {
	if m.poll.After(now.Add(pollEvery)) {
		m.poll = now
	}
	if m.outlook.After(now.Add(usage.SlotLength)) {
		m.outlook = now
	}
	if m.paused.After(now.Add(2 * usage.MaxRetryAfter)) {
		m.paused = now
	}
}

// hurry brings the next poll forward while intervals have no price: a minute after the last,
// then two, up to the usual time.
func (m *carbonMemory) hurry(now time.Time, unpriced bool) {
	switch {
	case !unpriced:
		m.eager = firstPoll
	case m.poll.After(now.Add(m.eager)):
		m.poll = now.Add(m.eager)
		m.eager = min(2*m.eager, pollEvery)
	}
}

// ask sends the requests that are due: outlook and recent past by the clock, and older slots
// that intervals wait for. The answers are stored even if another part fails; a provider
// without an outlook still has a past.
func (l *carbonLoop) ask(ctx context.Context, set Settings) error {
	m, now := &l.memory, l.clock.Now()
	heard := &l.answers
	var noOutlook error
	if !now.Before(m.outlook) {
		noOutlook = l.fetcher.keep(ctx, func() ([]usage.Slot, usage.Rejects, error) { return set.Grid.Outlook(ctx, usage.SlotAt(now)) })
		heard.forecast, heard.noForecast = noOutlook == nil, noOutlook
		if waits(noOutlook) {
			return noOutlook
		}
		if noOutlook == nil || usage.IsPermanent(noOutlook) {
			m.outlook = usage.SlotAt(now).Add(usage.SlotLength)
		}
	}
	window := usage.SlotAt(now.Add(-min(set.SettleAfter+margin, longestWindow)))
	if !now.Before(m.poll) {
		end := usage.SlotAt(now).Add(usage.SlotLength)
		err := l.fetcher.keep(ctx, func() ([]usage.Slot, usage.Rejects, error) { return set.Grid.Slots(ctx, window, end) })
		heard.past, heard.noPast = err == nil, err
		if err == nil || usage.IsPermanent(err) {
			m.poll = now.Add(pollEvery)
		}
		if usage.IsPermanent(err) {
			m.eager = pollEvery // the same request sooner is useless
		}
		if err != nil {
			return joined(noOutlook, err)
		}
	}
	old := l.askOld(ctx, set.Grid, window)
	heard.noPast = joined(heard.noPast, old)
	if err := joined(noOutlook, old); err != nil {
		return err
	}
	m.pause.reset()
	return nil
}

// askOld requests the slots before the window that intervals wait for and that were not
// requested lately. Slots near each other share a request.
func (l *carbonLoop) askOld(ctx context.Context, grid Grid, window time.Time) error {
	pending, err := l.pricer.store.Pending(ctx)
	if err != nil {
		return err
	}
	now := l.clock.Now()
	wanted := l.memory.oldSlots(pending, window, now)
	var failed []error
	for len(wanted) > 0 {
		n := 1
		for n < len(wanted) && wanted[n].Sub(wanted[n-1]) <= nearby {
			n++
		}
		from, to := wanted[0], wanted[n-1].Add(usage.SlotLength)
		err := l.fetcher.keep(ctx, func() ([]usage.Slot, usage.Rejects, error) { return grid.Slots(ctx, from, to) })
		if usage.IsOutage(err) {
			return joined(append(failed, err)...)
		}
		// A request without an answer must not starve the others.
		for _, slot := range wanted[:n] {
			l.memory.asked[slot] = now
		}
		failed, wanted = append(failed, err), wanted[n:]
	}
	return joined(failed...)
}

// oldSlots lists the slots before the window that pending intervals lie in and that were not
// requested lately, in order.
func (m *carbonMemory) oldSlots(pending []usage.Pending, window, now time.Time) (wanted []time.Time) {
	for _, p := range pending {
		for _, piece := range p.Interval.Pieces() {
			slot := usage.SlotAt(piece.Start)
			at, asked := m.asked[slot]
			lately := asked && now.Sub(at) < askOldEvery && !at.After(now)
			if slot.Before(window) && !lately && (len(wanted) == 0 || !wanted[len(wanted)-1].Equal(slot)) {
				wanted = append(wanted, slot)
			}
		}
	}
	return wanted
}

// reprice prices whatever is pending, and reports whether anything is left without a price.
func (l *carbonLoop) reprice(ctx context.Context, set Settings) (unpriced bool, err error) {
	done, err := l.pricer.reprice(ctx, set, func(usage.Interval) bool { return true })
	l.outages.carbon.gain(done.priced)
	if done.priced+done.restated+done.settled > 0 {
		l.log.Debug("Priced usage", "intervals", done.priced, "restated", done.restated, "settled", done.settled)
		l.changed(ctx)
	}
	return done.unpriced > 0, joined(err, l.show(ctx, set.Grid))
}

// show passes on what is known of the grid around now.
func (l *carbonLoop) show(ctx context.Context, g Grid) error {
	now := l.clock.Now()
	around, err := l.fetcher.store.Slots(ctx, g.Provider(), g.Grid(), now.Add(-longestWindow), now.Add(3*24*time.Hour))
	if err != nil {
		return err
	}
	wrong, err := l.fetcher.store.ForecastErrors(ctx, g.Provider(), g.Grid(), now.Add(-errorsOver))
	if err != nil {
		return err
	}
	l.shown.Grid(around)
	l.shown.ForecastErrors(wrong)
	return nil
}
