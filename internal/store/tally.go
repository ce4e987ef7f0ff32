// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Account is the exact usage of a period by key: of the intervals that begin in it. It does not
// change.
type Account struct {
	usage.Period
	// Missing is how much of the period has no answer from the source; Unpriced is how much has
	// energy without an intensity.
	Missing, Unpriced time.Duration

	keys []keySum // ordered by key
}

type keySum struct {
	usage.Key
	keyTotals
}

// Accounts adds up the usage of periods, all as of one moment. Whole days come from stored
// sums, the rest of a period from its facts; if their per-key rows were deleted, it returns
// usage.ErrPruned.
func (v *View) Accounts(ctx context.Context, periods ...usage.Period) ([]Account, error) {
	all := make([]Account, len(periods))
	for i, p := range periods {
		sums, err := v.store.over(ctx, v.tx, p)
		if err != nil {
			return nil, fmt.Errorf("add up %s to %s: %w", p.From.UTC().Format(time.RFC3339), p.To.UTC().Format(time.RFC3339), err)
		}
		all[i].Period = p
		if err := all[i].readHoles(ctx, v.tx); err != nil {
			return nil, err
		}
		for id, r := range sums {
			if r.rows == 0 {
				continue
			}
			k, err := v.naming.keyOf(ctx, id)
			if err != nil {
				return nil, err
			}
			all[i].keys = append(all[i].keys, keySum{k.Key, *r})
		}
		slices.SortFunc(all[i].keys, func(a, b keySum) int { return a.Compare(b.Key) })
	}
	return all, nil
}

// readHoles computes how much of the period is not known. That includes empty intervals: they
// do not prove that nothing was used.
func (a *Account) readHoles(ctx context.Context, tx *sqlite.Tx) error {
	a.Missing = a.To.Sub(a.From)
	return each(ctx, tx, `SELECT state, sum(seconds) FROM usage_interval
		WHERE start >= ? AND start < ? AND state IN ('unpriced', 'provisional', 'settled') GROUP BY state`,
		[]any{a.From.Unix(), a.To.Unix()}, func(rows *sql.Rows) error {
			var state usage.State
			var seconds int64
			err := rows.Scan(&state, &seconds)
			a.Missing -= time.Duration(seconds) * time.Second
			if state == usage.Unpriced {
				a.Unpriced = time.Duration(seconds) * time.Second
			}
			return err
		})
}

// Keys returns the usage of every key. Daily sums do not say when a key was last used, so Last
// is not set.
func (a Account) Keys() []usage.Total {
	all := make([]usage.Total, len(a.keys))
	for i := range a.keys {
		all[i] = a.keys[i].total(a.keys[i].Key)
		all[i].Last = time.Time{}
	}
	return all
}

// By returns the usage of every member of a scope, by name. They add up to the site.
func (a Account) By(scope usage.Scope) []usage.Tally {
	members := talliesOf(a, scope.Member)
	var all []usage.Tally
	for _, name := range slices.Sorted(maps.Keys(members)) {
		t := members[name]
		t.Name = name
		all = append(all, t)
	}
	return all
}

// ByKey returns the usage of every key, in their order. Keys that as makes one are added up. They
// add up to the site.
func (a Account) ByKey(as func(usage.Key) usage.Key) []usage.KeyTally {
	members := talliesOf(a, as)
	all := make([]usage.KeyTally, 0, len(members))
	for _, k := range slices.SortedFunc(maps.Keys(members), usage.Key.Compare) {
		all = append(all, usage.KeyTally{Key: k, Tally: members[k]})
	}
	return all
}

// talliesOf adds keys up by what they are of, exactly.
func talliesOf[K comparable](a Account, of func(usage.Key) K) map[K]usage.Tally {
	members := map[K]*keyTotals{}
	margins := map[K]marginsByType{}
	unattributed := map[K]*usage.Sum{}
	for i := range a.keys {
		k := &a.keys[i]
		m := of(k.Key)
		if members[m] == nil {
			members[m], margins[m], unattributed[m] = &keyTotals{}, marginsByType{}, &usage.Sum{}
		}
		members[m].include(&k.keyTotals)
		margins[m].include(k)
		if k.User == usage.Unattributed {
			for _, mode := range [...]int{busyKWh, idleKWh, measuredKWh} {
				unattributed[m].AddSum(k.sums.at(mode))
			}
		}
	}
	all := make(map[K]usage.Tally, len(members))
	for m, sums := range members {
		t := sums.tally()
		t.Period, t.Unattributed = a.Period, usage.KWh(unattributed[m].Float64())
		t.Margins = margins[m].margins()
		across := usage.AcrossTypes(t.Margins)
		t.Down, t.Up = across.Down, across.Up
		all[m] = t
	}
	return all
}

// marginsByType are the sums of one member, by machine type: errors of one type add up, those of
// several cancel out in part.
type marginsByType map[string]*keyTotals

func (m marginsByType) include(k *keySum) {
	if m[k.Machine] == nil {
		m[k.Machine] = &keyTotals{}
	}
	for _, i := range [...]int{doubtKWh, skewKWh} {
		m[k.Machine].sums.of(i).AddSum(k.sums.at(i))
	}
}

func (m marginsByType) margins() map[string]usage.Margin {
	all := make(map[string]usage.Margin, len(m))
	for machine, sums := range m {
		t := sums.total(usage.Key{})
		all[machine] = usage.Margin{Down: t.Down, Up: t.Up}
	}
	return all
}

// include adds the sums of another key.
func (r *keyTotals) include(o *keyTotals) {
	r.rows += o.rows
	r.priced += o.priced
	r.last = max(r.last, o.last)
	r.sums.include(&o.sums)
}

func (r *keyTotals) tally() usage.Tally {
	t := r.total(usage.Key{})
	provisional := r.sums.at(busyKWh)
	for _, i := range [...]int{idleKWh, measuredKWh} {
		provisional.AddSum(r.sums.at(i))
	}
	for _, i := range [...]int{unpricedKWh, settledBusyKWh, settledIdleKWh, settledMeasuredKWh} {
		provisional.SubSum(r.sums.at(i))
	}
	kwh := func(i int) usage.KWh { return usage.KWh(r.sums.at(i).Float64()) }
	return usage.Tally{
		CPU: t.CPU, Energy: t.Energy, Emissions: t.Emissions, Priced: t.Priced,
		Unpriced: kwh(unpricedKWh), Provisional: usage.KWh(provisional.Float64()), Forecast: kwh(forecastKWh),
		Undoubted: t.Undoubted, Embodied: t.Embodied, Hardware: t.Hardware,
	}
}

// Timezone is the time zone of the store's days.
func (s *Store) Timezone() *time.Location { return s.zone }

// Interval is the length of the store's intervals; 0 while it has none.
func (s *Store) Interval() time.Duration { return s.length }

// Of is the part of an account that belongs to one member of a scope.
func (a Account) Of(scope usage.Scope, member string) Account {
	part := a
	part.keys = nil
	for _, k := range a.keys {
		if scope.Member(k.Key) == member {
			part.keys = append(part.keys, k)
		}
	}
	return part
}
