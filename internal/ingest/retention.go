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

const (
	// LeastRetention is what the windows of budgets need of per-key rows: seven days, plus one
	// for the day that is not over.
	LeastRetention = 8 * 24 * time.Hour
	// pruneEvery is how often to check whether another day has become old.
	pruneEvery = time.Hour
	// pruneRest is the pause after a pruning step, as a multiple of the step, so that most of
	// the time is left to commits, however slow the disk.
	pruneRest      = 4
	leastPruneRest = 20 * time.Millisecond
)

// pruner deletes rows of one kind once they are old.
type pruner struct {
	rows string // what they are called
	// step takes one short step of deleting.
	step     func(ctx context.Context, now time.Time, keep time.Duration, writer string) (usage.Pruned, error)
	observer Observer
	settings func() Settings
	keep     time.Duration // 0: for ever
	clock    clock.Clock
	log      *slog.Logger
}

func (p *pruner) run(ctx context.Context) {
	if p.keep <= 0 {
		return
	}
	pause := backoff{longest: pruneEvery}
	waiting := 0
	for ctx.Err() == nil {
		done, err := p.prune(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d := pause.after(err, p.clock)
			p.log.Debug("Deleting old rows failed", "rows", p.rows, "err", err, "retry_in", d.Round(time.Millisecond))
			p.clock.Sleep(ctx, d, nil)
			continue
		case done.Waiting != waiting && done.Waiting > 0:
			p.log.Info("Keeping old rows for now: their day is not settled, or not yet written to MongoDB or the lake or added up by other factors", "rows", p.rows, "intervals", done.Waiting)
		}
		waiting = done.Waiting
		pause.reset()
		p.clock.Sleep(ctx, pruneEvery, nil)
	}
}

// prune does all the steps there are, with rests between them.
func (p *pruner) prune(ctx context.Context) (usage.Pruned, error) {
	var all usage.Pruned
	for {
		writer := ""
		if w := p.settings().UsageWriter; w != nil {
			writer = w.Name()
		}
		began := p.clock.Now()
		done, err := p.step(ctx, began, max(p.keep, LeastRetention), writer)
		if done.More || err != nil { // only a step that deleted shows that the store is writable
			wrote(ctx, p.observer, err)
		}
		if err != nil {
			return all, err
		}
		all.Waiting = done.Waiting
		if !done.More {
			break
		}
		all.Intervals, all.Facts, all.Until = all.Intervals+done.Intervals, all.Facts+done.Facts, done.Until
		p.clock.Sleep(ctx, max(leastPruneRest, pruneRest*p.clock.Now().Sub(began)), nil)
		if ctx.Err() != nil {
			return all, ctx.Err()
		}
	}
	if all.Intervals > 0 {
		p.log.Info("Deleted old rows", "rows", p.rows, "until", all.Until.Format(time.RFC3339), "intervals", all.Intervals, "number", all.Facts)
	}
	return all, nil
}
