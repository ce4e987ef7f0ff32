// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"log/slog"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// lakeEvery is how soon a day is published that became final without anything new in the store.
const lakeEvery = 5 * time.Minute

// Lake is where whole days are published once they are settled.
type Lake interface {
	Name() string
	// Publish publishes what there is, and tells how far it has come.
	Publish(ctx context.Context, told func(usage.LakeState)) error
	Close() error
}

// lakeLoop publishes days as they become final, and again when they were restated. The store keeps
// which: a lake that was away for weeks gets every day that it missed.
type lakeLoop struct {
	store interface {
		// LakeEnd says that there is no lake any more, for which pruning would wait.
		LakeEnd(ctx context.Context) error
	}
	observer  Observer
	outages   *outages
	told      func(usage.LakeState)
	settings  func() Settings
	clock     clock.Clock
	log       *slog.Logger
	wakeEvery time.Duration
	changed   <-chan struct{} // rung when the store has something new

	lake Lake // that was last used
}

func (l *lakeLoop) run(ctx context.Context) {
	pause := backoff{longest: 5 * time.Minute}
	ended := false // whether the store knows that there is none
	defer func() { l.use(nil) }()
	for ctx.Err() == nil {
		set := l.settings()
		l.use(set.Lake)
		if set.Lake == nil {
			if !ended {
				err := l.store.LakeEnd(ctx)
				ended = err == nil
			}
			l.clock.Sleep(ctx, l.wakeEvery, l.changed)
			continue
		}
		ended = false
		if err := l.publish(ctx, set.Lake); err != nil && ctx.Err() == nil {
			next := pause.after(err, l.clock)
			l.log.Debug("Publishing days to the lake failed", "err", err, "retry_in", next.Round(time.Millisecond))
			l.outages.told(err, l.outages.lake, set.Lake.Name())
			l.clock.Sleep(ctx, next, nil) // new usage is no reason to try sooner
			continue
		}
		pause.reset()
		l.clock.Sleep(ctx, lakeEvery, l.changed)
	}
}

// publish makes one attempt, and says how it went.
func (l *lakeLoop) publish(ctx context.Context, lake Lake) error {
	began, waited := l.clock.Now(), 0
	err := lake.Publish(ctx, func(is usage.LakeState) {
		l.outages.lake.gain(max(0, waited-is.Waiting))
		waited = is.Waiting
		l.told(is)
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil || usage.FailureOf(err) != nil {
		l.observer.Requested(usage.SourceLake, l.clock.Now().Sub(began), err)
	}
	if err == nil {
		l.outages.lake.over()
	}
	return err
}

// use closes the lake that is no longer used.
func (l *lakeLoop) use(lake Lake) {
	if l.lake != nil && l.lake != lake {
		if err := l.lake.Close(); err != nil {
			l.log.Debug("Closing the lake failed", "err", err)
		}
	}
	l.lake = lake
}
