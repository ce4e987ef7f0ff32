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
	Before, After map[string]Cost // of what it has stored, or would, by project
	NoPrice       int             // intervals that keep the price they have, as the grid has none
}

// Cost is energy, and the emissions of what of it is priced.
type Cost struct {
	Energy    usage.KWh
	Emissions usage.Grams
	Priced    bool // whether any of it is; if not, Emissions is unknown
}

// Recost prices and powers the facts of a range anew, from the CPU seconds in the
// store, by the settings in force: no source of CPU seconds is asked, and the grid
// only for what is not final in the store. Settled intervals change with
// Range.Restate alone. No interval changes its state, but that one without a price
// may get one.
func (s *Spine) Recost(ctx context.Context, store Ledger, r Range, step func(Done)) (Recosted, error) {
	c := &recost{backfill: s.newBackfill(store, r, step), before: map[string]*tally{}, after: map[string]*tally{}}
	if r.Dry {
		c.seen = map[time.Time]usage.Slot{}
	}
	err := c.run(ctx)
	return Recosted{Done: c.done, Before: costs(c.before), After: costs(c.after), NoPrice: c.noPrice}, err
}

type recost struct {
	*backfill
	before, after map[string]*tally // by project
	noPrice       int
}

func (c *recost) run(ctx context.Context) error {
	known, err := c.store.Known(ctx, c.done.Whole)
	if err != nil {
		return err
	}
	var all []usage.Interval
	for i := usage.IntervalAt(c.done.Whole.From, c.set.Interval); i.Start.Before(c.done.Whole.To); i = i.Next() {
		switch state := known[i.Start]; {
		case state == usage.Settled && !c.Restate:
			c.done.Left[usage.ErrSettled]++
		case state == usage.Unpriced, state == usage.Provisional, state == usage.Settled:
			all = append(all, i)
		}
	}
	c.done.All = len(all)
	for run := range slices.Chunk(all, writeAtOnce) {
		// One by one: between two intervals there may be years.
		for _, i := range run {
			c.slotsFor(ctx, usage.Period{From: i.Start, To: i.End()})
		}
		if err := c.redo(ctx, run); err != nil {
			return err
		}
		c.done.Behind += len(run)
		c.done.At = run[len(run)-1].End()
		if c.step != nil {
			c.step(c.done)
		}
	}
	return nil
}

// redo makes a run of intervals anew.
func (c *recost) redo(ctx context.Context, run []usage.Interval) error {
	slots, err := c.slotsOf(ctx, run)
	if err != nil {
		return err
	}
	was, is := map[time.Time]usage.Record{}, map[time.Time]usage.Record{}
	anew := func(r usage.Record) (usage.Record, error) {
		fresh, err := c.made(ctx, r, slots)
		was[r.Interval.Start], is[r.Interval.Start] = r, fresh
		return fresh, err
	}
	return c.write(ctx, func() ([]usage.Outcome, error) {
		outcomes, err := c.work(ctx, run, anew)
		if err != nil {
			return nil, err
		}
		for _, o := range outcomes {
			if o.Left != nil {
				continue
			}
			before, after := was[o.Interval.Start], is[o.Interval.Start]
			add(c.before, before)
			add(c.after, after)
			switch {
			case after.State == usage.Unpriced:
				c.done.Unpriced++
			case c.noPriceOf(o.Interval, slots):
				c.noPrice++
			}
		}
		return outcomes, nil
	})
}

// work does it in the store, or in a dry run beside it.
func (c *recost) work(ctx context.Context, run []usage.Interval, anew func(usage.Record) (usage.Record, error)) ([]usage.Outcome, error) {
	if !c.Dry {
		outcomes, err := c.store.Rework(ctx, run, anew)
		c.wrote(ctx, err)
		return outcomes, err
	}
	var outcomes []usage.Outcome
	for _, i := range run {
		was, err := c.store.Record(ctx, i)
		outcome := usage.Outcome{Interval: i, State: was.State}
		switch {
		case errors.Is(err, usage.ErrPruned):
			outcome.Left = usage.ErrPruned
		case err != nil:
			return nil, err
		default:
			is, err := anew(was)
			if err != nil {
				return nil, err
			}
			outcome.State = is.State
		}
		outcomes = append(outcomes, outcome)
	}
	return outcomes, nil
}

// made is a record with the power and the prices that the settings give it.
func (c *recost) made(ctx context.Context, was usage.Record, slots map[time.Time]usage.Slot) (usage.Record, error) {
	power, err := c.set.Power(ctx, was.Interval.Start)
	if err != nil {
		return was, err
	}
	is := was
	is.PUE, is.Why, is.Restate = c.set.PUE, usage.BecauseRecost, c.Restate
	is.Ratings, is.Facts, is.Hosts = nil, slices.Clone(was.Facts), append([]usage.HostFact{}, was.Hosts...)
	rated := map[string]usage.Rating{}
	for i := range is.Facts {
		f := &is.Facts[i]
		rating, ok := rated[f.Machine]
		if !ok {
			rating = power.Rating(f.Machine)
			rated[f.Machine] = rating
			is.Ratings = append(is.Ratings, rating)
		}
		f.Energy = power.Energy(rating, f.CPU)
	}
	for i := range is.Hosts {
		h := &is.Hosts[i]
		h.Energy = power.Energy(power.Rating(h.Machine), h.CPU)
	}
	prices, state := price(was.Interval, slots, c.set.SettleAfter, time.Time{})
	if state == usage.Unpriced {
		return is, nil // what has a price keeps it
	}
	is.Prices = prices
	if is.State == usage.Unpriced {
		is.State = usage.Provisional
	}
	return is, nil
}

func (c *recost) noPriceOf(i usage.Interval, slots map[time.Time]usage.Slot) bool {
	_, state := price(i, slots, c.set.SettleAfter, time.Time{})
	return state == usage.Unpriced
}

// slotsOf gives what is known of the slots of a run.
func (c *recost) slotsOf(ctx context.Context, run []usage.Interval) (map[time.Time]usage.Slot, error) {
	slots, err := c.slots(ctx, c.set.Grid, usage.Period{From: run[0].Start, To: run[len(run)-1].End()})
	if err == nil {
		maps.Copy(slots, c.seen)
	}
	return slots, err
}

// tally adds up what was used, exactly, so that the order does not show.
type tally struct {
	energy, emissions usage.Sum
	priced            bool
}

// add adds a record up by project.
func add(all map[string]*tally, r usage.Record) {
	prices := map[time.Time]usage.GramsPerKWh{}
	for _, p := range r.Prices {
		prices[p.Start] = p.Intensity
	}
	for _, f := range r.Facts {
		t := all[f.Project]
		if t == nil {
			t = &tally{}
			all[f.Project] = t
		}
		t.energy.Add(float64(f.Energy.Busy))
		t.energy.Add(float64(f.Energy.Idle))
		if p, ok := prices[f.Start]; ok {
			t.priced = true
			t.emissions.Add(float64(f.Energy.Busy.At(p)))
			t.emissions.Add(float64(f.Energy.Idle.At(p)))
		}
	}
}

func costs(all map[string]*tally) map[string]Cost {
	costs := map[string]Cost{}
	for project, t := range all {
		costs[project] = Cost{Energy: usage.KWh(t.energy.Float64()), Emissions: usage.Grams(t.emissions.Float64()), Priced: t.priced}
	}
	return costs
}
