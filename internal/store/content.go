// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// content is what the store holds, or is about to hold, of an interval.
type content struct {
	state  usage.State
	pruned bool // its per-key rows were deleted
	due    bool // it is to be fetched, or fetched again
	reread bool // it is yet to be read a second time
	doubts *int // hosts that are not exact; nil: nothing is known of hosts
	rows   []row
	prices []usage.PiecePrice
	made   map[int64]factors // what the rows were made with, by key; without an entry: nothing is known of it
}

// row is one fact as it is stored.
type row struct {
	start, key int64
	amounts
	beside *usage.Beside // nil: all energy is CPU time x average power
}

// equal reports whether two rows say the same.
func (r row) equal(o row) bool {
	return r.start == o.start && r.key == o.key && r.amounts == o.amounts && r.beside.Equal(o.beside)
}

// amounts are the measured amounts of a row.
type amounts struct {
	cpu    usage.BusyIdle[usage.CPUSeconds]
	energy usage.ByMode[usage.KWh]
}

// columns returns pointers to the amounts, in the order of the tables' columns. The measured energy
// is not among them: see besides.
func (a *amounts) columns() []any {
	return []any{&a.cpu.Busy, &a.cpu.Idle, &a.energy.Busy, &a.energy.Idle}
}

func (a *amounts) plus(o amounts) {
	a.cpu, a.energy = a.cpu.Plus(o.cpu), a.energy.Plus(o.energy)
}

// at returns the emissions of a row's energy at an intensity.
func (r row) at(price usage.GramsPerKWh) usage.ByMode[usage.Grams] {
	return usage.EmissionsAt(r.energy, price)
}

func (r row) fact(k usage.Key) usage.Fact {
	return usage.Fact{Key: k, Start: unix(r.start), CPU: r.cpu, Energy: r.energy, Beside: r.beside}
}

// number turns facts into rows with the ids of their keys, in the order of the table.
func number(naming *naming, facts []usage.Fact) ([]row, error) {
	ids, err := naming.ids(facts)
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(facts))
	for i, f := range facts {
		rows[i] = row{start: f.Start.Unix(), key: ids[i], amounts: amounts{f.CPU, f.Energy}, beside: f.Beside}
		if f.Beside != nil {
			rows[i].energy.Measured = measuredBy(f.Beside.Devices) // as it is read, to the last bit
		}
	}
	sortRows(rows)
	return rows, nil
}

func sortRows(rows []row) {
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.key, b.key))
	})
}

// energy is the energy of the site in the interval.
func (c content) energy() usage.KWh { return energyOf(c.rows) }

func energyOf(rows []row) usage.KWh {
	var sum usage.ByModeSum[usage.KWh]
	for _, r := range rows {
		sum.Add(r.energy)
	}
	return sum.Total()
}

// forgiven is how much less CPU time a second answer may have, as a fraction of the first:
// counters are only exact to a scrape interval.
const forgiven = 0.001

// outlives reports whether what is stored is better than the new answer, because the source has
// lost the interval or part of it since. CPU seconds of both modes are compared: those of a
// machine grow by cores x time whatever it does, so less of them is less of the machines. A
// little less counts as such only if there are fewer hosts as well.
func (u *update) outlives(c content, rec usage.Record, again bool) (bool, error) {
	if len(c.rows) == 0 || rec.State == usage.Empty {
		return len(c.rows) > 0, nil
	}
	var have, come usage.CPUSeconds
	for _, r := range c.rows {
		have += r.cpu.Total()
	}
	for _, f := range rec.Facts {
		come += f.CPU.Total()
	}
	if !again || come >= have {
		return false, nil
	}
	if come < have*(1-forgiven) || rec.Attendance == nil || c.doubts == nil {
		return come < have*(1-forgiven), nil
	}
	was, err := readAttendance(u.ctx, u.tx, rec.Interval, *c.doubts)
	return err == nil && rec.Attendance.Booked() < was.Booked(), err
}

// mayBePriced checks that there are facts to price, and that the state does not go back.
func (c content) mayBePriced(to usage.State) error {
	switch {
	case c.state != usage.Unpriced && c.state != usage.Provisional && c.state != usage.Settled:
		return fmt.Errorf("has no facts to price, it is %s", c.state)
	case to == usage.Unpriced && c.state != usage.Unpriced:
		return fmt.Errorf("is %s and cannot go back to unpriced", c.state)
	}
	return nil
}

func (c content) priceOf(start int64) *usage.PiecePrice {
	for i := range c.prices {
		if c.prices[i].Start.Unix() == start {
			return &c.prices[i]
		}
	}
	return nil
}

func (c content) price(start int64) *usage.GramsPerKWh {
	if p := c.priceOf(start); p != nil {
		return &p.Intensity
	}
	return nil
}

// terms returns what decides which sums a row of the content belongs to.
func (c content) terms(r row) terms {
	by := terms{settled: c.state == usage.Settled, factors: c.made[r.key]}
	if p := c.priceOf(r.start); p != nil {
		by.price, by.forecast = &p.Intensity, p.Kind == usage.Forecast
	}
	return by
}

// load reads an interval's content. An interval that was never stored is Missing.
func load(ctx context.Context, tx *sqlite.Tx, interval usage.Interval) (content, error) {
	c, err := loadHead(ctx, tx, interval)
	if err != nil {
		return c, err
	}
	return c, loadRows(ctx, tx, interval, &c)
}

// loadHead reads state and prices, and whether the interval is due.
func loadHead(ctx context.Context, tx *sqlite.Tx, interval usage.Interval) (c content, err error) {
	c.state = usage.Missing
	err = tx.QueryRowContext(ctx, `SELECT state, pruned, retry_at IS NOT NULL, reread_at IS NOT NULL, doubts
		FROM usage_interval WHERE start = ?`, interval.Start.Unix()).Scan(&c.state, &c.pruned, &c.due, &c.reread, &c.doubts)
	if errors.Is(err, sql.ErrNoRows) {
		c.due = true
		return c, nil
	}
	if err != nil || !c.hasFacts() {
		return c, err
	}
	c.prices, err = readPrices(ctx, tx, interval)
	return c, err
}

// hasFacts reports whether the state is one with known usage.
func (c content) hasFacts() bool { return c.state != usage.Missing && c.state != usage.Empty }

// loadRows adds the facts and prices to what loadHead has read.
func loadRows(ctx context.Context, tx *sqlite.Tx, interval usage.Interval, c *content) (err error) {
	if !c.hasFacts() {
		return nil
	}
	if c.made, err = readFactorsByKey(ctx, tx, interval); err != nil {
		return err
	}
	var beside besides
	if more, err := hasBeside(ctx, tx, interval); err != nil {
		return err
	} else if more {
		if beside, err = readBesides(ctx, tx, interval.Start.Unix(), interval.End().Unix()); err != nil {
			return err
		}
	}
	return each(ctx, tx, `SELECT start, key_id, busy_cpu_seconds, idle_cpu_seconds, busy_kwh, idle_kwh
		FROM usage_fact WHERE start >= ? AND start < ?`, span(interval), func(rows *sql.Rows) error {
		var r row
		err := rows.Scan(append([]any{&r.start, &r.key}, r.columns()...)...)
		beside.complete(&r)
		c.rows = append(c.rows, r)
		return err
	})
}

func readPrices(ctx context.Context, db queryer, interval usage.Interval) ([]usage.PiecePrice, error) {
	var prices []usage.PiecePrice
	err := each(ctx, db, `SELECT start, gco2eq_per_kwh, kind, provider, grid, slot_start, fetched_at, basis, quality
		FROM interval_price WHERE start >= ? AND start < ? ORDER BY start`, span(interval), func(rows *sql.Rows) error {
		var p usage.PiecePrice
		var start, slot, fetched int64
		var basis string
		if err := rows.Scan(&start, &p.Intensity, &p.Kind, &p.Provider, &p.Grid, &slot, &fetched, &basis, &p.Quality); err != nil {
			return err
		}
		p.Start, p.SlotFrom, p.FetchedAt, p.Basis = unix(start), unix(slot), unix(fetched), usage.BasisOf(basis)
		prices = append(prices, p)
		return nil
	})
	return prices, err
}

func span(i usage.Interval) []any { return []any{i.Start.Unix(), i.End().Unix()} }

func unix(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
