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

// DirectoryStore remembers what the directory has said.
type DirectoryStore interface {
	Directory(ctx context.Context) (directory.Directory, error)
	SaveDirectory(ctx context.Context, l directory.Learned, homes bool) (stale int, err error)
}

// DirectoryObserver is told about the directory.
type DirectoryObserver interface {
	// Directory says when the current directory was read.
	Directory(asOf time.Time)
	RejectedRecords(rejects []directory.RecordReject)
}

// book holds the current directory, and the attribution made from it: a page.
type book struct {
	store    DirectoryStore
	observer DirectoryObserver
	clock    clock.Clock
	began    time.Time // of the program

	mu      sync.Mutex // one reader of the store, one learner at a time
	current atomic.Pointer[page]
	saved   atomic.Pointer[directory.Directory] // as it is in the store; nil: not read yet
}

// page is one state of the book.
type page struct {
	attribution Attribution
	generation  int64 // of the settings that it was made with
}

// errOtherPage says that a record was attributed by a directory that is no longer
// current.
var errOtherPage = errors.New("the directory has changed")

// isCurrent says whether no other page was turned to. It takes no lock: it is asked
// inside a transaction, which a learner may be waiting for.
func (b *book) isCurrent(p *page) bool { return b.current.Load() == p }

// page is the current attribution. The first one is made from what the store
// remembers, so that a start without MongoDB attributes as before it; and
// settings without a directory have none.
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

// turn learns from a census and stores what is new. The page is turned first:
// whatever is stored by the old page after this transaction finds out that it is
// not current any more, and what was stored before is found to be due again by it.
// What cannot be stored is learned again with the next reading.
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
	return len(l.Tenures) == 0 && len(l.People) == 0 && len(l.Memberships) == 0 && len(l.Hosts) == 0
}

// asOf is when the current directory was read; zero: never.
func (b *book) asOf() time.Time {
	if known := b.saved.Load(); known != nil {
		return known.AsOf
	}
	return time.Time{}
}

// mayChangeHands says that an interval is not to be final yet, though its price
// is: a start on old history must not make it unattributed for ever because MongoDB
// answers a second later than Prometheus. It waits until a directory was read after
// its end, and until it was attributed again if that is due. MongoDB has
// settle_after since the start of the program for that; after that it is away, and
// the interval belongs to whom it is known to belong.
func (b *book) mayChangeHands(set Settings, i usage.Interval, again bool) bool {
	if set.Directory == nil || !b.clock.Now().Before(b.began.Add(set.SettleAfter)) {
		return false
	}
	return again || b.asOf().Before(i.End())
}

// librarian reads the directory: the loop that keeps the book up to date.
type librarian struct {
	book      *book
	observer  Observer
	settings  func() Settings
	clock     clock.Clock
	log       *slog.Logger
	wakeEvery time.Duration
	readable  <-chan struct{} // other settings may have another directory
	due       chan<- struct{} // told when intervals are to be attributed again
	unpriced  chan<- struct{} // told when intervals may be final now
}

// run reads the directory again and again. Energy does not wait for it: what was
// attributed by an older one is done again while it is not settled.
func (l *librarian) run(ctx context.Context) {
	pause := backoff{longest: 5 * time.Minute}
	for ctx.Err() == nil {
		set := l.settings()
		if set.Directory == nil {
			l.clock.Sleep(ctx, l.wakeEvery, l.readable)
			continue
		}
		next := set.Directory.Every
		// What the store remembers first: its age is to be seen though MongoDB is away.
		_, err := l.book.page(ctx, set)
		if err == nil {
			err = l.learn(ctx, set)
		}
		if err != nil && ctx.Err() == nil {
			next = min(pause.after(err), next)
			l.log.Error("Reading the directory failed", "err", err, "retry_in", next.Round(time.Millisecond))
		} else {
			pause.reset()
		}
		l.clock.Sleep(ctx, next, l.readable)
	}
}

// learn reads the directory once and makes it the current one: all of it or
// nothing.
func (l *librarian) learn(ctx context.Context, set Settings) error {
	began := l.clock.Now()
	census, rejects, err := set.Directory.Census(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	took := l.clock.Now().Sub(began)
	l.observer.Requested(usage.SourceMongoDB, took, err)
	if err != nil {
		return err
	}
	// As of when it was begun: what has changed while it was read is not known.
	census.AsOf = began
	l.book.observer.RejectedRecords(rejects)
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
	nudge(l.unpriced) // what has waited for it may be final now
	return nil
}

// learnUpTo reads the directory once, unless one is known that was read later than
// the given time. Where it can't be had, what is known has to do.
func (l *librarian) learnUpTo(ctx context.Context, set Settings, until time.Time) {
	if set.Directory == nil {
		return
	}
	_, err := l.book.page(ctx, set) // recalls what is known
	if err == nil && l.book.asOf().Before(until) {
		err = l.learn(ctx, set)
	}
	if err != nil && ctx.Err() == nil {
		l.log.Warn("Reading the directory failed; using the last one", "as_of", l.book.asOf(), "err", err)
	}
}
