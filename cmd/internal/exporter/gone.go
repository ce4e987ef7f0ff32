// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
)

// storeCheckEvery is how often the store's file is checked. A check costs three stat calls.
const storeCheckEvery = 2 * time.Second

// watchStore checks that the store's file is still the one that was opened, because there may
// be an hour between two writes. The store's Gone reports the result.
func (d *daemon) watchStore(ctx context.Context) {
	ticker := time.NewTicker(storeCheckEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = d.store.Check()
		}
	}
}

// checkAfter is when what was not checked before the store was opened is read: not beside the start
// and the first scrapes. Tests change it.
var checkAfter = time.Minute

// checkStore reads what was not checked before the store was opened, since that takes minutes in a
// large one, and passes on damage that it finds.
func (d *daemon) checkStore(ctx context.Context, damaged chan<- error) {
	clock.Real{}.Sleep(ctx, checkAfter, nil)
	err := d.store.CheckRest(ctx)
	switch {
	case ctx.Err() != nil || err == nil:
	case errors.Is(err, sqlite.ErrDamaged):
		damaged <- err
	default:
		d.log.Warn("Checking the store failed; carbontool check store checks all of it", "err", err)
	}
}

// untilGone discards log lines once the store's file is gone. The program then ends with one
// error that says so, which the errors of every loop would bury.
type untilGone struct {
	slog.Handler
	store *store.Store
}

// Enabled reports whether lines of a level are written. An error may be the first to show that the
// file is gone.
func (h untilGone) Enabled(ctx context.Context, level slog.Level) bool {
	if level >= slog.LevelError {
		_ = h.store.Check() // Gone says so
	}
	select {
	case <-h.store.Gone():
		return false
	default:
		return h.Handler.Enabled(ctx, level)
	}
}

// WithAttrs keeps Enabled.
func (h untilGone) WithAttrs(attrs []slog.Attr) slog.Handler {
	return untilGone{h.Handler.WithAttrs(attrs), h.store}
}

// WithGroup keeps Enabled.
func (h untilGone) WithGroup(name string) slog.Handler {
	return untilGone{h.Handler.WithGroup(name), h.store}
}
