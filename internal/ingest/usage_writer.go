// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// writeAtOnce bounds the intervals written to another system together, and so the memory
	// they take.
	writeAtOnce = 20
	// writeEvery is how soon changes by other programs are noticed.
	writeEvery = time.Minute
)

// RollupStore returns what another system does not have yet.
type RollupStore interface {
	Rollups(ctx context.Context, writer string, limit int) ([]usage.Rollup, error)
	RollupsWritten(ctx context.Context, writer string, revision int64) error
	RollupsPending(ctx context.Context, writer string) (int, error)
}

// writerLoop writes usage to another system as it changes in the store. The store keeps the
// position: a system that was down for days gets everything that it missed, each interval in
// its latest version.
type writerLoop struct {
	store     RollupStore
	observer  Observer
	outages   *outages
	pending   func(intervals int) // receives the number not yet written
	settings  func() Settings
	clock     clock.Clock
	log       *slog.Logger
	wakeEvery time.Duration
	changed   <-chan struct{} // rung when the store has something new
}

func (l *writerLoop) run(ctx context.Context) {
	pause := backoff{longest: 5 * time.Minute}
	prepared := int64(-1)
	for ctx.Err() == nil {
		set := l.settings()
		if set.UsageWriter == nil {
			l.clock.Sleep(ctx, l.wakeEvery, l.changed)
			continue
		}
		err := error(nil)
		if prepared != set.generation {
			err = set.UsageWriter.Prepare(ctx)
		}
		if err == nil {
			prepared = set.generation
			err = l.write(ctx, set.UsageWriter)
		}
		if err != nil && ctx.Err() == nil {
			next := pause.after(err, l.clock)
			l.log.Debug("Writing usage to MongoDB failed", "err", err, "retry_in", next.Round(time.Millisecond))
			l.outages.told(err, l.outages.usageWriter, set.UsageWriter.Name())
			if n, err := l.store.RollupsPending(ctx, set.UsageWriter.Name()); err == nil {
				l.pending(n)
			}
			l.clock.Sleep(ctx, next, nil) // new usage is no reason to try sooner
			continue
		}
		pause.reset()
		l.outages.usageWriter.over()
		l.clock.Sleep(ctx, writeEvery, l.changed)
	}
}

// write writes everything that is pending.
func (l *writerLoop) write(ctx context.Context, w UsageWriter) error {
	for {
		n, err := l.store.RollupsPending(ctx, w.Name())
		if err != nil {
			return err
		}
		l.pending(n)
		if n == 0 {
			return nil
		}
		rollups, err := l.store.Rollups(ctx, w.Name(), writeAtOnce)
		if err != nil || len(rollups) == 0 {
			return err
		}
		began := l.clock.Now()
		err = w.Write(ctx, rollups)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		l.observer.Requested(usage.SourceUsageWriter, l.clock.Now().Sub(began), err)
		if err != nil {
			return fmt.Errorf("write usage of %s and later: %w", rollups[0].Interval, err)
		}
		l.outages.usageWriter.gain(len(rollups))
		l.log.Debug("Wrote usage to MongoDB", "from", rollups[0].Interval, "intervals", len(rollups))
		err = l.store.RollupsWritten(ctx, w.Name(), rollups[len(rollups)-1].Revision)
		if wrote(ctx, l.observer, err); err != nil {
			return err
		}
	}
}
