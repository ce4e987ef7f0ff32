// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// walk visits all intervals once, in order of time, and adds up what it finds.
type walk struct {
	*verification
	store  *Store // only to load from: it cannot write
	naming *naming

	intervals, scopes, sums Verdict

	states                 map[usage.State]int
	pruned                 int
	facts, prices, members int // found so far

	membersFrom time.Time // from when on no row of fact_usage was deleted
	memberless  int       // intervals of which they were

	date  int64         // current day
	today totals        // its facts
	whole bool          // whether none of its facts were deleted
	dates map[int64]int // by day: the number of its intervals that have or had facts
	last  map[int64]int64
}

func newWalk(ctx context.Context, v *verification) (*walk, error) {
	length, zone, err := v.settings(ctx)
	if err != nil {
		return nil, sqlite.Unreadable(err)
	}
	names, err := loadNames(ctx, v.tx)
	if err != nil {
		return nil, sqlite.Unreadable(err)
	}
	w := &walk{
		verification: v, store: &Store{length: length, zone: zone, names: names},
		intervals: Verdict{Check: "intervals"}, scopes: Verdict{Check: "scopes"}, sums: Verdict{Check: "sums"},
		states: map[usage.State]int{}, today: totals{}, whole: true, dates: map[int64]int{}, last: map[int64]int64{},
	}
	if w.membersFrom, err = readMembersFrom(ctx, v.tx); err != nil {
		return nil, sqlite.Unreadable(err)
	}
	w.naming, err = names.in(ctx, v.tx)
	return w, err
}

// all visits every interval, then looks for rows that belong to none.
func (w *walk) all(ctx context.Context) error {
	rows, err := w.rows(ctx)
	if err != nil {
		return err
	}
	for i, r := range rows {
		if date := dateOf(r.Start, w.store.zone); date != w.date {
			if err := w.endDay(ctx); err != nil {
				return err
			}
			w.date = date
		}
		if err := w.visit(ctx, r); err != nil {
			return fmt.Errorf("interval %s: %w", r, err)
		}
		if w.progress != nil {
			w.progress(i+1, len(rows), r.Start)
		}
	}
	if err := w.endDay(ctx); err != nil {
		return err
	}
	if err := w.strays(ctx); err != nil {
		return err
	}
	w.say(len(rows))
	return w.compareTotals(ctx)
}

// intervalRow is a row of usage_interval.
type intervalRow struct {
	usage.Interval
	state  usage.State
	pruned bool
	kwh    *float64
}

func (w *walk) rows(ctx context.Context) (all []intervalRow, err error) {
	err = each(ctx, w.tx, "SELECT start, seconds, state, pruned, kwh FROM usage_interval ORDER BY start", nil, func(rows *sql.Rows) error {
		var r intervalRow
		var start, seconds int64
		err := rows.Scan(&start, &seconds, &r.state, &r.pruned, &r.kwh)
		r.Interval = usage.Interval{Start: unix(start), Length: time.Duration(seconds) * time.Second}
		all = append(all, r)
		return err
	})
	return all, err
}

func (r intervalRow) hasFacts() bool { return r.state != usage.Missing && r.state != usage.Empty }

// visit checks one interval.
func (w *walk) visit(ctx context.Context, r intervalRow) error {
	w.states[r.state]++
	if r.Length != w.store.length || usage.FloorEpoch(r.Start, max(w.store.length, time.Second)) != r.Start {
		w.intervals.fault("%s: is %v long; the store has intervals of %v", r, r.Length, w.store.length)
		return nil
	}
	c, err := load(ctx, w.tx, r.Interval)
	if err != nil {
		return err
	}
	w.facts, w.prices = w.facts+len(c.rows), w.prices+len(c.prices)
	w.checkState(r, c)
	if !r.hasFacts() {
		return nil
	}
	w.dates[w.date]++
	if r.pruned {
		w.pruned++
		w.whole = false
	}
	for _, f := range c.rows {
		w.today.add(f, c.terms(f))
		w.last[f.key] = max(w.last[f.key], f.start)
	}
	return w.checkMembers(ctx, r, c)
}

// checkState checks that an interval has what its state requires, and no more.
func (w *walk) checkState(r intervalRow, c content) {
	bad := func(format string, args ...any) {
		w.intervals.fault("%s: %s", r, fmt.Sprintf("is %s and ", r.state)+fmt.Sprintf(format, args...))
	}
	if err := checkPrices(r.Interval, c.prices, r.state); err != nil && r.state != usage.Missing {
		bad("%v", err)
	}
	switch {
	case !r.hasFacts() && r.pruned, r.pruned && r.state != usage.Settled:
		bad("its per-key rows are marked as deleted")
	case !r.hasFacts():
		return
	case r.End().After(w.now):
		bad("has usage but ends in the future")
	case r.pruned && len(c.rows) > 0:
		bad("has per-key rows that are marked as deleted")
	case !r.pruned && len(c.rows) == 0:
		bad("has no facts")
	case r.kwh == nil:
		bad("has no energy")
	}
	step := usage.PieceLength(r.Length)
	for _, f := range c.rows {
		if unix(f.start).Sub(r.Start)%step != 0 {
			bad("has a fact whose start is not the start of a piece")
			break
		}
	}
	for _, f := range c.rows {
		if !f.isSane() {
			bad("has a fact that is negative or not a number")
			break
		}
	}
	for _, f := range c.rows {
		if !f.holdsBeside() {
			bad("has a fact with less energy or CPU time than the metered, or the memory, in it")
			break
		}
	}
}

// isSane reports whether the amounts are finite numbers and not negative.
func (a amounts) isSane() bool {
	for _, v := range [...]float64{float64(a.cpu.Busy), float64(a.cpu.Idle), float64(a.energy.Busy), float64(a.energy.Idle), float64(a.energy.Measured)} {
		if v < 0 || math.IsInf(v, 0) || math.IsNaN(v) {
			return false
		}
	}
	return true
}

// strays checks that no rows belong to no interval.
func (w *walk) strays(ctx context.Context) error {
	for _, table := range []struct {
		name string
		met  int
	}{{"usage_fact", w.facts}, {"interval_price", w.prices}, {"fact_usage", w.members}} {
		var n int
		if err := w.tx.QueryRowContext(ctx, "SELECT count(*) FROM "+table.name).Scan(&n); err != nil {
			return err
		}
		if n > table.met {
			w.intervals.fault("%d rows of %s belong to no interval with usage", n-table.met, table.name)
		}
	}
	return w.strayBesides(ctx)
}

// strayBesides checks that what facts have beside CPU time x average power is that of a fact.
func (w *walk) strayBesides(ctx context.Context) error {
	for _, table := range [...]string{"usage_beside", "usage_device"} {
		var n int
		if err := w.tx.QueryRowContext(ctx, "SELECT count(*) FROM "+table+` b
			WHERE NOT EXISTS (SELECT 1 FROM usage_fact f WHERE f.start = b.start AND f.key_id = b.key_id)`).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			w.intervals.fault("%d rows of %s belong to no fact", n, table)
		}
	}
	return nil
}

// say summarises what was found.
func (w *walk) say(n int) {
	var states []string
	for _, state := range usage.States() {
		if w.states[state] > 0 {
			states = append(states, fmt.Sprintf("%d %s", w.states[state], state))
		}
	}
	slices.Reverse(states)
	w.intervals.Found = fmt.Sprintf("%d", n)
	if n > 0 {
		w.intervals.Found += ": " + strings.Join(states, ", ")
	}
	w.scopes.Found = fmt.Sprintf("%d member rows checked", w.members)
	if w.memberless > 0 {
		w.scopes.Found += fmt.Sprintf(", those of %d intervals deleted", w.memberless)
	}
	w.sums.Found = fmt.Sprintf("%d days and all time, %d facts", len(w.dates), w.facts)
	if w.pruned > 0 {
		w.sums.Found += fmt.Sprintf(", per-key rows of %d intervals deleted", w.pruned)
	}
}
