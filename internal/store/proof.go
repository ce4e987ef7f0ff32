package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Proof gives all there is of an interval, as of one moment, also of one that is
// not written down (Missing) or whose facts are kept no more (Pruned).
func (s *Store) Proof(ctx context.Context, i usage.Interval) (usage.Proof, error) {
	var p usage.Proof
	err := s.read(ctx, func(tx *sqlite.Tx) error {
		naming, err := s.names.in(ctx, tx)
		if err != nil {
			return err
		}
		p.Record, err = readRecord(ctx, tx, naming, i)
		if p.Pruned = errors.Is(err, usage.ErrPruned); p.Pruned {
			err = readFactors(ctx, tx, &p.Record) // they stay
		}
		if err != nil {
			return err
		}
		if err := readAttempts(ctx, tx, &p); err != nil {
			return err
		}
		if p.Slots, err = readAllSlots(ctx, tx, i); err != nil {
			return err
		}
		p.Changes, err = readChanges(ctx, tx, i)
		return err
	})
	if err != nil {
		return p, fmt.Errorf("interval %s: store: %w", i, err)
	}
	return p, nil
}

// readAttempts adds how it went when the interval was asked for.
func readAttempts(ctx context.Context, db queryer, p *usage.Proof) error {
	var retry *int64
	err := db.QueryRowContext(ctx, "SELECT attempts, coalesce(error, ''), retry_at FROM usage_interval WHERE start = ?",
		p.Interval.Start.Unix()).Scan(&p.Attempts, &p.Error, &retry)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if retry != nil && *retry > 0 { // 0: at once
		p.RetryAt = unix(*retry)
	}
	return err
}

// readAllSlots gives the slots that hold the pieces of an interval, whoever says
// what of them.
func readAllSlots(ctx context.Context, db queryer, i usage.Interval) ([]usage.Slot, error) {
	var slots []usage.Slot
	err := each(ctx, db, `SELECT provider, grid, slot_start, forecast, actual, word, fetched_at FROM intensity_slot
		WHERE slot_start >= ? AND slot_start < ? ORDER BY slot_start, provider, grid`,
		[]any{usage.SlotAt(i.Start).Unix(), i.End().Unix()}, func(rows *sql.Rows) error {
			var slot usage.Slot
			var start, fetched int64
			err := rows.Scan(&slot.Provider, &slot.Grid, &start, &slot.Forecast, &slot.Actual, &slot.Index, &fetched)
			slot.From, slot.FetchedAt = unix(start), unix(fetched)
			slots = append(slots, slot)
			return err
		})
	return slots, err
}
