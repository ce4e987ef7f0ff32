// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
)

// serve opens the store, starts the spine and the web server, and waits until ctx ends, the
// server fails, the store's file is gone or a client requests shutdown. It then calls stop.
func serve(ctx context.Context, stop func(), f flags, cfg *config.Config, log *slog.Logger) (err error) {
	// From the first moment: a SIGHUP while the store is being opened must not end the program.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	sayRetention(log, "--storage.retention", "per-key usage", f.retention)
	sayRetention(log, "--storage.retention.members", "usage per interval of projects, machines and users", f.retentionMembers)
	keeper, err := store.Open(ctx, f.storagePath, store.Options{Exclusive: true, Interval: time.Duration(cfg.Interval), Timezone: cfg.Location()})
	if err != nil {
		if ctx.Err() != nil {
			return nil // asked to end while opening
		}
		if errors.Is(err, sqlite.ErrDiskFull) || errors.Is(err, sqlite.ErrBusy) {
			return err // not an error of the store
		}
		return storeError{err}
	}
	defer func() {
		closed := keeper.Close()
		switch {
		case closed == nil:
		case errors.Is(closed, sqlite.ErrGone) && err == nil:
			err = storeError{fmt.Errorf("store %w", closed)}
		case !errors.Is(closed, sqlite.ErrGone): // else it would be reported twice
			log.Error("Closing the store failed", "err", closed)
		}
	}()
	d, err := newDaemon(ctx, f, cfg, keeper, log, clock.Real{})
	if err != nil && ctx.Err() != nil {
		return nil // asked to end while reading the store
	}
	if err != nil {
		return err
	}
	d.spine.Built = built()
	return d.run(ctx, stop, hangup)
}

func sayRetention(log *slog.Logger, flag, what string, keep time.Duration) {
	switch {
	case keep == 0:
	case keep < ingest.LeastRetention:
		log.Warn("Budgets need more than "+flag+"; keeping "+what+" longer",
			"asked", model.Duration(keep), "kept", model.Duration(ingest.LeastRetention))
	default:
		log.Info("Deleting "+what+" older than the retention period", "kept", model.Duration(keep))
	}
}
