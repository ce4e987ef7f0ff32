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
	outcomes, err := s.CommitAll(ctx, []usage.Record{rec})
	if err != nil {
		return err
	}
	if why := outcomes[0].Left; why != nil && !errors.Is(why, usage.ErrForgotten) {
		return fmt.Errorf("interval %s: store: %w", rec.Interval, why)
	}
	return nil
}

// CommitAll commits records in one transaction, each as Commit does, and says what
// became of each.
func (s *Store) CommitAll(ctx context.Context, recs []usage.Record) ([]usage.Outcome, error) {
	for _, rec := range recs {
		if err := check(rec); err != nil {
			return nil, fmt.Errorf("interval %s: store: %w", rec.Interval, err)
		}
	}
	return s.replaceAll(ctx, func(c *committing) error {
		c.asked = true
		for _, rec := range recs {
			if err := c.commit(rec); err != nil {
				return fmt.Errorf("interval %s: store: %w", rec.Interval, err)
			}
		}
		return nil
	})
}

// Rework makes records anew from what is stored, in one transaction, so that
// nothing that another program stores of them meanwhile is lost: anew gets each
// interval's record as it is, and gives what it is to be. It must not write. What
// is due to be asked for stays so.
func (s *Store) Rework(ctx context.Context, intervals []usage.Interval, anew func(usage.Record) (usage.Record, error)) ([]usage.Outcome, error) {
	return s.replaceAll(ctx, func(c *committing) error {
		for _, i := range intervals {
			if err := c.rework(i, anew); err != nil {
				return fmt.Errorf("interval %s: store: %w", i, err)
			}
		}
		return nil
	})
}

// committing is one transaction that replaces intervals.
type committing struct {
	*Store
	ctx      context.Context
	tx       *sql.Tx
	naming   *naming
	sums     *accounts
	asked    bool // whether the records are answers of a source
	outcomes []usage.Outcome
}

func (s *Store) replaceAll(ctx context.Context, f func(*committing) error) ([]usage.Outcome, error) {
	var c *committing
	err := s.write(ctx, func(tx *sql.Tx) (err error) {
		c = &committing{Store: s, ctx: ctx, tx: tx}
		if c.naming, err = s.names.in(ctx, tx); err != nil {
			return err
		}
		if c.sums, err = s.accounts(ctx, tx); err != nil {
			return err
		}
		if err := f(c); err != nil || len(c.sums.days) == 0 { // nothing was replaced
			return err
		}
		return c.sums.write(ctx)
	})
	if err != nil {
		return nil, err
	}
	c.naming.keep()
	return c.outcomes, nil
}

func (c *committing) rework(i usage.Interval, anew func(usage.Record) (usage.Record, error)) error {
	was, err := c.record(c.ctx, c.tx, c.naming, i)
	if errors.Is(err, usage.ErrPruned) {
		c.outcomes = append(c.outcomes, usage.Outcome{Interval: i, State: was.State, Left: usage.ErrPruned})
		return nil
	}
	if err != nil {
		return err
	}
	if len(was.Facts) == 0 {
		c.outcomes = append(c.outcomes, usage.Outcome{Interval: i, State: was.State, Left: usage.ErrNoWhole})
		return nil
	}
	is, err := anew(was)
	if err != nil {
		return err
	}
	if err := check(is); err != nil {
		return err
	}
	return c.commit(is)
}

// commit replaces an interval, or leaves it as it is, and notes what it did.
func (c *committing) commit(rec usage.Record) error {
	old, err := c.load(c.ctx, c.tx, rec.Interval)
	if err != nil {
		return err
	}
	known, why, err := c.rests(old, rec)
	if err != nil {
		return err
	}
	outcome := usage.Outcome{Interval: rec.Interval, State: old.state, Left: why}
	switch {
	case known:
		err = answered(c.ctx, c.tx, rec.Interval)
	case why == nil:
		outcome.State, outcome.Left, err = c.replace(old, rec)
	}
	c.outcomes = append(c.outcomes, outcome)
	return err
}

// rests says whether what is stored stays as it is, and why. Known says that it is
// no less than what has come, which then is an answer all the same.
func (c *committing) rests(old content, rec usage.Record) (known bool, why, err error) {
	switch {
	case old.pruned:
		return false, usage.ErrPruned, nil
	case old.state == usage.Settled && !rec.Restate:
		return false, usage.ErrSettled, nil
	case rec.Project == nil:
	case len(old.rows) == 0:
		return false, usage.ErrNoWhole, nil
	default:
		if old.rows, err = c.rowsOf(old.rows, *rec.Project); err != nil {
			return false, nil, err
		}
		if rec.State == usage.Empty && len(old.rows) == 0 {
			return true, nil, nil // it has nothing, as before
		}
	}
	if old.outlives(rec) {
		return true, usage.ErrForgotten, nil
	}
	return false, nil, nil
}

// replace puts a record in the place of what there is. Nothing is written before
// it is known that it can be.
func (c *committing) replace(old content, rec usage.Record) (is usage.State, left, err error) {
	if old.state == usage.Provisional || old.state == usage.Settled {
		if rec.State == usage.Unpriced {
			rec.Prices = old.prices
		}
		rec.State = old.state.OrLater(rec.State)
	}
	rec.Facts = c.naming.booked(rec.Facts)
	fresh := content{state: rec.State, prices: rec.Prices}
	if fresh.rows, err = number(c.naming, rec.Facts); err != nil {
		return "", nil, err
	}
	if fresh.errs, err = errorsOf(rec, c.naming); err != nil {
		return "", nil, err
	}
	if rec.Project != nil {
		err := c.keepOthers(c.ctx, c.tx, c.naming, &rec, old, &fresh)
		if errors.Is(err, usage.ErrOtherFactors) {
			return old.state, err, nil
		}
		if err != nil {
			return "", nil, err
		}
	}
	return rec.State, nil, c.put(old, fresh, rec)
}

// put writes all that follows from the fresh content of an interval.
func (c *committing) put(old, fresh content, rec usage.Record) error {
	ctx, tx, naming := c.ctx, c.tx, c.naming
	if err := c.clear(ctx, tx, rec.Interval, old); err != nil {
		return err
	}
	if err := c.putInterval(ctx, tx, rec, siteEnergy(fresh.rows), !fresh.looks(old), c.asked); err != nil {
		return err
	}
	if err := c.putFacts(ctx, tx, fresh.rows); err != nil {
		return err
	}
	if err := c.putFactors(ctx, tx, naming, rec); err != nil {
		return err
	}
	if err := c.putHosts(ctx, tx, naming, rec); err != nil {
		return err
	}
	if err := c.putPriced(ctx, tx, naming, rec.Interval, fresh); err != nil {
		return err
	}
	if err := putChanges(ctx, tx, rec.Interval, old, fresh, rec.Why); err != nil {
		return err
	}
	if err := c.sums.replace(ctx, rec.Interval, old, fresh); err != nil {
		return err
	}
	return c.putHomes(ctx, naming, rec, c.sums.all)
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
