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
// transaction: facts, the rows of fact_usage, prices, state and sums. Doing it
// again with the same record changes no number. A settled interval is left alone
// and gives usage.ErrSettled, unless the record is to restate it; one that is
// pruned gives usage.ErrPruned in any case.
//
// No interval goes back: facts that come without a price take over the prices
// there are, and an answer of a source that has forgotten, empty or less than
// there was when it was asked again, takes no facts away. In any case it is an
// answer: the interval is not due any more.
func (s *Store) Commit(ctx context.Context, rec usage.Record) error {
	_, why, err := s.commitAll(ctx, []usage.Record{rec})
	if err == nil && why != nil {
		err = fmt.Errorf("interval %s: store: %w", rec.Interval, why)
	}
	return err
}

// CommitAll commits records in one transaction, each as Commit does, and gives
// the intervals that it left alone because they are settled or pruned, or cannot
// take in a record about one project.
func (s *Store) CommitAll(ctx context.Context, recs []usage.Record) (left []usage.Interval, err error) {
	left, _, err = s.commitAll(ctx, recs)
	return left, err
}

// commitAll also gives why the last of those left was.
func (s *Store) commitAll(ctx context.Context, recs []usage.Record) (left []usage.Interval, why, err error) {
	for _, rec := range recs {
		if err := check(rec); err != nil {
			return nil, nil, fmt.Errorf("interval %s: store: %w", rec.Interval, err)
		}
	}
	naming := (*naming)(nil)
	err = s.write(ctx, func(tx *sql.Tx) (err error) {
		left, why = nil, nil
		if naming, err = s.names.in(ctx, tx); err != nil {
			return err
		}
		sums, err := s.accounts(ctx, tx)
		if err != nil {
			return err
		}
		for _, rec := range recs {
			err := s.commit(ctx, tx, naming, sums, rec)
			switch {
			case isLeft(err):
				left, why = append(left, rec.Interval), err
			case err != nil:
				return fmt.Errorf("interval %s: store: %w", rec.Interval, err)
			}
		}
		if len(left) == len(recs) {
			return nil
		}
		return sums.write(ctx)
	})
	if err != nil {
		return nil, nil, err
	}
	naming.keep()
	return left, why, nil
}

func isLeft(err error) bool {
	return errors.Is(err, usage.ErrSettled) || errors.Is(err, usage.ErrPruned) || errors.Is(err, errNoWhole) || errors.Is(err, errOtherFactors)
}

func (s *Store) commit(ctx context.Context, tx *sql.Tx, naming *naming, sums *accounts, rec usage.Record) error {
	old, err := s.load(ctx, tx, rec.Interval)
	switch {
	case err != nil:
		return err
	case old.pruned:
		return usage.ErrPruned
	case old.state == usage.Settled && !rec.Restate:
		return usage.ErrSettled
	case rec.Project != nil && len(old.rows) == 0:
		return errNoWhole
	case old.outlives(rec):
		return answered(ctx, tx, rec.Interval)
	}
	if old.state == usage.Provisional || old.state == usage.Settled {
		if rec.State == usage.Unpriced {
			rec.Prices = old.prices
		}
		rec.State = old.state.OrLater(rec.State)
	}
	rec.Facts = naming.booked(rec.Facts)
	fresh := content{state: rec.State, prices: rec.Prices}
	if fresh.rows, err = number(naming, rec.Facts); err != nil {
		return err
	}
	if fresh.errs, err = errorsOf(rec, naming); err != nil {
		return err
	}
	if rec.Project != nil {
		if err := s.keepOthers(ctx, tx, naming, &rec, old, &fresh); err != nil {
			return err
		}
	}
	if err := s.clear(ctx, tx, rec.Interval, old); err != nil {
		return err
	}
	if err := s.putInterval(ctx, tx, rec, siteEnergy(fresh.rows), !fresh.looks(old)); err != nil {
		return err
	}
	if err := s.putFacts(ctx, tx, fresh.rows); err != nil {
		return err
	}
	if err := s.putFactors(ctx, tx, naming, rec); err != nil {
		return err
	}
	if err := s.putHosts(ctx, tx, naming, rec); err != nil {
		return err
	}
	if err := s.putPriced(ctx, tx, naming, rec.Interval, fresh); err != nil {
		return err
	}
	if err := putChanges(ctx, tx, rec.Interval, old, fresh, rec.Why); err != nil {
		return err
	}
	if err := sums.replace(ctx, rec.Interval, old, fresh); err != nil {
		return err
	}
	return s.putHomes(ctx, naming, rec, sums.all)
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
		fresh := old
		fresh.state, fresh.prices = state, prices
		if err := restate(ctx, tx, interval, state, !fresh.looks(old)); err != nil {
			return err
		}
		if err := s.clearPriced(ctx, tx, interval); err != nil {
			return err
		}
		if err := s.putPriced(ctx, tx, naming, interval, fresh); err != nil {
			return err
		}
		if err := putChanges(ctx, tx, interval, old, fresh, ""); err != nil {
			return err
		}
		sums, err := s.accounts(ctx, tx)
		if err != nil {
			return err
		}
		if err := sums.replace(ctx, interval, old, fresh); err != nil {
			return err
		}
		return sums.write(ctx)
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
	sortRows(rows)
	return rows, nil
}

func sortRows(rows []row) {
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.key, b.key))
	})
}

func siteEnergy(rows []row) float64 {
	var sum usage.Sum
	for _, r := range rows {
		sum.Add(r.values[2])
		sum.Add(r.values[3])
	}
	return sum.Float64()
}
