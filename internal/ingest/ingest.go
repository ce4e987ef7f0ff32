// Package ingest is the spine: what is due is asked for, turned into facts and
// committed, and priced again when the grid says more. It knows the order of
// the steps and the life of an interval; it must not know HTTP, SQL or how a
// step does its work. Start with Spine.collect for energy and Spine.reprice for
// carbon: the two never wait for each other.
package ingest

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Source gives CPU seconds of a run of adjacent intervals, all or nothing.
type Source interface {
	Read(ctx context.Context, run []usage.Interval) ([]usage.Reading, usage.Rejects, error)
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

// Attribution adds samples up by whose they are.
type Attribution interface {
	Shares(samples []usage.Sample) []usage.Share
}

// Store keeps the record. Each method is one transaction.
type Store interface {
	Schedule(ctx context.Context, first usage.Interval, until time.Time) (wrote bool, err error)
	RetryNow(ctx context.Context) error
	Due(ctx context.Context, now time.Time, limit int) ([]usage.Due, error)
	Failed(ctx context.Context, intervals []usage.Interval, why error, retry time.Time) error
	Commit(ctx context.Context, rec usage.Record) error
	Pending(ctx context.Context) ([]usage.Pending, error)
	Reprice(ctx context.Context, i usage.Interval, prices []usage.PiecePrice, state usage.State) error
	SaveSlots(ctx context.Context, slots []usage.Slot) error
	Slots(ctx context.Context, provider, grid string, from, to time.Time) ([]usage.Slot, error)
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
}

// Settings are what the operator decides. A reload replaces them as a whole.
type Settings struct {
	Interval    time.Duration
	Lookback    time.Duration
	SettleAfter time.Duration
	Lag         time.Duration // after an interval's end, for late scrapes
	Source      Source
	Grid        Grid
	Attribution Attribution
	// Power gives the model in force for what was used at a time.
	Power func(ctx context.Context, at time.Time) (Power, error)
	PUE   float64
}

// Spine runs the steps. Its fields are set before Run and not changed after;
// Settings go through Reload.
type Spine struct {
	Store   Store
	Witness Witness
	Now     func() time.Time
	Log     *slog.Logger

	mu       sync.Mutex // over Settings
	settings Settings
	reloaded chan struct{}
	reloads  atomic.Int64 // how many there were

	// writing holds what must not happen between reading prices and committing
	// facts with them: a price that comes in just then would be missed.
	writing sync.Mutex

	unpriced chan struct{} // facts are waiting for a price nobody has asked for
}

// New makes a spine with its first settings.
func New(store Store, witness Witness, log *slog.Logger, now func() time.Time, settings Settings) *Spine {
	return &Spine{
		Store: store, Witness: witness, Log: log, Now: now, settings: settings,
		reloaded: make(chan struct{}, 1), unpriced: make(chan struct{}, 1),
	}
}

// Reload puts other settings in force, from the next step on. Both upstreams are
// asked at once, whatever was being waited for.
func (s *Spine) Reload(settings Settings) {
	s.mu.Lock()
	s.settings = settings
	s.mu.Unlock()
	s.reloads.Add(1)
	nudge(s.reloaded)
	nudge(s.unpriced)
}

func (s *Spine) current() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings
}

// Run works until ctx ends and returns when both loops have.
func (s *Spine) Run(ctx context.Context) {
	var loops sync.WaitGroup
	loops.Go(func() { s.runEnergy(ctx) })
	loops.Go(func() { s.runCarbon(ctx) })
	loops.Wait()
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
