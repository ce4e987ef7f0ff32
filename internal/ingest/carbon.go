// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// pollEvery is how often a source is polled for current values that does not say.
	pollEvery = 10 * time.Minute
	// spareEvery is how often one is polled that only stands in for those before it, so that it is
	// known in time whether it answers.
	spareEvery = time.Hour
	// firstPoll is how soon a source is polled again while intervals have no price.
	firstPoll = time.Minute
	// margin is added to settle_after in every poll, so that each slot is seen once more after
	// it has become final.
	margin = 2 * time.Hour
	// longestWindow bounds the range of a routine poll, to one request of the UK API. Older
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
	SaveSlots(ctx context.Context, slots []usage.Slot) (doubted int, err error)
	Slots(ctx context.Context, provider, grid string, from, to time.Time) ([]usage.Slot, error)
	ForecastErrors(ctx context.Context, provider, grid string, since time.Time) ([]usage.ForecastError, error)
}

// GridObserver receives what is known of the grid.
type GridObserver interface {
	// Grid receives what is known around now, whenever it changes.
	Grid(now usage.GridNow)
	// ForecastErrors receives the mean errors of the forecasts of the last weeks.
	ForecastErrors(all []usage.ForecastError)
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
	notices  *notices

	wakeEvery time.Duration
	unpriced  <-chan struct{} // there are intervals to price, or to settle
	factors   chan<- struct{} // rung when there may be new factors
	changed   func(ctx context.Context)

	reload  int64 // the settings that the sources belong to
	sources map[usage.GridName]*gridSource
}

func (l *carbonLoop) run(ctx context.Context) {
	for ctx.Err() == nil {
		set := l.settings()
		l.forget(set)
		l.askAll(ctx, set)
		nudge(l.factors)
		unpriced, err := l.reprice(ctx, set)
		if err != nil && ctx.Err() == nil {
			l.outages.told(err, l.outages.carbon, "")
		}
		if ctx.Err() != nil {
			return
		}
		l.clock.Sleep(ctx, l.next(set, unpriced), l.unpriced)
	}
}

// forget begins anew with each reload: everything is due.
func (l *carbonLoop) forget(set Settings) {
	if l.sources == nil || set.generation != l.reload {
		l.sources, l.reload = map[usage.GridName]*gridSource{}, set.generation
		l.fetcher.failing = map[string]bool{}
		l.outages.sources.keep(set)
	}
}

// of is what the loop remembers of a source.
func (l *carbonLoop) of(g Grid) *gridSource {
	if l.sources[name(g)] == nil {
		l.sources[name(g)] = newGridSource(g)
	}
	return l.sources[name(g)]
}

// askAll sends what is due to every source of every chain. A source whose requests failed lately
// rests meanwhile, and never holds up the next.
func (l *carbonLoop) askAll(ctx context.Context, set Settings) {
	for n, chain := range set.chains() {
		for place := range chain {
			if ctx.Err() != nil {
				return
			}
			s := l.of(chain[place])
			s.heard = answers{}
			if l.clock.Now().Before(s.paused) {
				continue
			}
			if err := l.ask(ctx, set, chain, place, n == 0); err != nil && ctx.Err() == nil {
				d := s.pause.after(err, l.clock)
				s.paused = l.clock.Now().Add(d)
				l.log.Debug("Fetching carbon intensity failed", "provider", s.grid.Provider(), "err", err, "retry_in", d.Round(time.Millisecond))
			}
			if ctx.Err() == nil {
				l.tell(set, s)
			}
		}
	}
}

// tell tells of outages, and of their ends, and of what a source says of its own answers.
func (l *carbonLoop) tell(set Settings, s *gridSource) {
	l.outages.ofSource(set, s.grid).heard(s.heard, set.Addresses.Grid[s.grid.Provider()], l.outages)
	if with, ok := s.grid.(interface{ Remarks() []string }); ok {
		for _, remark := range with.Remarks() {
			l.notices.remark(s.grid.Provider(), remark)
		}
	}
}

// next is how long to sleep until something is due.
func (l *carbonLoop) next(set Settings, unpriced bool) time.Duration {
	now, wait := l.clock.Now(), l.wakeEvery
	for n, chain := range set.chains() {
		for place, g := range chain {
			s := l.of(g)
			s.hurry(now, unpriced && n == 0)
			s.mend(now)
			wait = min(wait, max(s.due(place).Sub(now), s.paused.Sub(now), time.Millisecond))
		}
	}
	return wait
}

// ask sends the requests to a source that are due: outlook and recent past by the clock, and older
// slots that intervals wait for. The answers are stored even if another part fails; a provider
// without an outlook still has a past.
func (l *carbonLoop) ask(ctx context.Context, set Settings, chain Chain, place int, prices bool) error {
	s, now := l.of(chain[place]), l.clock.Now()
	noOutlook := l.askAhead(ctx, set, chain, place)
	if waits(noOutlook) {
		return noOutlook
	}
	window := usage.SlotAt(now.Add(-min(set.SettleAfter+chain.late(place)+margin, longestWindow)))
	spare := place > 0 && !l.lacks(ctx, chain[:place], usage.Period{From: window, To: usage.SlotAt(now)})
	s.spare = spare
	if !now.Before(s.due(place)) {
		end := usage.SlotAt(now).Add(usage.SlotLength)
		err := l.fetcher.keep(ctx, set, s.grid, func() ([]usage.Slot, usage.Rejects, error) { return s.grid.Slots(ctx, window, end) })
		s.heard.past, s.heard.noPast = err == nil, err
		if err == nil || usage.IsPermanent(err) {
			s.polled(now)
		}
		if usage.IsPermanent(err) {
			s.eager = s.every // the same request sooner is useless
		}
		if err != nil {
			return joined(noOutlook, err)
		}
	}
	var old error
	if prices {
		old = l.askOld(ctx, set, place, window)
		s.heard.noPast = joined(s.heard.noPast, old)
	}
	if err := joined(noOutlook, old); err != nil {
		return err
	}
	s.pause.reset()
	return nil
}

// askAhead asks for the forecast, once a slot, unless a source before this one has answered.
func (l *carbonLoop) askAhead(ctx context.Context, set Settings, chain Chain, place int) error {
	s, now := l.of(chain[place]), l.clock.Now()
	if !s.grid.Terms().Forecasts || now.Before(s.outlook) {
		return nil
	}
	for _, before := range chain[:place] {
		if l.of(before).foresaw.Equal(usage.SlotAt(now)) {
			return nil
		}
	}
	err := l.fetcher.keep(ctx, set, s.grid, func() ([]usage.Slot, usage.Rejects, error) { return s.grid.Outlook(ctx, usage.SlotAt(now)) })
	s.heard.forecast, s.heard.noForecast = err == nil, err
	if waits(err) {
		return err
	}
	if err == nil {
		s.foresaw = usage.SlotAt(now)
	}
	if err == nil || usage.IsPermanent(err) {
		s.outlook = usage.SlotAt(now).Add(usage.SlotLength)
	}
	return err
}

// lacks reports whether some half hour has no value of these sources.
func (l *carbonLoop) lacks(ctx context.Context, chain Chain, p usage.Period) bool {
	known, err := slotsOf(ctx, l.fetcher.store, chain, p)
	return err != nil || len(known) < int(p.To.Sub(p.From)/usage.SlotLength)
}

// askOld requests the slots before the window that intervals wait for and that were not
// requested lately, but for those that a source before this one has. Slots near each other share a
// request.
func (l *carbonLoop) askOld(ctx context.Context, set Settings, place int, window time.Time) error {
	pending, err := l.pricer.store.Pending(ctx)
	if err != nil {
		return err
	}
	s, now := l.of(set.Grid[place]), l.clock.Now()
	wanted := s.oldSlots(pending, window, now)
	if place > 0 && len(wanted) > 0 {
		known, err := slotsOf(ctx, l.fetcher.store, set.Grid[:place], usage.Period{From: wanted[0], To: window})
		if err != nil {
			return err
		}
		wanted = slices.DeleteFunc(wanted, func(at time.Time) bool { _, ok := known[at]; return ok })
	}
	var failed []error
	for len(wanted) > 0 {
		n := 1
		for n < len(wanted) && wanted[n].Sub(wanted[n-1]) <= nearby {
			n++
		}
		from, to := wanted[0], wanted[n-1].Add(usage.SlotLength)
		err := l.fetcher.keep(ctx, set, s.grid, func() ([]usage.Slot, usage.Rejects, error) { return s.grid.Slots(ctx, from, to) })
		if usage.IsOutage(err) {
			return joined(append(failed, err)...)
		}
		// A request without an answer must not starve the others.
		for _, slot := range wanted[:n] {
			s.asked[slot] = now
		}
		failed, wanted = append(failed, err), wanted[n:]
	}
	return joined(failed...)
}

// reprice prices whatever is pending, and reports whether anything is left without a price.
func (l *carbonLoop) reprice(ctx context.Context, set Settings) (unpriced bool, err error) {
	done, err := l.pricer.reprice(ctx, set, func(usage.Interval) bool { return true })
	l.outages.carbon.gain(done.priced)
	if done.priced+done.restated+done.settled > 0 {
		l.log.Debug("Priced usage", "intervals", done.priced, "restated", done.restated, "settled", done.settled)
		l.changed(ctx)
	}
	return done.unpriced > 0, joined(err, l.show(ctx, set))
}
