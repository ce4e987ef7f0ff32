// Package ingest is the spine: what is due is asked for, turned into facts and
// committed, and priced again when the grid says more. It knows the order of
// the steps and the life of an interval; it must not know HTTP, SQL or how a
// step does its work. Start with Spine.collect for energy and Spine.reprice for
// carbon; learn and post go to MongoDB. None of them ever waits for another.
package ingest

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Source gives CPU seconds of a run of adjacent intervals, all or nothing.
type Source interface {
	Read(ctx context.Context, run []usage.Interval) ([]usage.Reading, usage.Rejects, error)
	// Asked gives the queries that Read asks for an interval.
	Asked(i usage.Interval) usage.Asked
	// Profiles says when in a piece the time of some series was used, where that
	// is known.
	Profiles(ctx context.Context, piece usage.Interval, series []usage.Series) (map[usage.Series]usage.Profile, error)
	// Booted says when hosts last booted, by label, where that is known.
	Booted(ctx context.Context, at time.Time) (map[string]time.Time, error)
}

// Grid gives the carbon intensity of one grid.
type Grid interface {
	Provider() string
	Grid() string
	// Slots gives those that start in [from, to); with an error, those it has.
	Slots(ctx context.Context, from, to time.Time) ([]usage.Slot, usage.Rejects, error)
	// Outlook gives the forecast from a time on.
	Outlook(ctx context.Context, from time.Time) ([]usage.Slot, usage.Rejects, error)
}

// Power turns CPU seconds into energy.
type Power interface {
	Rating(machine string) usage.Rating
	Energy(r usage.Rating, cpu usage.BusyIdle[usage.CPUSeconds]) usage.BusyIdle[usage.KWh]
}

// Attribution says whose a reading is.
type Attribution interface {
	// Handovers lists the series that change hands within the piece.
	Handovers(r usage.Reading) []usage.Series
	// Parts cuts every sample where it changes hands. What a profile is not there
	// for is cut by time.
	Parts(r usage.Reading, finer map[usage.Series]usage.Profile) []usage.Part
	// Since is when the workspace began that a host is at a time.
	Since(host string, at time.Time) (time.Time, bool)
}

// Directory is where it is written who had which host when.
type Directory struct {
	Census func(ctx context.Context) (usage.Census, []usage.RecordReject, error)
	Learn  func(known usage.Directory, c usage.Census) usage.Learned
	Every  time.Duration
	Homes  bool // whether it says which group people are in
}

// Postbox is where usage is sent on to.
type Postbox interface {
	Name() string // of the place: another one begins anew
	Prepare(ctx context.Context) error
	Write(ctx context.Context, postings []usage.Posting) error
}

// Store keeps the record. Each method is one transaction.
type Store interface {
	Schedule(ctx context.Context, first usage.Interval, until time.Time) (wrote bool, err error)
	RetryNow(ctx context.Context) error
	Due(ctx context.Context, now time.Time, limit int) ([]usage.Due, error)
	Failed(ctx context.Context, intervals []usage.Interval, why error, retry time.Time) error
	// Newest is the newest interval that is due and has never been tried; nil if
	// there is none.
	Newest(ctx context.Context, now time.Time) (*usage.Due, error)
	// CommitAll commits records in one transaction and says what became of each.
	CommitAll(ctx context.Context, recs []usage.Record) ([]usage.Outcome, error)
	Pending(ctx context.Context) ([]usage.Pending, error)
	Reprice(ctx context.Context, i usage.Interval, prices []usage.PiecePrice, state usage.State) error
	SaveSlots(ctx context.Context, slots []usage.Slot) error
	Slots(ctx context.Context, provider, grid string, from, to time.Time) ([]usage.Slot, error)
	ForecastErrors(ctx context.Context, provider, grid string, since time.Time) ([]usage.ForecastError, error)
	Directory(ctx context.Context) (usage.Directory, error)
	SaveDirectory(ctx context.Context, l usage.Learned, homes bool) (stale int, err error)
	SaveActive(ctx context.Context, active []usage.Active, now time.Time) error
	Estimate(ctx context.Context) error
	Postings(ctx context.Context, follower string, limit int) ([]usage.Posting, error)
	Posted(ctx context.Context, follower string, revision int64) error
	Unposted(ctx context.Context, follower string) (int, error)
	// Prune takes one short step of taking old facts at key grain away.
	Prune(ctx context.Context, now time.Time, keep time.Duration, follower string) (usage.Pruned, error)
	// Others says whether another program has written since it was last asked.
	Others(ctx context.Context) (wrote bool, err error)
}

// Witness is told what happens, for the metrics.
type Witness interface {
	Asked(source string, took time.Duration, err error)
	Rejected(usage.Rejects)
	Wrote(err error)
	// Changed says that the store holds something new.
	Changed(ctx context.Context)
	// Rested says that all that was due is done.
	Rested(ctx context.Context)
	// Grid gives the slots around now, whenever they change.
	Grid(slots []usage.Slot)
	// ForecastErrors says how good the forecasts of the last weeks were.
	ForecastErrors(all []usage.ForecastError)
	// Directory says as of when the directory in force is.
	Directory(asOf time.Time)
	RejectedRecords(rejects []usage.RecordReject)
	// PendingPostings says how many intervals are to be sent on.
	PendingPostings(n int)
}

// Settings are what the operator decides. A reload replaces them as a whole.
type Settings struct {
	Interval    time.Duration
	Lookback    time.Duration
	SettleAfter time.Duration
	Lag         time.Duration // after an interval's end, for late scrapes
	Source      Source
	Grid        Grid
	// Attribution is made anew whenever the directory is.
	Attribution func(usage.Directory) Attribution
	Directory   *Directory // nil: there is none
	Postbox     Postbox    // nil: there is none
	Workspaces  bool       // whether usage is kept by host, for as long as a workspace lives
	// Power gives the model in force for what was used at a time.
	Power func(ctx context.Context, at time.Time) (Power, error)
	PUE   float64

	generation int64 // how many reloads there were before
}

// Spine runs the steps. Its fields are set before Run and not changed after;
// Settings go through Reload.
type Spine struct {
	Store   Store
	Witness Witness
	Now     func() time.Time
	Log     *slog.Logger
	// Retention is how long facts are kept at key grain; 0: for ever.
	Retention time.Duration
	// WakeEvery bounds the sleep of the loops, so that a wall clock that jumps is
	// noticed: timers follow the monotonic clock. New makes it a minute; where the
	// clock is simulated it may be long.
	WakeEvery time.Duration

	mu       sync.Mutex // over settings
	settings Settings
	book     book

	due      chan struct{} // something may have come due
	readable chan struct{} // other settings may have another directory
	postable chan struct{} // the record has changed

	// writing holds what must not happen between reading prices and committing
	// facts with them: a price that comes in just then would be missed.
	writing sync.Mutex

	unpriced chan struct{} // facts are waiting for a price nobody has asked for, or to be final

	began time.Time
}

// New makes a spine with its first settings.
func New(store Store, witness Witness, log *slog.Logger, now func() time.Time, settings Settings) *Spine {
	return &Spine{
		Store: store, Witness: witness, Log: log, Now: now, settings: settings,
		WakeEvery: wakeEvery, began: now(),
		due: make(chan struct{}, 1), readable: make(chan struct{}, 1), postable: make(chan struct{}, 1),
		unpriced: make(chan struct{}, 1),
	}
}

// Reload puts other settings in force, from the next step on. Both upstreams are
// asked at once, whatever was being waited for.
func (s *Spine) Reload(settings Settings) {
	s.mu.Lock()
	settings.generation = s.settings.generation + 1
	s.settings = settings
	s.mu.Unlock()
	for _, c := range []chan struct{}{s.due, s.unpriced, s.readable, s.postable} {
		nudge(c)
	}
}

func (s *Spine) current() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings
}

// Run works until ctx ends and returns when all loops have.
func (s *Spine) Run(ctx context.Context) {
	var loops sync.WaitGroup
	loops.Go(func() { s.runEnergy(ctx) })
	loops.Go(func() { s.runCarbon(ctx) })
	loops.Go(func() { s.runDirectory(ctx) })
	loops.Go(func() { s.runPostings(ctx) })
	loops.Go(func() { s.runOthers(ctx) })
	loops.Go(func() { s.runRetention(ctx) })
	loops.Wait()
}

// changed says that the store holds something new.
func (s *Spine) changed(ctx context.Context) {
	s.Witness.Changed(ctx)
	nudge(s.postable)
}

// nudge wakes whoever waits on c, once.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// wait sleeps for d, or until woken or ctx ends.
func wait(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-wake:
	}
}
