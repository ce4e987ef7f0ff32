package ingest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Recosted says what a recost has changed, or would.
type Recosted struct {
	Done
	Before, After map[string]Cost // by project
}

// Cost is energy, and the emissions of what of it is priced.
type Cost struct {
	Energy    usage.KWh
	Emissions usage.Grams
}

// Recost prices and powers the facts of a range anew, from the CPU seconds in the
// store, by the settings in force: no source of CPU seconds is asked. Settled
// intervals change with Range.Restate alone.
func (s *Spine) Recost(ctx context.Context, store Ledger, r Range, step func(Done)) (Recosted, error) {
	b := &backfill{Spine: s, store: store, set: s.current(), Range: r, step: step}
	b.done.Stored = map[usage.State]int{}
	out := Recosted{Before: map[string]Cost{}, After: map[string]Cost{}}
	err := b.recost(ctx, &out)
	out.Done = b.done
	return out, err
}

func (b *backfill) recost(ctx context.Context, out *Recosted) error {
	known, err := b.store.Known(ctx, b.Period)
	if err != nil {
		return err
	}
	b.done.All = len(known)
	for day := b.From; day.Before(b.To); day = day.Add(longestRun) {
		var recs []usage.Record
		end := earlier(day.Add(longestRun), b.To)
		for i := usage.IntervalAt(day, b.set.Interval); i.Start.Before(end); i = i.Next() {
			state, ok := known[i.Start]
			switch {
			case i.Start.Before(day), !ok, state == usage.Missing, state == usage.Empty:
				continue
			case state == usage.Settled && !b.Restate:
				b.done.Left++
				continue
			}
			was, err := b.store.Record(ctx, i)
			if errors.Is(err, usage.ErrPruned) {
				b.done.Left++
				continue
			}
			if err != nil {
				return err
			}
			is, err := b.anew(ctx, was)
			if err != nil {
				return err
			}
			add(out.Before, was)
			add(out.After, is)
			recs = append(recs, is)
		}
		if err := b.replace(ctx, recs); err != nil {
			return err
		}
		b.reach(end)
	}
	return nil
}

// anew is a record with the power and the prices that the settings give it.
func (b *backfill) anew(ctx context.Context, was usage.Record) (usage.Record, error) {
	power, err := b.set.Power(ctx, was.Interval.Start)
	if err != nil {
		return was, err
	}
	is := was
	is.PUE, is.Why, is.Restate = b.set.PUE, usage.BecauseRecost, b.Restate
	is.Ratings, is.Facts = nil, make([]usage.Fact, len(was.Facts))
	rated := map[string]usage.Rating{}
	for i, f := range was.Facts {
		rating, ok := rated[f.Machine]
		if !ok {
			rating = power.Rating(f.Machine)
			rated[f.Machine] = rating
			is.Ratings = append(is.Ratings, rating)
		}
		f.Energy = power.Energy(rating, f.CPU)
		is.Facts[i] = f
	}
	is.Hosts = slices.Clone(was.Hosts)
	for i := range is.Hosts {
		h := &is.Hosts[i]
		h.Energy = power.Energy(power.Rating(h.Machine), h.CPU)
	}
	b.slotsFor(ctx, []usage.Interval{was.Interval})
	slots, err := b.Spine.slots(ctx, b.set.Grid, usage.Period{From: was.Interval.Start, To: was.Interval.End()})
	if err != nil {
		return was, err
	}
	maps.Copy(slots, b.seen)
	prices, state := price(was.Interval, slots, b.set.SettleAfter, time.Time{})
	if state == usage.Unpriced && was.State != usage.Unpriced {
		return is, nil // no interval goes back: what has a price keeps it
	}
	is.Prices, is.State = prices, state
	return is, nil
}

func (b *backfill) replace(ctx context.Context, recs []usage.Record) error {
	if b.Dry || len(recs) == 0 {
		return nil
	}
	left, err := b.store.CommitAll(ctx, recs)
	if b.wrote(ctx, err); err != nil {
		return err
	}
	b.done.Left += len(left)
	for _, r := range recs {
		b.done.Stored[r.State]++
	}
	return nil
}

// add adds a record up by project.
func add(costs map[string]Cost, r usage.Record) {
	for _, f := range r.Facts {
		c := costs[f.Project]
		c.Energy += f.Energy.Total()
		for _, p := range r.Prices {
			if p.Start.Equal(f.Start) {
				c.Emissions += f.Energy.Total().At(p.Intensity)
			}
		}
		costs[f.Project] = c
	}
}
