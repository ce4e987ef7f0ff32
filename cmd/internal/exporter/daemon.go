// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/learning"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/collector"
	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/landing"
	"github.com/carbon-exporter/carbon_exporter/internal/privacy"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// shutdownTimeout is how long open requests may take to finish.
const shutdownTimeout = 5 * time.Second

// daemon is the running program. It is the spine's witness, which turns events into
// metrics, and notices into lines of the landing page.
type daemon struct {
	*collector.Health
	*landing.Board
	flags flags
	log   *slog.Logger
	clock clock.Clock
	store *store.Store
	spine *ingest.Spine
	quit  chan struct{}
	apart *store.Apart   // what the API reads; nil: it is off
	turns upstream.Turns // of all that ask Prometheus, also across reloads

	shown      atomic.Pointer[collector.Snapshot] // without usage by key; nil: nothing is yet
	numbers    atomic.Pointer[landing.Numbers]    // of the landing page
	grid       *collector.Grid
	exposition *collector.Exposition
	live       *prometheus.Registry // everything but usage

	reloading  sync.Mutex // one reload at a time, by signal or request
	pace       *pace
	publishing sync.Mutex // one snapshot at a time, in order; also guards the following
	lost       map[string]string
	many       bool            // whether there are nearly too many samples
	caughtUp   atomic.Bool     // whether everything due has been collected once
	upToDate   chan struct{}   // rings when that has become so
	busy       bool            // there are no hours of waiting: see Rested
	mu         sync.Mutex      // guards the following
	generation int64           // of what answers of the API depend on beside the store
	named      map[string]bool // users that are shown as somebody; nil: all
	config     *config.Config
	parts      *parts.Parts
	nextReload *reload // waits for the one under way; nil: there is none
}

func newDaemon(ctx context.Context, f flags, cfg *config.Config, keeper *store.Store, log *slog.Logger, c clock.Clock) (*daemon, error) {
	live := prometheus.NewRegistry()
	log = slog.New(untilGone{log.Handler(), keeper})
	d := &daemon{
		Health: collector.NewHealth(live, c.Now), Board: &landing.Board{Now: c.Now},
		flags: f, log: log, clock: c, store: keeper, config: cfg, quit: make(chan struct{}, 1), upToDate: make(chan struct{}, 1),
		pace: newPace(),
		grid: collector.NewGrid(c.Now), live: live, exposition: collector.NewExposition(live, log, c.Now),
	}
	live.MustRegister(d.grid, versioncollector.NewCollector("carbon_exporter"),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	made, err := parts.New(cfg, keeper, c.Now, f.workspaces, &d.turns)
	if err != nil {
		return nil, configError{fmt.Errorf("%s: %w", f.configFile, err)}
	}
	d.addLake(cfg, made)
	d.use(cfg, made)
	d.spine = ingest.New(keeper, d, log, c, made.Settings)
	d.spine.Retention, d.spine.RetentionMembers = f.retention, f.retentionMembers
	d.Reloaded(nil)
	d.Wrote(nil) // opening the store was a write
	d.warnOfBudgets(ctx, cfg)
	d.sayLabels(cfg)
	if err := d.publish(ctx); err != nil {
		return nil, fmt.Errorf("read store %s: %w", f.storagePath, err)
	}
	return d, d.openAPI(ctx)
}

// run serves until ctx ends, the server fails, the store's file is gone or damaged, or a client
// requests shutdown. It then calls stop and ends what it has started.
func (d *daemon) run(ctx context.Context, stop func(), hangup <-chan os.Signal) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := d.server()
	served := make(chan error, 1)
	go func() { served <- web.ListenAndServe(server, d.flags.web, slog.New(webLog{d.log.Handler()})) }()
	var running sync.WaitGroup
	running.Go(func() { d.work(ctx) })
	running.Go(func() { d.reloadOnHangup(ctx, hangup) })
	running.Go(func() { d.watchStore(ctx) })
	damaged := make(chan error, 1)
	running.Go(func() { d.checkStore(ctx, damaged) })

	var err, gone error
	ended := false
	select {
	case <-ctx.Done():
	case <-d.quit:
	case <-d.store.Gone():
		gone = d.store.Check()
		d.Wrote(gone)
	case gone = <-damaged:
		d.Wrote(gone)
	case err = <-served:
		ended = true
	}
	stop()
	cancel()
	ending, done := context.WithTimeout(context.Background(), shutdownTimeout)
	defer done()
	if server.Shutdown(ending) != nil {
		server.Close() //nolint:errcheck // cuts off clients that are still reading
	}
	running.Wait()
	if err := errors.Join(d.currentParts().Close(), d.closeAPI()); err != nil {
		d.log.Warn("Closing connections failed", "err", err)
	}
	if !ended {
		err = <-served
	}
	if gone != nil {
		return storeError{gone}
	}
	if err == nil || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}

// work runs the loops, by the daemon's clock, until ctx ends.
func (d *daemon) work(ctx context.Context) {
	learn := learning.Loop{
		Clock: d.clock, Log: d.log, Store: d.store, Ready: d.caughtUp.Load, Wake: d.upToDate,
		Config: func() *config.Config { cfg, _ := d.current(); return cfg }, Turns: &d.turns,
	}
	d.clock.Run(func() { d.spine.Run(ctx) }, func() { d.followDays(ctx) }, func() { d.sumMonths(ctx) }, func() { learn.Run(ctx) })
}

// Changed publishes a new snapshot, at once or with other changes: see pace.
func (d *daemon) Changed(ctx context.Context) {
	if d.pace.now(d.clock.Now()) {
		d.refresh(ctx)
	}
}

// refresh publishes a new snapshot. If that fails, the last one stays.
func (d *daemon) refresh(ctx context.Context) {
	if err := d.publish(ctx); err != nil && ctx.Err() == nil {
		d.log.Error("Reading the store for /metrics failed", "err", err)
	}
}

// Rested returns memory to the system: catching up needs more of it than the hours of waiting
// that follow, and Go would keep it as long as there is no garbage to collect.
func (d *daemon) Rested(ctx context.Context) {
	if !d.caughtUp.Swap(true) {
		d.upToDate <- struct{}{} // once, so there is room
		d.refresh(ctx)
	} else if _, waiting := d.pace.due(d.clock.Now()); waiting {
		d.refresh(ctx)
	}
	if d.busy {
		return
	}
	if err := d.store.Rest(ctx); err != nil && ctx.Err() == nil {
		d.log.Warn("Releasing store memory failed", "err", err)
	}
	debug.FreeOSMemory()
}

// Grid publishes what is known of the grid around now.
func (d *daemon) Grid(now usage.GridNow) { d.grid.Publish(now) }

// ForecastErrors publishes the errors of past forecasts.
func (d *daemon) ForecastErrors(all []usage.ForecastError) { d.grid.PublishErrors(all) }

func (d *daemon) current() (*config.Config, privacy.Labels) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.config, d.parts.Labels
}

func (d *daemon) currentParts() *parts.Parts {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.parts
}

// watchGrids shows the health of each source of carbon intensity, if there are several, in place of
// those that there were.
func (d *daemon) watchGrids(was, is []string) {
	for _, provider := range was {
		if !slices.Contains(is, provider) {
			d.Unwatch(usage.SourceOf(provider))
		}
	}
	for _, provider := range is {
		d.Watch(usage.SourceOf(provider))
	}
}

// use replaces the current parts and returns them.
func (d *daemon) use(cfg *config.Config, made *parts.Parts) (was *parts.Parts) {
	read := made.Settings.Directory
	for source, used := range map[string]bool{
		usage.SourceMongoDB:     read != nil && read.Source == usage.SourceMongoDB,
		usage.SourceDirectory:   read != nil && read.Source == usage.SourceDirectory,
		usage.SourceUsageWriter: made.Settings.UsageWriter != nil,
		usage.SourceLake:        made.Settings.Lake != nil,
	} {
		if used {
			d.Watch(source)
		} else {
			d.Unwatch(source)
		}
	}
	var before []string
	if now := d.currentParts(); now != nil {
		before = now.Settings.Providers()
	}
	d.watchGrids(before, made.Settings.Providers())
	d.grid.PublishSources(made.Settings.Sources())
	d.mu.Lock()
	defer d.mu.Unlock()
	was, d.parts, d.config = d.parts, made, cfg
	d.generation++
	return was
}
