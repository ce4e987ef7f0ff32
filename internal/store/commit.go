package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Commit replaces everything the store holds of the record's interval, in one
// transaction: facts, the rows of fact_usage, prices, state and totals. Doing
// it again with the same record changes no number. A settled interval is left
// alone and gives usage.ErrSettled.
//
// No interval goes back: facts that come without a price take over the prices
// there are, and an answer of a source that has forgotten, empty or less than
// there was when it was asked again, takes no facts away. In any case it is an
// answer: the interval is not due any more.
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
	err := s.write(ctx, func(tx *sql.Tx) (err error) {
		if naming, err = s.names.in(ctx, tx); err != nil {
			return err
		}
		old, err := s.load(ctx, tx, rec.Interval)
		if err != nil {
			return err
		}
		if old.state == usage.Settled {
			return usage.ErrSettled
		}
		if old.outlives(rec) {
			return answered(ctx, tx, rec.Interval)
		}
		if old.state == usage.Provisional && rec.State == usage.Unpriced {
			rec.State, rec.Prices = old.state, old.prices
		}
		rec.Facts = naming.booked(rec.Facts)
		rows, err := number(naming, rec.Facts)
		if err != nil {
			return err
		}
		fresh := content{state: rec.State, rows: rows, prices: rec.Prices}
		if err := s.clear(ctx, tx, rec.Interval, old); err != nil {
			return err
		}
		if err := s.putInterval(ctx, tx, rec, siteEnergy(rows), !fresh.looks(old)); err != nil {
			return err
		}
		if err := s.putFacts(ctx, tx, rows); err != nil {
			return err
		}
		if err := s.putFactors(ctx, tx, naming, rec); err != nil {
			return err
		}
		if err := s.putHosts(ctx, tx, naming, rec); err != nil {
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
		naming, err := s.names.in(ctx, tx)
		if err != nil {
			return err
		}
		fresh := content{state: state, rows: old.rows, prices: prices}
		if err := restate(ctx, tx, interval, state, !fresh.looks(old)); err != nil {
			return err
		}
		if err := s.clearPriced(ctx, tx, interval); err != nil {
			return err
		}
		_, err = s.putPriced(ctx, tx, naming, interval, old, fresh)
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

func values(f usage.Fact) [4]float64 {
	return [4]float64{float64(f.CPU.Busy), float64(f.CPU.Idle), float64(f.Energy.Busy), float64(f.Energy.Idle)}
}

// number gives facts the ids of their keys, in the order of the table.
func number(naming *naming, facts []usage.Fact) ([]row, error) {
	ids, err := naming.ids(facts)
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(facts))
	for i, f := range facts {
		rows[i] = row{start: f.Start.Unix(), key: ids[i], values: values(f)}
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
