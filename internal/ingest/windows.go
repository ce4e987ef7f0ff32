package ingest

import (
	"context"
	"log/slog"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// windows fetches the carbon intensity of a range for a command, many days at once. Energy does
// not wait for it: an interval without a price gets one later.
type windows struct {
	fetcher *fetcher
	set     Settings
	log     *slog.Logger
	until   time.Time // no window ends later
	refetch bool      // whether to fetch even intensity that is known to be final
	plan    bool      // whether to fetch nothing and only list the windows

	// seen, if not nil, takes the slots in place of the store.
	seen map[time.Time]usage.Slot

	asked  usage.Period // slots in it were fetched
	away   time.Time    // no request before
	pause  backoff
	list   []usage.Period // all windows fetched
	failed error          // the last failure
}

// cover makes sure that the slots of a time are known, as far as the grid has them.
func (w *windows) cover(ctx context.Context, p usage.Period) {
	p.From = usage.SlotAt(p.From)
	known := !p.From.Before(w.asked.From) && !p.To.After(w.asked.To)
	if known || w.fetcher.clock.Now().Before(w.away) || !w.refetch && w.final(ctx, p) {
		return
	}
	window := usage.Period{From: p.From, To: usage.Earlier(p.From.Add(longestWindow), w.until)}
	w.list = append(w.list, window)
	if w.plan {
		w.asked = window
		return
	}
	err := w.fetch(ctx, window)
	if err == nil || usage.IsPermanent(err) {
		w.asked = window
		w.pause.reset()
	}
	if err != nil && ctx.Err() == nil {
		w.away = w.fetcher.clock.Now().Add(w.pause.after(err, w.fetcher.clock))
		w.failed = err
		w.log.Warn("Fetching carbon intensity failed; going on without prices", "from", p.From, "err", err)
	}
}

func (w *windows) fetch(ctx context.Context, window usage.Period) error {
	question := func() ([]usage.Slot, usage.Rejects, error) { return w.set.Grid.Slots(ctx, window.From, window.To) }
	if w.seen == nil {
		return w.fetcher.keep(ctx, question)
	}
	slots, _, err := question()
	for _, slot := range slots {
		w.seen[slot.From] = slot
	}
	return err
}

// final reports whether all slots of a time are known and will not change.
func (w *windows) final(ctx context.Context, p usage.Period) bool {
	slots, err := slotsOf(ctx, w.fetcher.store, w.set.Grid, p)
	if err != nil {
		return false // fetching does no harm
	}
	for at := p.From; at.Before(p.To); at = at.Add(usage.SlotLength) {
		if _, ok := slots[at].Price(); !ok || w.set.mayBeRevised(slots[at], w.fetcher.clock.Now()) {
			return false
		}
	}
	return true
}
