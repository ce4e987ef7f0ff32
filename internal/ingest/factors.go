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
	// daysAtOnce is how many days are added up between two rests.
	daysAtOnce = 8
	// factorRest is the rest after them, as a multiple of the time that they took.
	factorRest = 2
)

// FactorStore adds up usage by other factors, day by day.
type FactorStore interface {
	// KeepFactors says which sets there are.
	KeepFactors(ctx context.Context, sets []usage.FactorSet) error
	// CountFactors adds up at most so many days, of those that have changed.
	CountFactors(ctx context.Context, atMost int) (usage.FactorsCounted, error)
}

// factorLoop adds up again, by other factors, the days that have changed.
type factorLoop struct {
	store     FactorStore
	observer  Observer
	settings  func() Settings
	clock     clock.Clock
	log       *slog.Logger
	wakeEvery time.Duration
	news      <-chan struct{} // rung when there may be news
	changed   func(ctx context.Context)
}

func (l *factorLoop) run(ctx context.Context) {
	pause := backoff{longest: 5 * time.Minute}
	for ctx.Err() == nil {
		err := l.round(ctx)
		if err != nil && ctx.Err() == nil {
			d := pause.after(err, l.clock)
			l.log.Debug("Adding up usage by other factors failed", "err", err, "retry_in", d.Round(time.Millisecond))
			l.clock.Sleep(ctx, d, nil)
			continue
		}
		pause.reset()
		l.clock.Sleep(ctx, l.wakeEvery, l.news)
	}
}

// round adds up whatever is due. Sets that are configured no more are told to the store, too, so
// that nothing is done for them.
func (l *factorLoop) round(ctx context.Context) error {
	set := l.settings()
	if err := l.store.KeepFactors(ctx, set.factorSets()); err != nil {
		wrote(ctx, l.observer, err)
		return err
	}
	for len(set.Factors) > 0 {
		began := l.clock.Now()
		done, err := l.store.CountFactors(ctx, daysAtOnce)
		if done.Days > 0 || err != nil {
			wrote(ctx, l.observer, err)
		}
		if done.Changed > 0 {
			l.changed(ctx)
		}
		if err != nil || !done.More {
			return err
		}
		l.clock.Sleep(ctx, max(leastPruneRest, factorRest*l.clock.Now().Sub(began)), nil)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// factorSets are the sets as the store knows them.
func (s Settings) factorSets() (sets []usage.FactorSet) {
	for _, set := range s.Factors {
		sets = append(sets, set.Named())
	}
	return sets
}

// Named is the set by the names of its sources.
func (s FactorSet) Named() usage.FactorSet {
	named := usage.FactorSet{Name: s.Name}
	for _, g := range s.Chain {
		named.Sources = append(named.Sources, name(g))
	}
	return named
}
