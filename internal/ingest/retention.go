package ingest

import (
	"context"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// LeastRetention is what the windows of budgets look back at key grain, seven
	// days, and what a day that is not over may add.
	LeastRetention = 8 * 24 * time.Hour
	// pruneEvery is how often it is looked whether another day has become old.
	pruneEvery = time.Hour
	// A step of pruning is followed by so many times as long a rest, so that most of
	// the time is left to commits, whatever the disk.
	pruneRest      = 4
	leastPruneRest = 20 * time.Millisecond
)

// runRetention takes facts at key grain away once they are old, for ever.
func (s *Spine) runRetention(ctx context.Context) {
	if s.Retention <= 0 {
		return
	}
	pause := backoff{longest: pruneEvery}
	waiting := 0
	for ctx.Err() == nil {
		done, err := s.prune(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d := pause.after(err)
			s.Log.Error("Taking old facts away failed", "err", err, "retry_in", d.Round(time.Millisecond))
			wait(ctx, d, nil)
			continue
		case done.Waiting != waiting && done.Waiting > 0:
			s.Log.Info("Old facts are kept for now: not all of their day is settled, or it was not sent on", "intervals", done.Waiting)
		}
		waiting = done.Waiting
		pause.reset()
		wait(ctx, pruneEvery, nil)
	}
}

// prune does all there is to do, in steps with rests between them.
func (s *Spine) prune(ctx context.Context) (usage.Pruned, error) {
	var all usage.Pruned
	for {
		follower := ""
		if box := s.current().Postbox; box != nil {
			follower = box.Name()
		}
		began := s.Now()
		done, err := s.Store.Prune(ctx, began, max(s.Retention, LeastRetention), follower)
		if done.More || err != nil { // to have looked is no proof that it can be written
			s.wrote(ctx, err)
		}
		if err != nil {
			return all, err
		}
		all.Waiting = done.Waiting
		if !done.More {
			break
		}
		all.Intervals, all.Facts, all.Until = all.Intervals+done.Intervals, all.Facts+done.Facts, done.Until
		wait(ctx, max(leastPruneRest, pruneRest*s.Now().Sub(began)), nil)
		if ctx.Err() != nil {
			return all, ctx.Err()
		}
	}
	if all.Intervals > 0 {
		s.Log.Info("Took old facts at key grain away", "until", all.Until.Format(time.RFC3339), "intervals", all.Intervals, "facts", all.Facts)
	}
	return all, nil
}
