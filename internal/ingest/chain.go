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

// Grid is one source of the carbon intensity of a grid.
type Grid interface {
	Provider() string
	Grid() string
	// Terms are what is known of it without asking.
	Terms() usage.Terms
	// Slots returns those that start in [from, to); with an error, those that it has.
	Slots(ctx context.Context, from, to time.Time) ([]usage.Slot, usage.Rejects, error)
	// Outlook returns the forecast from a time on. It is not called without Terms().Forecasts.
	Outlook(ctx context.Context, from time.Time) ([]usage.Slot, usage.Rejects, error)
}

// FixedGrid is a grid whose values are not revised: a price that is Final does not wait until it
// is SettleAfter old, unless a source before it may still answer. One that is not, because the
// operator has changed the value since, is asked for again.
type FixedGrid interface {
	Final(slot usage.Slot) bool
}

// Chain is the sources of one grid, in order of preference: of each half hour, the first that has
// it counts, be it an actual or a forecast.
type Chain []Grid

// FactorSet is a chain of other factors for the same energy. Its grams are never added to others.
type FactorSet struct {
	Name  string
	Chain Chain
}

// readSlots returns the known slots of one source, by their start.
type readSlots func(provider, grid string) (map[time.Time]usage.Slot, error)

// slots returns what counts of each half hour that has a value.
func (c Chain) slots(read readSlots) (map[time.Time]usage.Slot, error) {
	counts := map[time.Time]usage.Slot{}
	for _, g := range c {
		known, err := read(g.Provider(), g.Grid())
		if err != nil {
			return nil, err
		}
		usage.Complete(counts, maps.Values(known))
	}
	return counts, nil
}

// name names a source.
func name(g Grid) usage.GridName { return usage.GridName{Provider: g.Provider(), Grid: g.Grid()} }

// place is where the source of a slot is in the chain; below 0: it has been removed.
func (c Chain) place(slot usage.Slot) int {
	of := usage.GridName{Provider: slot.Provider, Grid: slot.Grid}
	return slices.IndexFunc(c, func(g Grid) bool { return name(g) == of })
}

// late is how much later than others the sources up to a place have their values.
func (c Chain) late(place int) (late time.Duration) {
	for _, g := range c[:place+1] {
		late = max(late, g.Terms().Late)
	}
	return late
}

// mayBeRevised reports whether a slot may get another value, from its own source or from one
// before it. A source was asked for the last time once it was asked SettleAfter after the end of
// the slot: an actual from before an outage may have been revised since. A slot that was fetched
// in the future, by a clock that ran ahead, does not count.
func (s Settings) mayBeRevised(slot usage.Slot, now time.Time) bool {
	if s.doubts(slot, now) {
		return true
	}
	place := s.Grid.place(slot)
	if place < 0 {
		return true
	}
	final := s.lastWord(slot)
	if fixed, ok := s.Grid[place].(FixedGrid); ok {
		return !fixed.Final(slot) || place > 0 && now.Before(final)
	}
	return slot.FetchedAt.Before(final) || slot.FetchedAt.After(now)
}

// doubts reports whether a slot had an actual of 0 that a second reading may confirm. If none comes
// by SettleAfter, what is known counts.
func (s Settings) doubts(slot usage.Slot, now time.Time) bool {
	return !slot.DoubtedAt.IsZero() && now.Before(slot.DoubtedAt.Add(s.SettleAfter))
}

// lastWord is when the sources of a slot have said all that they will.
func (s Settings) lastWord(slot usage.Slot) time.Time {
	place := s.Grid.place(slot)
	if place < 0 {
		place = len(s.Grid) - 1
	}
	return slot.From.Add(usage.SlotLength + s.SettleAfter + s.Grid.late(place))
}

// Providers lists the sources whose health is shown one by one, see usage.SourceOf: all, unless one
// alone prices usage.
func (s Settings) Providers() (names []string) {
	for n, chain := range s.chains() {
		for _, g := range chain {
			if n > 0 || len(chain) > 1 {
				names = append(names, g.Provider())
			}
		}
	}
	return names
}

// Sources lists the sources of all chains, with what is known of them.
func (s Settings) Sources() (all []usage.GridSource) {
	for _, chain := range s.chains() {
		for _, g := range chain {
			all = append(all, usage.GridSource{GridName: name(g), Terms: g.Terms()})
		}
	}
	return all
}

// chains lists all that are asked, the one that prices usage first.
func (s Settings) chains() []Chain {
	all := []Chain{s.Grid}
	for _, set := range s.Factors {
		all = append(all, set.Chain)
	}
	if len(s.Marginal) > 0 {
		all = append(all, s.Marginal)
	}
	return all
}
