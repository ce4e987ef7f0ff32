// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// wakeEvery is the default of Spine.WakeEvery.
const wakeEvery = time.Minute

// Witness receives events, for the metrics and the landing page.
type Witness interface {
	Observer
	DirectoryObserver
	GridObserver
	NoticeObserver
	// Changed is called when the store has something new.
	Changed(ctx context.Context)
	// Rested is called when everything that was due is done.
	Rested(ctx context.Context)
	// RollupsPending receives the number of intervals not yet written to another system.
	RollupsPending(n int)
	// LakePublished receives how far publishing days has come.
	LakePublished(usage.LakeState)
}

// Spine runs the loops of the live exporter. Its fields are set before Run and not changed
// after; Settings change through Reload.
type Spine struct {
	Store   Store
	Witness Witness
	Clock   clock.Clock
	Log     *slog.Logger
	// Retention is how long per-key rows are kept, and RetentionMembers the rows of fact_usage; 0: for
	// ever.
	Retention, RetentionMembers time.Duration
	// WakeEvery bounds the sleep of the loops, so that a jump of the wall clock is noticed:
	// timers follow the monotonic clock. New sets it to a minute; with a simulated clock it may
	// be long.
	WakeEvery time.Duration
	// Built is when this program was built, before which no correct clock can be. Zero:
	// unknown.
	Built time.Time

	mu       sync.Mutex // guards settings
	settings Settings
	book     *book
	outages  *outages
	woken    bells
}

// bells wake the loops. Each is a channel that holds at most one ring.
type bells struct {
	due      chan struct{} // something may be due
	readable chan struct{} // settings changed, perhaps to another directory
	changed  chan struct{} // the store has something new for another system
	unpriced chan struct{} // there are intervals to price, or to settle
	factors  chan struct{} // there may be days to add up by other factors
	final    chan struct{} // there may be days to publish
}

// New returns a spine with its first settings.
func New(store Store, witness Witness, log *slog.Logger, c clock.Clock, settings Settings) *Spine {
	bell := func() chan struct{} { return make(chan struct{}, 1) }
	return &Spine{
		Store: store, Witness: witness, Log: log, Clock: c, settings: settings, WakeEvery: wakeEvery,
		book:    &book{store: store, observer: witness, clock: c, began: c.Now()},
		outages: newOutages(witness, c, log),
		woken:   bells{due: bell(), readable: bell(), changed: bell(), unpriced: bell(), factors: bell(), final: bell()},
	}
}

// Reload replaces the settings, from the next step on. All upstreams are queried at once, even
// those whose backoff has not ended.
func (s *Spine) Reload(settings Settings) {
	s.mu.Lock()
	settings.generation = s.settings.generation + 1
	s.settings = settings
	s.mu.Unlock()
	for _, c := range []chan struct{}{s.woken.due, s.woken.unpriced, s.woken.readable, s.woken.changed, s.woken.factors, s.woken.final} {
		nudge(c)
	}
}

func (s *Spine) current() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings
}

// Run works until ctx ends, and returns when all loops have ended.
func (s *Spine) Run(ctx context.Context) {
	if !s.awaitClock(ctx) {
		return
	}
	loops := []func(context.Context){
		s.energyLoop().run, s.carbonLoop().run, s.librarian().run, s.writerLoop().run, s.others().run, s.pruner().run, s.memberPruner().run,
		s.factorLoop().run, s.lakeLoop().run,
	}
	running := make([]func(), len(loops))
	for i, run := range loops {
		running[i] = func() { run(ctx) }
	}
	s.Clock.Run(running...)
}

// clockMargin is how far the clock may be behind the time of the build, because the clocks of
// machines differ.
const clockMargin = 24 * time.Hour

// awaitClock waits for a plausible clock, so that a machine without a clock battery does not
// record decades as missing. It returns false if ctx ends first.
func (s *Spine) awaitClock(ctx context.Context) bool {
	const often = 10 * time.Second
	for said := false; ctx.Err() == nil; {
		now := s.Clock.Now()
		if s.Built.IsZero() || !now.Before(s.Built.Add(-clockMargin)) {
			return true
		}
		if !said {
			s.Log.Error("The clock is wrong: it shows a time before this program was built. Waiting for a correct clock",
				"clock", now.UTC().Format(time.RFC3339), "built", s.Built.UTC().Format(time.RFC3339))
			said = true
		}
		s.Clock.Sleep(ctx, often, nil)
	}
	return false
}

// observer is the witness, by whom the outages of the store are heard of.
func (s *Spine) observer() Observer { return attentive{s.Witness, s.outages.store} }

func (s *Spine) energyLoop() *energyLoop {
	c := newCollector(s.Store, s.observer(), s.Clock, s.Log, s.book)
	c.wattage = &wattage{notices: s.Witness, said: c.notices, log: s.Log}
	c.lookout = &lookout{store: s.Store, observer: s.observer(), notices: s.Witness, clock: s.Clock, log: s.Log, labelsSaid: c.notices, directory: s.book.saved.Load}
	return &energyLoop{
		schedule: s.Store, settings: s.current, clock: s.Clock, log: s.Log, wakeEvery: s.WakeEvery,
		collector: c, again: newRereader(s.Store, c), smaller: backoff{longest: beforeSmaller},
		lookout: c.lookout,
		tracker: &tracker{store: s.Store, observer: s.observer(), clock: s.Clock, log: s.Log},
		outages: s.outages,
		due:     s.woken.due, unpriced: s.woken.unpriced, changed: s.changed, rested: s.Witness.Rested,
	}
}

func (s *Spine) carbonLoop() *carbonLoop {
	return &carbonLoop{
		fetcher: &fetcher{store: s.Store, observer: s.observer(), clock: s.Clock},
		pricer:  &pricer{store: s.Store, observer: s.observer(), clock: s.Clock, book: s.book},
		outages: s.outages, shown: s.Witness, settings: s.current, clock: s.Clock, log: s.Log, wakeEvery: s.WakeEvery,
		unpriced: s.woken.unpriced, factors: s.woken.factors, changed: s.changed, notices: &notices{log: s.Log, clock: s.Clock},
	}
}

func (s *Spine) librarian() *librarian {
	return &librarian{
		book: s.book, observer: s.observer(), outages: s.outages, settings: s.current, clock: s.Clock, log: s.Log, wakeEvery: s.WakeEvery,
		nobody:   &nobody{notices: s.Witness, clock: s.Clock, log: s.Log},
		readable: s.woken.readable, due: s.woken.due, unpriced: s.woken.unpriced,
	}
}

func (s *Spine) writerLoop() *writerLoop {
	return &writerLoop{
		store: s.Store, observer: s.observer(), outages: s.outages, pending: s.Witness.RollupsPending, settings: s.current,
		clock: s.Clock, log: s.Log, wakeEvery: s.WakeEvery, changed: s.woken.changed,
	}
}

func (s *Spine) lakeLoop() *lakeLoop {
	return &lakeLoop{
		store: s.Store, observer: s.observer(), outages: s.outages, told: s.Witness.LakePublished, settings: s.current,
		clock: s.Clock, log: s.Log, wakeEvery: s.WakeEvery, changed: s.woken.final,
	}
}

func (s *Spine) pruner() *pruner {
	return &pruner{rows: "per key", step: s.Store.Prune, observer: s.observer(), settings: s.current, keep: s.Retention, clock: s.Clock, log: s.Log}
}

func (s *Spine) memberPruner() *pruner {
	p := s.pruner()
	p.rows, p.step, p.keep = "fact_usage", s.Store.PruneMembers, s.RetentionMembers
	return p
}

func (s *Spine) factorLoop() *factorLoop {
	return &factorLoop{
		store: s.Store, observer: s.observer(), settings: s.current, clock: s.Clock, log: s.Log, wakeEvery: s.WakeEvery,
		news: s.woken.factors, changed: s.Witness.Changed,
	}
}

func (s *Spine) others() *othersLoop {
	return &othersLoop{store: s.Store, clock: s.Clock, log: s.Log, wakeEvery: s.WakeEvery, changed: s.changed}
}

// changed announces that the store has something new.
func (s *Spine) changed(ctx context.Context) {
	s.Witness.Changed(ctx)
	nudge(s.woken.changed)
	nudge(s.woken.factors)
	nudge(s.woken.final)
}

// nudge rings c, unless it has a ring already.
func nudge(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// othersLoop notices what other programs write to the store: a forgotten person disappears from
// /metrics, and a backfill appears there, before the next interval.
type othersLoop struct {
	store interface {
		// Others reports whether another program has written since the last call.
		Others(ctx context.Context) (wrote bool, err error)
	}
	clock     clock.Clock
	log       *slog.Logger
	wakeEvery time.Duration
	changed   func(ctx context.Context)
}

// run checks often, because that costs nothing and somebody may be waiting.
func (l *othersLoop) run(ctx context.Context) {
	const often = 6 // times as often as the other loops wake
	for l.clock.Sleep(ctx, l.wakeEvery/often, nil); ctx.Err() == nil; l.clock.Sleep(ctx, l.wakeEvery/often, nil) {
		wrote, err := l.store.Others(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			l.log.Warn("Looking for changes by other programs failed", "err", err)
		case wrote:
			l.changed(ctx)
		}
	}
}
