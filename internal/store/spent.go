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
	sums, until := make(spentSums, v.naming.count()), held.To
	for i, from := range times {
		if !from.Time.Before(held.To) {
			continue
		}
		part := usage.Period{From: from.Time, To: until}
		if err := v.addPart(ctx, i, part, held.To, sums); err != nil {
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

// addPart adds a part of the usage up to the newest: days that have long ended from memory.
func (v *View) addPart(ctx context.Context, place int, part usage.Period, newest time.Time, sums spentSums) error {
	if !part.From.Before(part.To) {
		return nil // such as a month that begins today
	}
	closed, rest := v.store.split(part, newest)
	if closed.From.Before(closed.To) {
		if err := v.store.addClosed(ctx, v.tx, place, closed, sums); err != nil {
			return err
		}
	}
	if !rest.From.Before(rest.To) {
		return nil
	}
	return v.store.addSpent(ctx, v.tx, rest, sums)
}

func (v *View) spent(ctx context.Context, p usage.Period, sums spentSums) (Spent, error) {
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
		s.Keys = append(s.Keys, usage.KeyUsage{
			Key: k.Key, Priced: r.priced > 0,
			Energy:    usage.ByMode[usage.KWh]{Busy: r.kwh(0), Idle: r.kwh(1), Measured: r.kwh(2)},
			Emissions: usage.ByMode[usage.Grams]{Busy: r.grams(3), Idle: r.grams(4), Measured: r.grams(5)},
		})
	}
	return s, nil
}

func (s *spentSum) kwh(i int) usage.KWh { return usage.KWh(s.sums[i].Float64()) }

func (s *spentSum) grams(i int) usage.Grams { return usage.Grams(s.sums[i].Float64()) }

// bounds are of all energy together.
func (s spentSums) bounds(ctx context.Context, naming *naming) *usage.EnergyBounds {
	all := make([]usage.Total, 0, len(s))
	for id, r := range s {
		if r.rows == 0 {
			continue
		}
		if k, err := naming.keyOf(ctx, id); err == nil { // spent has asked for each of them
			down := r.kwh(6)
			all = append(all, usage.Total{
				Key: usage.Key{Machine: k.Machine}, Energy: usage.ByMode[usage.KWh]{Busy: r.kwh(0), Idle: r.kwh(1), Measured: r.kwh(2)},
				Down: down, Up: down + r.kwh(7), Undoubted: r.kwh(8),
			})
		}
	}
	_, site := usage.BoundsOf(all)
	return site
}
