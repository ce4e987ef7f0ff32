// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// From is a time from which usage is added up.
type From struct {
	Time   time.Time
	Bounds bool // whether Spent.Bounds is wanted
}

// Spent is the exact usage of every key since a time, in no order: of the intervals that begin after
// it. It is what an Account has, without what /metrics does not show.
type Spent struct {
	Period usage.Period
	Keys   []usage.KeyUsage
	// Missing and Unpriced are those of an Account.
	Missing, Unpriced time.Duration
	// Bounds are of all energy together; nil: not known, or not asked for.
	Bounds *usage.EnergyBounds
}

// SpentSince returns the usage of several times up to now, the latest first: what is later is added
// up once. Times after the end of what is stored have nothing.
func (v *View) SpentSince(ctx context.Context, times ...From) ([]Spent, error) {
	held, known, err := v.Span(ctx)
	if err != nil || !known {
		return make([]Spent, len(times)), err
	}
	all := make([]Spent, len(times))
	sums, until := make(totals, v.naming.count()), held.To
	for i, from := range times {
		if !from.Time.Before(until) {
			continue
		}
		part := usage.Period{From: from.Time, To: until}
		if err := v.store.addOver(ctx, v.tx, part, sums); err != nil {
			return nil, fmt.Errorf("add up %s to %s: %w", part.From.UTC().Format(time.RFC3339), part.To.UTC().Format(time.RFC3339), err)
		}
		until = from.Time
		if all[i], err = v.spent(ctx, usage.Period{From: from.Time, To: held.To}, sums); err != nil {
			return nil, err
		}
		if from.Bounds {
			all[i].Bounds = sums.bounds(ctx, v.naming)
		}
	}
	return all, nil
}

func (v *View) spent(ctx context.Context, p usage.Period, sums totals) (Spent, error) {
	holes := Account{Period: p}
	if err := holes.readHoles(ctx, v.tx); err != nil {
		return Spent{}, err
	}
	s := Spent{Period: p, Missing: holes.Missing, Unpriced: holes.Unpriced, Keys: make([]usage.KeyUsage, 0, len(sums))}
	for id, r := range sums {
		if r.rows == 0 {
			continue
		}
		k, err := v.naming.keyOf(ctx, id)
		if err != nil {
			return Spent{}, err
		}
		f := func(i int) float64 { return r.sums.at(i).Float64() }
		s.Keys = append(s.Keys, usage.KeyUsage{
			Key:       k.Key,
			Energy:    usage.ByMode[usage.KWh]{Busy: usage.KWh(f(busyKWh)), Idle: usage.KWh(f(idleKWh)), Measured: usage.KWh(f(measuredKWh))},
			Emissions: usage.ByMode[usage.Grams]{Busy: usage.Grams(f(busyGrams)), Idle: usage.Grams(f(idleGrams)), Measured: usage.Grams(f(measuredGrams))},
			Priced:    r.priced > 0,
		})
	}
	return s, nil
}

// bounds are of all energy together.
func (t totals) bounds(ctx context.Context, naming *naming) *usage.EnergyBounds {
	all := make([]usage.Total, 0, len(t))
	for id, r := range t {
		if r.rows == 0 {
			continue
		}
		if k, err := naming.keyOf(ctx, id); err == nil { // spent has asked for each of them
			total := r.total(usage.Key{Machine: k.Machine})
			all = append(all, usage.Total{Key: total.Key, Energy: total.Energy, Down: total.Down, Up: total.Up, Undoubted: total.Undoubted})
		}
	}
	_, site := usage.BoundsOf(all)
	return site
}
