// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"log/slog"
	"maps"
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
	seen map[usage.GridName]map[time.Time]usage.Slot

	asked  usage.Period // slots in it were fetched
	rests  map[usage.GridName]*rest
	list   []usage.Period // all windows fetched
	failed error          // the last failure
}

// rest is for how long a source is left alone that has failed.
type rest struct {
	until time.Time
	pause backoff
}

// cover makes sure that the slots of a time are known, as far as the sources have them.
func (w *windows) cover(ctx context.Context, p usage.Period) {
	p.From = usage.SlotAt(p.From)
	known := !p.From.Before(w.asked.From) && !p.To.After(w.asked.To)
	if known || !w.refetch && w.final(ctx, p) {
		return
	}
	window := usage.Period{From: p.From, To: usage.Earlier(p.From.Add(longestWindow), w.until)}
	if w.plan {
		w.list = append(w.list, window)
		w.asked = window
		return
	}
	asked, failed := w.fetchAll(ctx, w.set.Grid, window, true)
	for _, set := range w.set.Factors {
		w.fetchAll(ctx, set.Chain, window, false)
	}
	if asked {
		w.list = append(w.list, window)
	}
	if asked && !failed {
		w.asked = window
	}
}

// coverFactors makes sure that the other factors of a time are known, as far as their sources have
// them, also of usage that is final.
func (w *windows) coverFactors(ctx context.Context, p usage.Period) {
	for from := usage.SlotAt(p.From); from.Before(p.To) && ctx.Err() == nil; from = from.Add(longestWindow) {
		window := usage.Period{From: from, To: usage.Earlier(from.Add(longestWindow), p.To)}
		for _, set := range w.set.Factors {
			if !w.has(ctx, set.Chain, window) {
				w.fetchAll(ctx, set.Chain, window, false)
			}
		}
	}
}

// fetchAll asks the sources of a chain one after another, each only while half hours are left that
// those before it do not have.
func (w *windows) fetchAll(ctx context.Context, chain Chain, window usage.Period, prices bool) (asked, failed bool) {
	for place, g := range chain {
		if place > 0 && w.has(ctx, chain[:place], window) {
			break
		}
		r := w.rests[name(g)]
		if r == nil {
			r = &rest{pause: backoff{longest: maxPause}}
			w.rests[name(g)] = r
		}
		if ctx.Err() != nil || w.fetcher.clock.Now().Before(r.until) {
			failed = true
			continue
		}
		asked = true
		err := w.fetch(ctx, g, window)
		if err == nil || usage.IsPermanent(err) {
			r.pause.reset()
		} else {
			failed = true
		}
		if err != nil && ctx.Err() == nil {
			r.until = w.fetcher.clock.Now().Add(r.pause.after(err, w.fetcher.clock))
			w.tell(chain, g, window, err, prices)
		}
	}
	return asked, failed
}

func (w *windows) tell(chain Chain, g Grid, window usage.Period, err error, prices bool) {
	switch {
	case len(chain) > 1:
		w.log.Warn("Fetching carbon intensity failed; going on with the next source", "provider", g.Provider(), "from", window.From, "err", err)
	case prices:
		w.log.Warn("Fetching carbon intensity failed; going on without prices", "from", window.From, "err", err)
	default:
		w.log.Warn("Fetching carbon intensity failed; going on without these factors", "provider", g.Provider(), "from", window.From, "err", err)
	}
	if prices {
		w.failed = err
	}
}

func (w *windows) fetch(ctx context.Context, g Grid, window usage.Period) error {
	question := func() ([]usage.Slot, usage.Rejects, error) { return g.Slots(ctx, window.From, window.To) }
	if w.seen == nil {
		return w.fetcher.keep(ctx, w.set, g, question)
	}
	slots, _, err := question()
	if w.seen[name(g)] == nil {
		w.seen[name(g)] = map[time.Time]usage.Slot{}
	}
	maps.Copy(w.seen[name(g)], byStart(slots))
	return err
}

// known is what counts of each half hour, including what was seen and not stored.
func (w *windows) known(ctx context.Context, chain Chain, p usage.Period) (map[time.Time]usage.Slot, error) {
	return chain.slots(func(provider, grid string) (map[time.Time]usage.Slot, error) {
		stored, err := w.fetcher.store.Slots(ctx, provider, grid, usage.SlotAt(p.From), p.To)
		known := byStart(stored)
		maps.Copy(known, w.seen[usage.GridName{Provider: provider, Grid: grid}])
		return known, err
	})
}

// has reports whether the sources have every slot of a time.
func (w *windows) has(ctx context.Context, chain Chain, p usage.Period) bool {
	slots, err := w.known(ctx, chain, p)
	if err != nil {
		return false // fetching does no harm
	}
	for at := p.From; at.Before(p.To); at = at.Add(usage.SlotLength) {
		if _, ok := slots[at]; !ok {
			return false
		}
	}
	return true
}

// final reports whether all slots of a time are known and will not change, and so do the factors.
func (w *windows) final(ctx context.Context, p usage.Period) bool {
	for _, set := range w.set.Factors {
		if !w.has(ctx, set.Chain, p) {
			return false
		}
	}
	slots, err := slotsOf(ctx, w.fetcher.store, w.set.Grid, p)
	if err != nil {
		return false
	}
	for at := p.From; at.Before(p.To); at = at.Add(usage.SlotLength) {
		if slot, ok := slots[at]; !ok || w.set.mayBeRevised(slot, w.fetcher.clock.Now()) {
			return false
		}
	}
	return true
}

// freshen lets every source be asked again at once.
func (w *windows) freshen() { clear(w.rests) }
