// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Recosted is what a recost has changed, or would change.
type Recosted struct {
	Done
	Before, After map[string]Cost // of the intervals that it has stored, or would store, by project
	NoPrice       int             // intervals that keep their price, because the grid has none
	// Factors is what After would be by the other factors, by set and project. Only a dry run looks.
	Factors map[string]map[string]usage.FactorTally
}

// Recost computes energy and prices of a range again, from the CPU seconds in the store and the
// worker's settings. It queries no source of CPU seconds, and the grid only for slots that are
// not final in the store. Settled intervals change only with Range.Restate. No interval changes
// its state, except that an unpriced one may get a price.
func (w *Worker) Recost(ctx context.Context, r Range) (Recosted, error) {
	c := &recost{worker: w, over: r, done: w.begin(r), before: costs{}, after: costs{}, factors: factorCosts{}}
	c.windows = w.windows(c.done.Whole.To)
	if r.Dry {
		c.windows.seen = map[usage.GridName]map[time.Time]usage.Slot{}
	}
	err := c.run(ctx)
	c.sum()
	return Recosted{Done: c.done, Before: c.before.list(), After: c.after.list(), NoPrice: c.noPrice, Factors: c.factors.list()}, err
}

// recost is the work on one range.
type recost struct {
	worker        *Worker
	over          Range
	windows       *windows
	done          Done
	before, after costs
	factors       factorCosts
	noPrice       int
}

func (c *recost) run(ctx context.Context) error {
	known, err := c.worker.Store.Known(ctx, c.done.Whole)
	if err != nil {
		return err
	}
	var all []usage.Interval
	for i := usage.IntervalAt(c.done.Whole.From, c.worker.Settings.Interval); i.Start.Before(c.done.Whole.To); i = i.Next() {
		switch state := known[i.Start]; {
		case state == usage.Settled && !c.over.Restate:
			c.done.Left[usage.ErrSettled]++
		case state == usage.Unpriced, state == usage.Provisional, state == usage.Settled:
			all = append(all, i)
		}
	}
	c.done.All = len(all)
	for run := range slices.Chunk(all, atOnce) {
		// One by one: there may be years between two intervals.
		for _, i := range run {
			c.windows.cover(ctx, usage.Period{From: i.Start, To: i.End()})
		}
		if err := c.worker.write(ctx, func() error { return c.redo(ctx, run) }); err != nil {
			return err
		}
		c.done.Finished += len(run)
		c.done.At = run[len(run)-1].End()
		c.sum()
		c.worker.step(c.done)
	}
	return nil
}

// sum copies what the windows found out about the grid.
func (c *recost) sum() { c.done.Windows, c.done.NoCarbon = c.windows.list, c.windows.failed }

// recosted is an interval before and after.
type recosted struct {
	was, is usage.Record
	noPrice bool // the grid has no price for it
}

// redo computes a run of intervals again, in one transaction. A dry run only reads.
func (c *recost) redo(ctx context.Context, run []usage.Interval) error {
	made := make(map[time.Time]recosted, len(run))
	outcomes, err := c.worker.Store.Update(ctx, run, func(was usage.Stored) (usage.Record, usage.Policy, error) {
		delete(made, was.Interval.Start)
		rec, err := was.Record()
		if err != nil || len(rec.Facts) == 0 || was.State == usage.Settled && !c.over.Restate {
			return rec, usage.Policy{Leave: true}, err
		}
		slots, err := c.slots(was)
		if err != nil {
			return rec, usage.Policy{}, err
		}
		fresh, noPrice, err := c.made(ctx, rec, slots)
		made[was.Interval.Start] = recosted{rec, fresh, noPrice}
		return fresh, usage.Policy{Leave: c.over.Dry, Restate: c.over.Restate, Why: usage.BecauseRecost}, err
	})
	if !c.over.Dry {
		wrote(ctx, c.worker.Observer, err)
	}
	if err != nil {
		return err
	}
	for i := range outcomes {
		o := &outcomes[i]
		m, ok := made[o.Interval.Start]
		switch {
		case o.Left == nil && !ok && o.State == usage.Settled:
			o.Left = usage.ErrSettled // by another program, in the meantime
		case o.Left == nil && !ok:
			o.Left = usage.ErrNoWhole
		case o.Left == nil:
			o.State = m.is.State
			if err := c.count(ctx, m); err != nil {
				return err
			}
		}
	}
	c.done.count(outcomes)
	return nil
}

func (c *recost) count(ctx context.Context, m recosted) error {
	c.before.add(m.was)
	c.after.add(m.is)
	if c.over.Dry {
		if err := c.addFactors(ctx, m.is); err != nil {
			return err
		}
	}
	switch {
	case m.is.State == usage.Unpriced:
		c.done.Unpriced++
	case m.noPrice:
		c.noPrice++
	}
	return nil
}

// slots returns the known slots of an interval, including those that a dry run has fetched but
// not stored.
func (c *recost) slots(was usage.Stored) (map[time.Time]usage.Slot, error) {
	return c.worker.Settings.Grid.slots(func(provider, grid string) (map[time.Time]usage.Slot, error) {
		known, err := was.Slots(provider, grid)
		if err == nil {
			maps.Copy(known, c.windows.seen[usage.GridName{Provider: provider, Grid: grid}])
		}
		return known, err
	})
}

// made returns a record with the power and prices of the settings, and whether the grid has no
// price for it.
func (c *recost) made(ctx context.Context, was usage.Record, slots map[time.Time]usage.Slot) (is usage.Record, noPrice bool, err error) {
	set := c.worker.Settings
	power, err := set.Power(ctx, was.Interval.Start)
	if err != nil {
		return was, false, err
	}
	is = was
	if !set.MeasuresPUE { // what was measured stays
		is.PUE, is.PUEs = set.PUE, nil
	}
	is.Facts, is.Hosts = slices.Clone(was.Facts), append([]usage.HostFact{}, was.Hosts...)
	models, err := c.models(ctx, was)
	if err != nil {
		return was, false, err
	}
	rating := rater(power, &is, models)
	for i := range is.Facts {
		f := &is.Facts[i]
		pue := is.PUEAt(f.Start)
		f.Beside = again(power, f.Beside, pue, pue/was.PUEAt(f.Start))
		f.Energy = energyOf(power, rating(f.Machine), f.CPU, f.Beside, pue)
	}
	for i := range is.Hosts {
		h := &is.Hosts[i]
		pue := is.PUEAt(h.Start)
		h.Beside = again(power, h.Beside, pue, pue/was.PUEAt(h.Start))
		measured := h.Energy.Measured * usage.KWh(pue/was.PUEAt(h.Start))
		h.Energy = energyOf(power, rating(h.Machine), h.CPU, h.Beside, pue)
		h.Energy.Measured = measured // by host, devices have no names
	}
	is.Embodied = embodiedRates(set, is)
	is.Zones = reconciled(set, is, was.Zones)
	prices, state := priceUnless(was.Interval, slots, func(usage.Slot) bool { return was.State != usage.Settled })
	if state == usage.Unpriced {
		return is, true, nil // a price that is there stays
	}
	is.Prices = prices
	if is.State == usage.Unpriced {
		is.State = usage.Provisional
	}
	return is, false, nil
}

// models returns the processors of the machine types of a record: those that were stored with it
// or, if they were not asked for then, those of the nearest interval that has them.
func (c *recost) models(ctx context.Context, was usage.Record) (map[string][]usage.ModelShare, error) {
	if !c.worker.Settings.Asked.Models {
		return nil, nil
	}
	all := maps.Clone(was.Models)
	for _, r := range was.Ratings {
		if all[r.Machine] != nil {
			continue
		}
		near, err := c.worker.Store.ModelsNear(ctx, r.Machine, was.Interval.Start)
		if err != nil {
			return nil, err
		}
		if len(near) == 0 {
			continue
		}
		if all == nil {
			all = map[string][]usage.ModelShare{}
		}
		all[r.Machine] = near
	}
	return all, nil
}

// again is what a fact has beside with another PUE and other watts of memory: what was measured
// stays as it was measured.
func again(power Power, b *usage.Beside, pue, ratio float64) *usage.Beside {
	if b == nil {
		return nil
	}
	is := *b
	is.Metered.Energy = is.Metered.Energy.Times(ratio)
	is.MemoryEnergy = power.Memory(is.Memory) * usage.KWh(pue)
	is.Devices = slices.Clone(b.Devices)
	for i := range is.Devices {
		is.Devices[i].Energy *= usage.KWh(ratio)
	}
	return &is
}

// reconciled compares what was measured of the site with what is booked now.
func reconciled(set Settings, is usage.Record, was []usage.ZoneFact) []usage.ZoneFact {
	all := slices.Clone(was)
	for i := range all {
		for _, zone := range set.Zones {
			if zone.Name == all[i].Zone {
				all[i].Booked = zone.booked(is)
			}
		}
	}
	return all
}
