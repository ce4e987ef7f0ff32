package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// content is what the store has, or is about to have, of an interval.
type content struct {
	state  usage.State
	pruned bool // its rows are not kept any more
	rows   []row
	prices []usage.PiecePrice
	errs   map[int64]*float64 // of the average power, by key; nil where it is not known
}

// forgiven is how much less CPU time a second answer may have, as a part of the
// first: counters are read to a moment, and keep that much to themselves.
const forgiven = 0.001

// outlives says that what is stored is better than what has come: of a source
// that has forgotten, since it was asked, all or some of the interval.
func (c content) outlives(rec usage.Record) bool {
	if len(c.rows) == 0 || rec.State == usage.Empty {
		return len(c.rows) > 0
	}
	var have, come float64
	for _, r := range c.rows {
		have += r.values[0] + r.values[1]
	}
	for _, f := range rec.Facts {
		come += float64(f.CPU.Total())
	}
	return rec.Again && come < have*(1-forgiven)
}

func (c content) priceOf(start int64) *usage.PiecePrice {
	for i := range c.prices {
		if c.prices[i].Start.Unix() == start {
			return &c.prices[i]
		}
	}
	return nil
}

func (c content) price(start int64) *float64 {
	if p := c.priceOf(start); p != nil {
		return (*float64)(&p.Intensity)
	}
	return nil
}

// terms are what a row of the content is counted by.
func (c content) terms(r row) terms {
	by := terms{settled: c.state == usage.Settled, err: c.errs[r.key]}
	if p := c.priceOf(r.start); p != nil {
		by.price, by.forecast = (*float64)(&p.Intensity), p.Kind == usage.Forecast
	}
	return by
}

// errorsOf gives the errors of a record's averages, by key. Facts and rows are of
// the same record.
func errorsOf(rec usage.Record, naming *naming) (map[int64]*float64, error) {
	byMachine := map[string]*float64{}
	for _, r := range rec.Ratings {
		if r.Error != nil {
			byMachine[r.Machine] = r.Error
		}
	}
	if len(byMachine) == 0 {
		return nil, nil
	}
	ids, err := naming.ids(rec.Facts)
	if err != nil {
		return nil, err
	}
	errs := map[int64]*float64{}
	for i, f := range rec.Facts {
		if e := byMachine[f.Machine]; e != nil {
			errs[ids[i]] = e
		}
	}
	return errs, nil
}

// readErrors gives the errors of the averages that an interval's facts were made
// with, by key. Mostly there are none, which is a look at a few rows.
func readErrors(ctx context.Context, tx *sql.Tx, interval usage.Interval) (map[int64]*float64, error) {
	var known bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM interval_power WHERE start = ? AND error IS NOT NULL)",
		interval.Start.Unix()).Scan(&known); err != nil || !known {
		return nil, err
	}
	errs := map[int64]*float64{}
	err := each(ctx, tx, `SELECT DISTINCT f.key_id, w.error FROM usage_fact f JOIN usage_key k USING (key_id)
		JOIN interval_power w ON w.start = ? AND w.machine_id = k.machine_id AND w.error IS NOT NULL
		WHERE f.start >= ? AND f.start < ?`, append([]any{interval.Start.Unix()}, span(interval)...), func(rows *sql.Rows) error {
		var id int64
		var e float64
		err := rows.Scan(&id, &e)
		errs[id] = &e
		return err
	})
	return errs, err
}

// load reads an interval's content; one that was never stored is Missing.
func (s *Store) load(ctx context.Context, tx *sql.Tx, interval usage.Interval) (content, error) {
	c := content{state: usage.Missing}
	err := tx.QueryRowContext(ctx, "SELECT state, pruned FROM usage_interval WHERE start = ?", interval.Start.Unix()).Scan(&c.state, &c.pruned)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (c.state == usage.Missing || c.state == usage.Empty) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	if c.prices, err = readPrices(ctx, tx, interval); err != nil {
		return c, err
	}
	if c.errs, err = readErrors(ctx, tx, interval); err != nil {
		return c, err
	}
	err = each(ctx, tx, `SELECT start, key_id, busy_cpu_seconds, idle_cpu_seconds, busy_kwh, idle_kwh
		FROM usage_fact WHERE start >= ? AND start < ?`, span(interval), func(rows *sql.Rows) error {
		var r row
		if err := rows.Scan(&r.start, &r.key, &r.values[0], &r.values[1], &r.values[2], &r.values[3]); err != nil {
			return err
		}
		c.rows = append(c.rows, r)
		return nil
	})
	return c, err
}

func readPrices(ctx context.Context, db queryer, interval usage.Interval) ([]usage.PiecePrice, error) {
	var prices []usage.PiecePrice
	err := each(ctx, db, `SELECT start, gco2eq_per_kwh, kind, provider, grid, slot_start, fetched_at
		FROM interval_price WHERE start >= ? AND start < ? ORDER BY start`, span(interval), func(rows *sql.Rows) error {
		var p usage.PiecePrice
		var start, slot, fetched int64
		if err := rows.Scan(&start, &p.Intensity, &p.Kind, &p.Provider, &p.Grid, &slot, &fetched); err != nil {
			return err
		}
		p.Start, p.SlotFrom, p.FetchedAt = unix(start), unix(slot), unix(fetched)
		prices = append(prices, p)
		return nil
	})
	return prices, err
}

func span(i usage.Interval) []any { return []any{i.Start.Unix(), i.End().Unix()} }

func unix(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
