package ingest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// book holds the directory in force and the attribution made from it, a page.
type book struct {
	mu      sync.Mutex
	current *page
	saved   *usage.Directory // as it is in the store; nil: not read yet
}

// page is one state of the book.
type page struct {
	attribution Attribution
	generation  int64 // of the settings that it was made with
}

// errOtherPage says that a record was attributed by a directory that is no longer
// in force.
var errOtherPage = errors.New("the directory has changed")

// open says whether a page is in force.
func (b *book) open(p *page) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current == p
}

// page is the attribution in force. The first one is made from what the store
// remembers, so that a start without MongoDB attributes as before it; and
// settings without a directory have none.
func (s *Spine) page(ctx context.Context, set Settings) (*page, error) {
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	if p := s.book.current; p != nil && p.generation >= set.generation {
		return p, nil
	}
	var known usage.Directory
	if set.Directory != nil {
		if err := s.recall(ctx); err != nil {
			return nil, err
		}
		known = *s.book.saved
	}
	s.book.current = &page{attribution: set.Attribution(known), generation: set.generation}
	return s.book.current, nil
}

// recall reads the directory of the store, once.
func (s *Spine) recall(ctx context.Context) error {
	if s.book.saved != nil {
		return nil
	}
	known, err := s.Store.Directory(ctx)
	if err != nil {
		return err
	}
	s.book.saved = &known
	s.Witness.Directory(known.AsOf)
	return nil
}

// runDirectory reads the directory again and again, for ever. Energy does not
// wait for it: what was attributed by an older one is done again while it is not
// settled.
func (s *Spine) runDirectory(ctx context.Context) {
	pause := backoff{longest: 5 * time.Minute}
	for ctx.Err() == nil {
		set := s.current()
		if set.Directory == nil {
			wait(ctx, s.WakeEvery, s.readable)
			continue
		}
		next := set.Directory.Every
		// What the store remembers first: its age is to be seen though MongoDB is away.
		_, err := s.page(ctx, set)
		if err == nil {
			err = s.learn(ctx, set)
		}
		if err != nil && ctx.Err() == nil {
			next = min(pause.after(err), next)
			s.Log.Error("Reading the directory failed", "err", err, "retry_in", next.Round(time.Millisecond))
		} else {
			pause.reset()
		}
		wait(ctx, next, s.readable)
	}
}

// learn reads the directory once and puts it in force: all of it or nothing.
func (s *Spine) learn(ctx context.Context, set Settings) error {
	began := s.Now()
	census, rejects, err := set.Directory.Census(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.Witness.Asked(usage.SourceMongoDB, s.Now().Sub(began), err)
	if err != nil {
		return err
	}
	// As of when it was begun: what has changed while it was read is not known.
	census.AsOf = began
	s.Witness.RejectedRecords(rejects)
	stale, err := s.keepDirectory(ctx, set, census)
	if s.wrote(ctx, err); err != nil {
		return err
	}
	s.Witness.Directory(census.AsOf)
	if stale > 0 {
		s.Log.Info("The directory says more of what is not settled yet, attributing again", "intervals", stale)
		nudge(s.due)
	}
	nudge(s.unpriced) // who waited for it may be final now
	return nil
}

// learnUpTo reads the directory once, unless one is known that was read later than
// the given time. Where it can't be had, what is known has to do.
func (s *Spine) learnUpTo(ctx context.Context, set Settings, until time.Time) {
	if set.Directory == nil {
		return
	}
	_, err := s.page(ctx, set) // recalls what is known
	if err == nil && s.asOf().Before(until) {
		err = s.learn(ctx, set)
	}
	if err != nil && ctx.Err() == nil {
		s.Log.Warn("Reading the directory failed, attributing by what is known", "as_of", s.asOf(), "err", err)
	}
}

// keepDirectory turns the page and stores what was learned, under the lock that
// commits hold, so that no interval is committed by the old page after it was
// not found among those to do again. What cannot be stored is learned again with
// the next reading.
func (s *Spine) keepDirectory(ctx context.Context, set Settings, census usage.Census) (stale int, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	if err := s.recall(ctx); err != nil {
		return 0, err
	}
	learned := set.Directory.Learn(*s.book.saved, census)
	if !nothingNew(learned) {
		s.book.current = &page{attribution: set.Attribution(learned.Directory), generation: set.generation}
	}
	stale, err = s.Store.SaveDirectory(ctx, learned, set.Directory.Homes)
	if err == nil {
		s.book.saved = &learned.Directory
	}
	return stale, err
}

// mayChangeHands says that an interval is not to be final yet, though its price
// is: a start on old history must not make it nobody's for ever because MongoDB
// answers a second later than Prometheus. It waits until a directory was read after
// its end, and until it was attributed again if that is due. MongoDB has
// settle_after since the start of the program for that; after that it is away, and
// the interval is whose it is known to be.
func (s *Spine) mayChangeHands(set Settings, i usage.Interval, again bool) bool {
	if set.Directory == nil || !s.Now().Before(s.began.Add(set.SettleAfter)) {
		return false
	}
	return again || s.asOf().Before(i.End())
}

// asOf is when the directory in force was read.
func (s *Spine) asOf() time.Time {
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	if s.book.saved == nil {
		return time.Time{}
	}
	return s.book.saved.AsOf
}

func nothingNew(l usage.Learned) bool {
	return len(l.Tenures) == 0 && len(l.People) == 0 && len(l.Memberships) == 0 && len(l.Hosts) == 0
}
