package store

import (
	"context"
	"database/sql"
	"time"

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
	return s.write(ctx, func(tx *sql.Tx) error {
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
	var slots []usage.Slot
	err := each(ctx, s.reader, `SELECT slot_start, forecast, actual, word, fetched_at FROM intensity_slot
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

// MachineAverage is the average power of a machine type over a time.
type MachineAverage struct {
	usage.Rating
	From time.Time
	To   time.Time // zero: still valid
}

// SaveMachineAverage keeps an average; one of the same machine and start is replaced.
func (s *Store) SaveMachineAverage(ctx context.Context, a MachineAverage) error {
	var until any
	if !a.To.IsZero() {
		until = a.To.Unix()
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO machine_average
			(machine_name, valid_from, valid_to, busy_watts, idle_watts, source, error) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			a.Machine, a.From.Unix(), until, float64(a.Watts.Busy), float64(a.Watts.Idle), a.Source, a.Error)
		return err
	})
}

// MachineAverages gives the averages valid at a time, by machine type. Of
// several the one that began last.
func (s *Store) MachineAverages(ctx context.Context, at time.Time) (map[string]usage.Rating, error) {
	all := map[string]usage.Rating{}
	err := each(ctx, s.reader, `SELECT machine_name, busy_watts, idle_watts, source, error FROM machine_average
		WHERE valid_from <= ?1 AND (valid_to IS NULL OR valid_to > ?1) ORDER BY valid_from`,
		[]any{at.Unix()}, func(rows *sql.Rows) error {
			var r usage.Rating
			if err := rows.Scan(&r.Machine, &r.Watts.Busy, &r.Watts.Idle, &r.Source, &r.Error); err != nil {
				return err
			}
			all[r.Machine] = r
			return nil
		})
	return all, err
}
