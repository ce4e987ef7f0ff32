// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// SaveSlots stores intensities. A value that a later answer leaves out is kept: null means "not
// known now", and the last known value is better. An answer older than what is stored changes
// nothing. The time fetched is that of the best value: an answer without an actual does not
// confirm a stored actual. Forecasts are archived as first seen. A stored slot from long after
// this answer is from a clock that ran ahead and counts as older. If it has an actual and this
// answer has none, it is not known when that was fetched, only that it was after the slot began.
// The basis, too, is that of the best value.
//
// It returns how many actuals of 0 it left out because another value was expected: see zeros.
func (s *Store) SaveSlots(ctx context.Context, slots []usage.Slot) (doubted int, err error) {
	if len(slots) == 0 {
		return 0, nil
	}
	inOrder := slices.SortedStableFunc(slices.Values(slots), func(a, b usage.Slot) int { return a.From.Compare(b.From) })
	err = s.write(ctx, func(tx *sqlite.Tx) error {
		zeros := &zeros{ctx: ctx, tx: tx, seen: map[usage.GridName]map[int64]int64{}}
		for _, slot := range inOrder {
			slot, err := zeros.believed(slot)
			if err != nil {
				return err
			}
			quality := slot.Quality
			if slot.Actual == nil {
				quality = ""
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO intensity_slot
				(provider, grid, slot_start, forecast, actual, quality, basis, word, fetched_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT DO UPDATE SET
					forecast = coalesce(excluded.forecast, forecast), actual = coalesce(excluded.actual, actual),
					quality = CASE WHEN excluded.actual IS NULL THEN quality ELSE excluded.quality END,
					basis = CASE WHEN excluded.actual IS NOT NULL OR actual IS NULL AND coalesce(excluded.forecast, forecast) IS excluded.forecast
						THEN excluded.basis ELSE basis END,
					word = CASE excluded.word WHEN '' THEN word ELSE excluded.word END,
					fetched_at = CASE WHEN excluded.actual IS NOT NULL OR actual IS NULL THEN excluded.fetched_at
						WHEN fetched_at > excluded.fetched_at THEN slot_start ELSE fetched_at END
				WHERE excluded.fetched_at >= fetched_at OR fetched_at > excluded.fetched_at + ?`,
				slot.Provider, slot.Grid, slot.From.Unix(), (*float64)(slot.Forecast), (*float64)(slot.Actual),
				string(quality), slot.Basis.String(), slot.Index, slot.FetchedAt.Unix(), int64(clockMargin/time.Second)); err != nil {
				return err
			}
		}
		doubted = zeros.left
		return s.archive(ctx, tx, slots)
	})
	return doubted, err
}

// Slots returns the known slots of a grid that start in [from, to), oldest first.
func (s *Store) Slots(ctx context.Context, provider, grid string, from, to time.Time) ([]usage.Slot, error) {
	return readSlots(ctx, s.reader, provider, grid, from, to)
}

// slotsOf returns the known slots that an interval touches, by their start.
func slotsOf(ctx context.Context, db queryer, provider, grid string, i usage.Interval) (map[time.Time]usage.Slot, error) {
	all, err := readSlots(ctx, db, provider, grid, usage.SlotAt(i.Start), i.End())
	slots := make(map[time.Time]usage.Slot, len(all))
	for _, slot := range all {
		slots[slot.From] = slot
	}
	return slots, err
}

const slotColumns = "provider, grid, slot_start, forecast, actual, quality, basis, word, fetched_at, seen_at"

func readSlots(ctx context.Context, db queryer, provider, grid string, from, to time.Time) (slots []usage.Slot, err error) {
	err = each(ctx, db, "SELECT "+slotColumns+` FROM intensity_slot LEFT JOIN intensity_doubt USING (provider, grid, slot_start)
		WHERE provider = ? AND grid = ? AND slot_start >= ? AND slot_start < ? ORDER BY slot_start`,
		[]any{provider, grid, from.Unix(), to.Unix()}, func(rows *sql.Rows) error {
			slot, err := scanSlot(rows)
			slots = append(slots, slot)
			return err
		})
	return slots, err
}

// readAllSlots returns the slots that contain the pieces of an interval, of all providers.
func readAllSlots(ctx context.Context, db queryer, i usage.Interval) (slots []usage.Slot, err error) {
	err = each(ctx, db, "SELECT "+slotColumns+` FROM intensity_slot LEFT JOIN intensity_doubt USING (provider, grid, slot_start)
		WHERE slot_start >= ? AND slot_start < ? ORDER BY slot_start, provider, grid`,
		[]any{usage.SlotAt(i.Start).Unix(), i.End().Unix()}, func(rows *sql.Rows) error {
			slot, err := scanSlot(rows)
			slots = append(slots, slot)
			return err
		})
	return slots, err
}

// scanSlot reads the slotColumns of a row.
func scanSlot(rows *sql.Rows) (slot usage.Slot, err error) {
	var start, fetched int64
	var seen *int64
	var basis string
	err = rows.Scan(&slot.Provider, &slot.Grid, &start, &slot.Forecast, &slot.Actual, &slot.Quality, &basis, &slot.Index, &fetched, &seen)
	slot.From, slot.FetchedAt, slot.Basis, slot.DoubtedAt = unix(start), unix(fetched), usage.BasisOf(basis), moment(seen)
	return slot, err
}

// archive stores the forecasts of an answer as first seen, at the known leads. It leaves out
// slots that had begun when the answer came, so that fetching the past adds nothing, and values
// that are final from the start.
//
// A wrong clock would store forecasts under a wrong lead. A clock that is behind shows when
// slots that it takes for the future have actuals: then nothing is stored. What a clock that
// ran ahead left in the future is deleted by the first answer after it was corrected.
func (s *Store) archive(ctx context.Context, tx *sqlite.Tx, slots []usage.Slot) error {
	if slices.ContainsFunc(slots, func(s usage.Slot) bool { return s.Actual != nil && s.From.After(s.FetchedAt) }) {
		return nil
	}
	leads := usage.ForecastLeads()
	for _, slot := range slots {
		lead := usage.ForecastLead(slot)
		if slot.Forecast == nil || slot.Actual != nil || !slices.Contains(leads, lead) {
			continue
		}
		fetched := slot.FetchedAt.Unix()
		var behind bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM intensity_slot
			WHERE provider = ? AND grid = ? AND slot_start > ? AND actual IS NOT NULL)`,
			slot.Provider, slot.Grid, fetched).Scan(&behind); err != nil {
			return err
		}
		if behind {
			continue
		}
		// No forecast reaches further than the outlook: rows fetched later than that show that
		// this clock is behind.
		if _, err := tx.ExecContext(ctx, `DELETE FROM forecast_seen
			WHERE provider = ?1 AND grid = ?2 AND slot_start > ?3 AND fetched_at > ?3 AND fetched_at <= ?4`,
			slot.Provider, slot.Grid, fetched, slot.FetchedAt.Add(usage.OutlookLength).Unix()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO forecast_seen VALUES (?, ?, ?, ?, ?, ?)",
			slot.Provider, slot.Grid, slot.From.Unix(), int64(lead/time.Second), float64(*slot.Forecast), fetched); err != nil {
			return err
		}
	}
	return nil
}

// ForecastErrors returns the mean errors of the forecasts of slots that begin at since or later
// and have an actual, by lead, the shortest first. A lead without such forecasts is left out.
func (s *Store) ForecastErrors(ctx context.Context, provider, grid string, since time.Time) ([]usage.ForecastError, error) {
	return readForecastErrors(ctx, s.reader, provider, grid, since)
}

func readForecastErrors(ctx context.Context, db queryer, provider, grid string, since time.Time) ([]usage.ForecastError, error) {
	var all []usage.ForecastError
	err := each(ctx, db, `SELECT seen.ahead, avg(abs(seen.gco2eq_per_kwh - slot.actual)), count(*)
		FROM forecast_seen AS seen JOIN intensity_slot AS slot USING (provider, grid, slot_start)
		WHERE provider = ? AND grid = ? AND slot_start >= ? AND slot.actual IS NOT NULL
		GROUP BY seen.ahead ORDER BY seen.ahead`,
		[]any{provider, grid, since.Unix()}, func(rows *sql.Rows) error {
			e := usage.ForecastError{Provider: provider, Grid: grid}
			var ahead int64
			err := rows.Scan(&ahead, &e.Mean, &e.Pairs)
			e.Ahead = time.Duration(ahead) * time.Second
			all = append(all, e)
			return err
		})
	return all, err
}
