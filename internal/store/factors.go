package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// SaveSlots keeps intensities. What a later answer leaves out is not forgotten:
// null means "not known now", and the last known value is better knowledge. An
// answer older than what is kept changes nothing. The time fetched is that of the
// best value: an answer without an actual does not confirm the actual there is.
// Forecasts are archived as well, as they were first seen.
func (s *Store) SaveSlots(ctx context.Context, slots []usage.Slot) error {
	if len(slots) == 0 {
		return nil
	}
	return s.write(ctx, func(tx *sqlite.Tx) error {
		for _, slot := range slots {
			if _, err := tx.ExecContext(ctx, `INSERT INTO intensity_slot
				(provider, grid, slot_start, forecast, actual, word, fetched_at) VALUES (?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT DO UPDATE SET
					forecast = coalesce(excluded.forecast, forecast), actual = coalesce(excluded.actual, actual),
					word = CASE excluded.word WHEN '' THEN word ELSE excluded.word END,
					fetched_at = CASE WHEN excluded.actual IS NULL AND actual IS NOT NULL
						THEN fetched_at ELSE excluded.fetched_at END
				WHERE excluded.fetched_at >= fetched_at`,
				slot.Provider, slot.Grid, slot.From.Unix(), (*float64)(slot.Forecast), (*float64)(slot.Actual),
				slot.Index, slot.FetchedAt.Unix()); err != nil {
				return err
			}
		}
		return s.archive(ctx, tx, slots)
	})
}

// Slots gives the known slots of a grid whose start lies in [from, to), oldest first.
func (s *Store) Slots(ctx context.Context, provider, grid string, from, to time.Time) ([]usage.Slot, error) {
	return readSlots(ctx, s.reader, provider, grid, from, to)
}

// slotsOf gives the known slots that an interval touches, by their start.
func slotsOf(ctx context.Context, db queryer, provider, grid string, i usage.Interval) (map[time.Time]usage.Slot, error) {
	all, err := readSlots(ctx, db, provider, grid, usage.SlotAt(i.Start), i.End())
	slots := make(map[time.Time]usage.Slot, len(all))
	for _, slot := range all {
		slots[slot.From] = slot
	}
	return slots, err
}

func readSlots(ctx context.Context, db queryer, provider, grid string, from, to time.Time) ([]usage.Slot, error) {
	var slots []usage.Slot
	err := each(ctx, db, `SELECT slot_start, forecast, actual, word, fetched_at FROM intensity_slot
		WHERE provider = ? AND grid = ? AND slot_start >= ? AND slot_start < ? ORDER BY slot_start`,
		[]any{provider, grid, from.Unix(), to.Unix()}, func(rows *sql.Rows) error {
			slot := usage.Slot{Provider: provider, Grid: grid}
			var start, fetched int64
			var forecast, actual *float64
			if err := rows.Scan(&start, &forecast, &actual, &slot.Index, &fetched); err != nil {
				return err
			}
			slot.From, slot.FetchedAt = unix(start), unix(fetched)
			slot.Forecast, slot.Actual = (*usage.GramsPerKWh)(forecast), (*usage.GramsPerKWh)(actual)
			slots = append(slots, slot)
			return nil
		})
	return slots, err
}
