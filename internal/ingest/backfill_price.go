package ingest

import (
	"context"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// slotsFor sees that the slots of a part of the range are in the store, asking for
// many days at once. Energy does not wait for it: what has no price gets one when
// there is one.
func (b *backfill) slotsFor(ctx context.Context, p usage.Period) {
	p.From = usage.SlotAt(p.From)
	known := !p.From.Before(b.asked.From) && !p.To.After(b.asked.To)
	if known || b.Now().Before(b.away) || !b.anew && b.final(ctx, p) {
		return
	}
	window := usage.Period{From: p.From, To: earlier(p.From.Add(longestWindow), b.done.Whole.To)}
	b.done.Windows = append(b.done.Windows, window)
	if b.Dry && b.seen == nil {
		b.asked = window
		return
	}
	err := b.askFor(ctx, window)
	if err == nil || usage.IsPermanent(err) {
		b.asked = window
		b.gridPause.reset()
	}
	if err != nil && ctx.Err() == nil {
		b.away = b.Now().Add(b.gridPause.after(err))
		b.done.NoCarbon = err
		b.Log.Warn("Asking for carbon intensity failed, what has no price goes on without", "from", p.From, "err", err)
	}
}

// askFor asks for the slots of a window and keeps them, in a dry run in memory.
func (b *backfill) askFor(ctx context.Context, window usage.Period) error {
	question := func() ([]usage.Slot, usage.Rejects, error) { return b.set.Grid.Slots(ctx, window.From, window.To) }
	if !b.Dry {
		return b.keep(ctx, question)
	}
	slots, _, err := question()
	for _, slot := range slots {
		b.seen[slot.From] = slot
	}
	return err
}

// final says whether all slots of a period are known and will not change.
func (b *backfill) final(ctx context.Context, p usage.Period) bool {
	slots, err := b.slots(ctx, b.set.Grid, p)
	if err != nil {
		return false // asking does no harm
	}
	for at := p.From; at.Before(p.To); at = at.Add(usage.SlotLength) {
		price, ok := slots[at].Price()
		if !ok || price.FetchedAt.Before(at.Add(usage.SlotLength+b.set.SettleAfter)) {
			return false
		}
	}
	return true
}

// priceLeft gives what of the range is not final the best price known, as the
// carbon loop does: a grid that was away may be back, and nobody else may be there
// to ask.
func (b *backfill) priceLeft(ctx context.Context) error {
	left, err := b.store.Pending(ctx)
	if err != nil {
		return err
	}
	left = slices.DeleteFunc(left, func(p usage.Pending) bool {
		return p.Interval.Start.Before(b.done.Whole.From) || !p.Interval.Start.Before(b.done.Whole.To)
	})
	b.away = time.Time{}
	for len(left) > 0 {
		n := 1
		for n < len(left) && left[n].Interval.End().Sub(left[0].Interval.Start) <= longestWindow {
			n++
		}
		b.slotsFor(ctx, usage.Period{From: left[0].Interval.Start, To: left[n-1].Interval.End()})
		if err := b.priceRun(ctx, left[:n]); err != nil {
			return err
		}
		left = left[n:]
	}
	return nil
}

func (b *backfill) priceRun(ctx context.Context, run []usage.Pending) error {
	b.writing.Lock()
	defer b.writing.Unlock()
	return b.repriceSome(ctx, b.set, run, func(p usage.Pending, is usage.State, news bool) {
		switch {
		case is == usage.Unpriced:
			b.done.Unpriced++
		case news && b.stored[p.Interval.Start]:
			b.done.Stored[p.State]--
			b.done.Stored[is]++
		case news:
			b.done.Priced++
		}
	})
}
