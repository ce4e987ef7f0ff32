package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Commit replaces everything the store holds of the record's interval, in one
// transaction: facts, the rows of fact_usage, prices, state and totals. Doing
// it again with the same record changes no number. A settled interval is left
// alone and gives usage.ErrSettled.
//
// No interval goes back: facts that come without a price take over the prices
// there are, and an empty answer, of a source that has forgotten, takes no facts
// away.
func (s *Store) Commit(ctx context.Context, rec usage.Record) error {
	err := check(rec)
	if err == nil {
		err = s.commit(ctx, rec)
	}
	if err != nil {
		return fmt.Errorf("interval %s: store: %w", rec.Interval, err)
	}
	return nil
}

func (s *Store) commit(ctx context.Context, rec usage.Record) error {
	naming := (*naming)(nil)
	err := s.write(ctx, func(tx *sql.Tx) error {
		naming = s.names.in(ctx, tx)
		old, err := s.load(ctx, tx, rec.Interval)
		if err != nil {
			return err
		}
		if old.state == usage.Settled {
			return usage.ErrSettled
		}
		if old.state != usage.Missing && old.state != usage.Empty && rec.State == usage.Empty {
			return nil
		}
		if old.state == usage.Provisional && rec.State == usage.Unpriced {
			rec.State, rec.Prices = old.state, old.prices
		}
		rows, err := number(naming, rec.Facts)
		if err != nil {
			return err
		}
		fresh := content{state: rec.State, rows: rows, prices: rec.Prices}
		if err := s.clear(ctx, tx, rec.Interval, old); err != nil {
			return err
		}
		if err := s.putInterval(ctx, tx, rec, siteEnergy(rows)); err != nil {
			return err
		}
		if err := s.putFacts(ctx, tx, rows); err != nil {
			return err
		}
		if err := s.putFactors(ctx, tx, naming, rec); err != nil {
			return err
		}
		sums, err := s.putPriced(ctx, tx, naming, rec.Interval, old, fresh)
		if err != nil {
			return err
		}
		return s.putHomes(ctx, naming, rec, sums)
	})
	if err == nil {
		naming.keep()
	}
	return err
}

// Reprice gives the facts of an interval other prices and a later state, and
// asks nobody for CPU seconds. One price for every piece.
func (s *Store) Reprice(ctx context.Context, interval usage.Interval, prices []usage.PiecePrice, state usage.State) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		if err := checkPrices(interval, prices, state); err != nil {
			return err
		}
		old, err := s.load(ctx, tx, interval)
		switch {
		case err != nil:
			return err
		case old.state == usage.Settled:
			return usage.ErrSettled
		case old.state != usage.Unpriced && old.state != usage.Provisional:
			return fmt.Errorf("has no facts to price, it is %s", old.state)
		case state == usage.Unpriced && old.state == usage.Provisional:
			return errors.New("is provisional and cannot go back to unpriced")
		}
		if _, err := tx.ExecContext(ctx, "UPDATE usage_interval SET state = ? WHERE start = ?",
			string(state), interval.Start.Unix()); err != nil {
			return err
		}
		if err := s.clearPriced(ctx, tx, interval); err != nil {
			return err
		}
		fresh := content{state: state, rows: old.rows, prices: prices}
		_, err = s.putPriced(ctx, tx, s.names.in(ctx, tx), interval, old, fresh)
		return err
	})
	if err != nil {
		return fmt.Errorf("interval %s: price: %w", interval, err)
	}
	return nil
}

// row is a fact as it is stored: busy and idle CPU seconds, busy and idle kWh.
type row struct {
	start, key int64
	values     [4]float64
}

func (f row) grams(price float64) (busy, idle float64) {
	return float64(usage.KWh(f.values[2]).At(usage.GramsPerKWh(price))),
		float64(usage.KWh(f.values[3]).At(usage.GramsPerKWh(price)))
}

// number gives facts the ids of their keys, in the order of the table.
func number(naming *naming, facts []usage.Fact) ([]row, error) {
	ids, err := naming.ids(facts)
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(facts))
	for i, f := range facts {
		rows[i] = row{start: f.Start.Unix(), key: ids[i], values: [4]float64{
			float64(f.CPU.Busy), float64(f.CPU.Idle), float64(f.Energy.Busy), float64(f.Energy.Idle),
		}}
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.key, b.key))
	})
	return rows, nil
}

func siteEnergy(rows []row) float64 {
	var sum usage.Sum
	for _, r := range rows {
		sum.Add(r.values[2])
		sum.Add(r.values[3])
	}
	return sum.Float64()
}

// content is what the store has, or is about to have, of an interval.
type content struct {
	state  usage.State
	rows   []row
	prices []usage.PiecePrice
}

func (c content) price(start int64) *float64 {
	for i := range c.prices {
		if c.prices[i].Start.Unix() == start {
			return (*float64)(&c.prices[i].Intensity)
		}
	}
	return nil
}

// load reads an interval's content; one that was never stored is Missing.
func (s *Store) load(ctx context.Context, tx *sql.Tx, interval usage.Interval) (content, error) {
	c := content{state: usage.Missing}
	err := tx.QueryRowContext(ctx, "SELECT state FROM usage_interval WHERE start = ?", interval.Start.Unix()).Scan(&c.state)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (c.state == usage.Missing || c.state == usage.Empty) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	if c.prices, err = readPrices(ctx, tx, interval); err != nil {
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
