// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// maxPause bounds the wait for an upstream that is down: somebody is watching, and would
	// rather see another attempt.
	maxPause = 30 * time.Second
	// maxPauses is the number of pauses in a row before a range is given up. A source that has
	// never answered is more likely mistyped than down: firstPauses is enough for that.
	maxPauses, firstPauses = 10, 4
	// minutePauses is the number of pauses that take a minute or two.
	minutePauses = 8
	// After manyInARow intervals that fail one after the other the source is to blame, not the
	// intervals, whatever it says. Of time-outs, each of which takes minutes, a few are enough.
	manyInARow, manyTimeouts = 48, 3
)

// failed decides what happens to a run that could not be fetched. As in the live loop it waits
// for the server, halves a query that is too large, and skips a single interval that keeps
// failing, which is recorded and reported at the end. Unlike the live loop it gives up some
// time, because somebody is waiting.
func (b *backfill) failed(ctx context.Context, due []usage.Due, err error) (int, error) {
	first := due[0].Interval
	if _, ok := errors.AsType[*closerLookError](err); ok {
		due = due[:1]
	}
	v := judge(err, len(due), b.row)
	hopeless := usage.IsTooLarge(err) || usage.IsPermanent(err)
	switch {
	case usage.FailureOf(err) == nil: // the store
		if b.pause.failures >= patience {
			return 0, err
		}
		b.worker.Log.Warn("Writing to the store failed; trying again", "err", err)
	case b.row >= manyInARow && hopeless, b.row >= manyTimeouts && timedOut(err):
		return 0, fmt.Errorf("from %s on, after %d other failed intervals: %w", first, b.row, err)
	case isAway(err) && usage.IsPermanent(err), (isAway(err) || b.row >= manyInARow) && b.pause.failures >= b.pauses():
		return 0, fmt.Errorf("from %s on: %w", first, err)
	case isAway(err) || b.row >= manyInARow:
		b.worker.Log.Warn("Prometheus does not answer; trying again", "from", first, "err", err)
	case v.less:
		b.chunk.shrink(len(due))
		b.worker.Log.Debug("Query failed; trying a shorter range", "from", first, "intervals", len(due), "err", err)
		if usage.IsTooLarge(err) || !hopeless {
			b.worker.Clock.Sleep(ctx, b.smaller.after(err, b.worker.Clock), nil)
		}
		return 0, ctx.Err()
	case !hopeless && b.row == 0 && b.pause.failures < patience:
	case usage.IsTooLarge(err) && b.row == fewInARow && b.pause.failures < minutePauses:
		// Single intervals too large one after the other: a part of the server may be away.
	default:
		if usage.IsTooLarge(err) {
			b.worker.Clock.Sleep(ctx, b.worker.Clock.Jitter(shortestBackoff), nil)
		}
		return 1, b.setAside(ctx, due[0], err)
	}
	b.worker.Clock.Sleep(ctx, b.pause.after(err, b.worker.Clock), nil)
	return 0, ctx.Err()
}

// pauses is how many times in a row the source may be down.
func (b *backfill) pauses() int {
	if b.answered {
		return maxPauses
	}
	return firstPauses
}

// setAside skips an interval. If nothing is stored for it, it is recorded as missing, so that
// an exporter fetches it.
func (b *backfill) setAside(ctx context.Context, d usage.Due, why error) error {
	if b.row++; b.row == 1 {
		b.worker.Log.Warn("Fetching an interval failed; skipping it", "from", d.Interval, "err", why)
	}
	b.pause.reset()
	gap := usage.Gap{Period: usage.Period{From: d.Start, To: d.End()}, State: d.State, Intervals: 1, Attempts: 1, Error: why.Error()}
	if n := len(b.done.Failed); n > 0 && b.done.Failed[n-1].To.Equal(gap.From) {
		gap.From, gap.Intervals = b.done.Failed[n-1].From, b.done.Failed[n-1].Intervals+1
		b.done.Failed = b.done.Failed[:n-1]
	}
	b.done.Failed = append(b.done.Failed, gap)
	b.reach(d.End())
	if d.State != usage.Missing {
		return nil
	}
	return b.worker.Store.Missed(ctx, d.Interval, why, b.worker.Clock.Now())
}
