// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
)

// Exporter is an exporter without sockets and without a log, for a rehearsal: it runs by the
// clock that it is given.
type Exporter struct{ daemon *daemon }

// Open opens the store at a path, or creates it. Workspace metrics are on.
func Open(ctx context.Context, cfg *config.Config, path string, c clock.Clock) (*Exporter, error) {
	keeper, err := store.Open(ctx, path, store.Options{Exclusive: true, Interval: time.Duration(cfg.Interval), Timezone: cfg.Location()})
	if err != nil {
		return nil, err
	}
	d, err := newDaemon(ctx, flags{storagePath: path, workspaces: true}, cfg, keeper, slog.New(slog.DiscardHandler), c)
	if err != nil {
		return nil, errors.Join(err, keeper.Close())
	}
	d.spine.WakeEvery = time.Hour // only a real clock jumps
	d.busy = true                 // its hours of waiting take no time
	return &Exporter{d}, nil
}

// Replace lets change replace upstreams of the configuration.
func (e *Exporter) Replace(change func(*ingest.Settings)) {
	cfg, _ := e.daemon.current()
	made := e.daemon.currentParts()
	change(&made.Settings)
	e.daemon.use(cfg, made)
	e.daemon.spine.Reload(made.Settings)
}

// Backfill collects a period as carbontool backfill does.
func (e *Exporter) Backfill(ctx context.Context, over ingest.Range) error {
	d := e.daemon
	worker := &ingest.Worker{Store: d.store, Observer: d, Clock: d.clock, Log: d.log, Settings: d.currentParts().Settings}
	done, err := worker.Backfill(ctx, over)
	if err == nil && len(done.Failed) > 0 {
		err = fmt.Errorf("%d intervals failed: %+v", len(done.Failed), done.Failed[0])
	}
	return err
}

// Work runs until ctx ends.
func (e *Exporter) Work(ctx context.Context) { e.daemon.work(ctx) }

// Metrics returns the handler of /metrics.
func (e *Exporter) Metrics() http.Handler { return e.daemon.exposition }

// Landing returns the handler of the landing page.
func (e *Exporter) Landing() http.Handler { return http.HandlerFunc(e.daemon.landing) }

// Close closes the store.
func (e *Exporter) Close() error {
	return errors.Join(e.daemon.currentParts().Close(), e.daemon.store.Close())
}
