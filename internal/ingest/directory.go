// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// DirectoryStore stores the directory.
type DirectoryStore interface {
	Directory(ctx context.Context) (directory.Directory, error)
	SaveDirectory(ctx context.Context, l directory.Learned, homes bool) (stale int, err error)
}

// DirectoryObserver receives the state of the directory.
type DirectoryObserver interface {
	// Directory receives the time at which the current directory was read.
	Directory(asOf time.Time)
	RejectedRecords(rejects []directory.RecordReject)
}

// book holds the current directory with the attribution made from it, a page.
type book struct {
	store    DirectoryStore
	observer DirectoryObserver
	clock    clock.Clock
	began    time.Time // start of the program

	mu      sync.Mutex // one goroutine at a time reads the store or learns
	current atomic.Pointer[page]
	saved   atomic.Pointer[directory.Directory] // as stored; nil: not read yet
	refused atomic.Pointer[string]              // what was last said of refused rows; nil: nothing yet
}

// page is one state of the book.
type page struct {
	attribution Attribution
	generation  int64 // generation of the settings that it was made with
}

// errOtherPage means that a record was attributed by a directory that is no longer current.
var errOtherPage = errors.New("the directory has changed")

// isCurrent reports whether a page is still the current one. It takes no lock: it is called
// inside a transaction, which a learner may be waiting for.
func (b *book) isCurrent(p *page) bool { return b.current.Load() == p }

// page returns the current attribution. The first one is made from the stored directory, so
// that a start without MongoDB attributes usage as before. Settings without a directory have an
// attribution without one.
func (b *book) page(ctx context.Context, set Settings) (*page, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.current.Load(); p != nil && p.generation >= set.generation {
		return p, nil
	}
	known := &directory.Directory{}
	if set.Directory != nil {
		var err error
		if known, err = b.recall(ctx); err != nil {
			return nil, err
		}
	}
	p := &page{attribution: set.Attribution(*known), generation: set.generation}
	b.current.Store(p)
	return p, nil
}

// recall reads the directory of the store, once.
func (b *book) recall(ctx context.Context) (*directory.Directory, error) {
	if known := b.saved.Load(); known != nil {
		return known, nil
	}
	known, err := b.store.Directory(ctx)
	if err != nil {
		return nil, err
	}
	b.saved.Store(&known)
	b.observer.Directory(known.AsOf)
	return &known, nil
}

// turn learns from a census and stores what is new. It replaces the page first: a record made
// from the old page is then refused if it comes after this transaction, and found due again by
// it if it came before. What cannot be stored is learned again at the next reading.
func (b *book) turn(ctx context.Context, set Settings, census directory.Census) (stale int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	known, err := b.recall(ctx)
	if err != nil {
		return 0, err
	}
	learned := set.Directory.Learn(*known, census)
	if !nothingNew(learned) {
		b.current.Store(&page{attribution: set.Attribution(learned.Directory), generation: set.generation})
	}
	stale, err = b.store.SaveDirectory(ctx, learned, set.Directory.Homes)
	if err == nil {
		b.saved.Store(&learned.Directory)
	}
	return stale, err
}

func nothingNew(l directory.Learned) bool {
	return len(l.Tenures) == 0 && len(l.People) == 0 && len(l.Memberships) == 0 && len(l.Hosts) == 0 && len(l.Names) == 0
}

// asOf is the time at which the current directory was read; zero: never.
func (b *book) asOf() time.Time {
	if known := b.saved.Load(); known != nil {
		return known.AsOf
	}
	return time.Time{}
}

// mayChangeHands reports whether the attribution of an interval may still change, so that it
// must not settle yet although its price is final: after a start on old history, usage must not
// stay unattributed just because MongoDB answers a second later than Prometheus. It waits until
// a directory was read after the interval's end and, if it is due, until the interval was
// attributed again. MongoDB has settle_after since the start of the program for that; then it
// counts as down, and the interval settles as it is attributed.
func (b *book) mayChangeHands(set Settings, i usage.Interval, again bool) bool {
	if set.Directory == nil || !b.clock.Now().Before(b.began.Add(set.SettleAfter)) {
		return false
	}
	asOf := b.asOf()
	return again || asOf.Before(i.End()) || asOf.After(b.clock.Now())
}

// librarian is the loop that reads the directory and keeps the book up to date.
type librarian struct {
	book      *book
	observer  Observer
	outages   *outages // nil: a command, which tells of its own
	nobody    *nobody  // likewise
	settings  func() Settings
	clock     clock.Clock
	log       *slog.Logger
	wakeEvery time.Duration
	readable  <-chan struct{} // rung when settings change, perhaps to another directory
	due       chan<- struct{} // rung when intervals must be attributed again
	unpriced  chan<- struct{} // rung when intervals may settle now
}

// run reads the directory at intervals. Energy does not wait for it: intervals attributed by an
// older directory are attributed again as long as they are not settled.
func (l *librarian) run(ctx context.Context) {
	pause := backoff{longest: 5 * time.Minute}
	for ctx.Err() == nil {
		set := l.settings()
		if set.Directory == nil {
			l.clock.Sleep(ctx, l.wakeEvery, l.readable)
			continue
		}
		next := set.Directory.Every
		// The stored directory first: its age is shown even while MongoDB is down.
		_, err := l.book.page(ctx, set)
		if err == nil {
			err = l.learn(ctx, set)
		}
		if err != nil && ctx.Err() == nil {
			next = min(pause.after(err, l.clock), next)
			l.log.Debug("Reading the directory failed", "err", err, "retry_in", next.Round(time.Millisecond))
			l.away(err, set)
		} else {
			pause.reset()
		}
		l.clock.Sleep(ctx, next, l.readable)
	}
}

// away tells of a directory that cannot be read.
func (l *librarian) away(err error, set Settings) {
	words := l.outages.directory.words.meanwhile
	if l.book.asOf().IsZero() {
		words = "there is none yet: users come from labels, and usage is attributed again once it can be read"
	}
	l.outages.toldMeanwhile(err, l.outages.directory, set.Addresses.Directory, words)
}

// learn reads the directory once and makes it the current one, completely or not at all.
func (l *librarian) learn(ctx context.Context, set Settings) error {
	began := l.clock.Now()
	census, rejects, err := set.Directory.Census(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	took := l.clock.Now().Sub(began)
	l.observer.Requested(set.Directory.Source, took, err)
	if err != nil {
		return err
	}
	// As of when the reading began: it may miss changes made meanwhile.
	census.AsOf = began
	l.book.observer.RejectedRecords(rejects)
	l.refusedRecords(rejects)
	stale, err := l.book.turn(ctx, set, census)
	if wrote(ctx, l.observer, err); err != nil {
		return err
	}
	l.book.observer.Directory(census.AsOf)
	l.log.Debug("Read the directory", "workspaces", len(census.Workspaces), "people", len(census.People), "took", took)
	if stale > 0 {
		l.log.Info("The directory has changed; attributing unsettled intervals again", "intervals", stale)
		nudge(l.due)
	}
	nudge(l.unpriced) // intervals that waited for it may settle now
	if l.outages != nil {
		l.outages.directory.gain(stale)
		l.outages.directory.over()
		l.nobody.see(ctx, set, census, rejects)
	}
	return nil
}

// learnUpTo reads the directory once, unless the current one was read after the given time. If
// that fails, the current one has to do.
func (l *librarian) learnUpTo(ctx context.Context, set Settings, until time.Time) {
	if set.Directory == nil {
		return
	}
	_, err := l.book.page(ctx, set) // loads the stored directory
	// One read in the future is from a clock that ran ahead.
	if asOf := l.book.asOf(); err == nil && (asOf.Before(until) || asOf.After(l.clock.Now())) {
		err = l.learn(ctx, set)
	}
	if err != nil && ctx.Err() == nil {
		l.log.Warn("Reading the directory failed; using the last one", "as_of", l.book.asOf(), "err", err)
	}
}
