package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

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
