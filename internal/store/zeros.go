// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// expectable is from which intensity on an actual of 0 is not expected: no grid falls from it to
	// 0 within half an hour, but a provider that has lost its data often says 0.
	expectable usage.GramsPerKWh = 10
	// secondReading is how long after a 0 was first seen another one is believed.
	secondReading = time.Hour
)

// zeros tells actuals of 0 from data that a provider has lost. One that is not expected is left out
// until a second reading, an hour after the first, still says so.
type zeros struct {
	ctx  context.Context
	tx   *sqlite.Tx
	seen map[usage.GridName]map[int64]int64 // the doubts: when each slot's 0 was first seen
	left int                                // actuals that were left out
}

// believed returns a slot without its actual if that is doubtful. Slots of a grid must come in order
// of time: what is expected of one may be the actual of the one before.
func (z *zeros) believed(slot usage.Slot) (usage.Slot, error) {
	if slot.Actual == nil {
		return slot, nil
	}
	of := usage.GridName{Provider: slot.Provider, Grid: slot.Grid}
	if err := z.read(of); err != nil {
		return slot, err
	}
	start, now := slot.From.Unix(), slot.FetchedAt.Unix()
	first, doubted := z.seen[of][start]
	if *slot.Actual != 0 {
		if doubted && now >= first {
			return slot, z.forget(of, start)
		}
		return slot, nil
	}
	stored, err := z.stored(slot)
	if err != nil || stored.outdates(slot) {
		return slot, err
	}
	expected, err := z.expected(slot, stored)
	switch {
	case err != nil:
		return slot, err
	case expected < expectable, doubted && now >= first+int64(secondReading/time.Second):
		return slot, z.forget(of, start)
	}
	if !doubted || now < first {
		z.seen[of][start] = now
		_, err = z.tx.ExecContext(z.ctx, "INSERT OR REPLACE INTO intensity_doubt VALUES (?, ?, ?, ?)", of.Provider, of.Grid, start, now)
	}
	slot.Actual, slot.Quality = nil, ""
	z.left++
	return slot, err
}

// read reads the doubts of a grid, once. There are few: each ends with the next readings.
func (z *zeros) read(of usage.GridName) error {
	if z.seen[of] != nil {
		return nil
	}
	z.seen[of] = map[int64]int64{}
	return each(z.ctx, z.tx, "SELECT slot_start, seen_at FROM intensity_doubt WHERE provider = ? AND grid = ?",
		[]any{of.Provider, of.Grid}, func(rows *sql.Rows) error {
			var start, seen int64
			err := rows.Scan(&start, &seen)
			z.seen[of][start] = seen
			return err
		})
}

func (z *zeros) forget(of usage.GridName, start int64) error {
	if _, doubted := z.seen[of][start]; !doubted {
		return nil
	}
	delete(z.seen[of], start)
	_, err := z.tx.ExecContext(z.ctx, "DELETE FROM intensity_doubt WHERE provider = ? AND grid = ? AND slot_start = ?", of.Provider, of.Grid, start)
	return err
}

// storedSlot is what is known of a slot before an answer; nil: nothing.
type storedSlot struct {
	forecast, actual *usage.GramsPerKWh
	fetched          *int64
}

// outdates reports whether an answer is older than what is stored, and changes nothing.
func (s storedSlot) outdates(answer usage.Slot) bool {
	at := answer.FetchedAt.Unix()
	return s.fetched != nil && at < *s.fetched && *s.fetched <= at+int64(clockMargin/time.Second)
}

func (z *zeros) stored(slot usage.Slot) (s storedSlot, err error) {
	err = z.tx.QueryRowContext(z.ctx, `SELECT forecast, actual, fetched_at FROM intensity_slot
		WHERE provider = ? AND grid = ? AND slot_start = ?`, slot.Provider, slot.Grid, slot.From.Unix()).Scan(&s.forecast, &s.actual, &s.fetched)
	if errors.Is(err, sql.ErrNoRows) {
		return s, nil
	}
	return s, err
}

// expected is what a slot is expected to be: its forecast, else what it was before, else the actual
// of the slot before; 0 if nothing is expected. A 0 that was believed before, and one that somebody
// has fixed, is as expected.
func (z *zeros) expected(slot usage.Slot, stored storedSlot) (usage.GramsPerKWh, error) {
	forecast := stored.forecast
	if slot.Forecast != nil {
		forecast = slot.Forecast
	}
	fixed := slot.Quality == usage.QualityFinal || slot.Quality == usage.QualityYearly
	switch {
	case stored.actual != nil && *stored.actual == 0, forecast == nil && fixed:
		return 0, nil
	case forecast != nil:
		return *forecast, nil
	case stored.actual != nil:
		return *stored.actual, nil
	}
	return z.before(slot)
}

// before is the actual of the slot before. Of slots in doubt it is that of the last before them: a
// provider that has lost a day says 0 all day.
func (z *zeros) before(slot usage.Slot) (usage.GramsPerKWh, error) {
	of := usage.GridName{Provider: slot.Provider, Grid: slot.Grid}
	last := slot.From.Add(-usage.SlotLength)
	for {
		if _, doubted := z.seen[of][last.Unix()]; !doubted {
			break
		}
		last = last.Add(-usage.SlotLength)
	}
	known, err := readSlots(z.ctx, z.tx, slot.Provider, slot.Grid, last, last.Add(usage.SlotLength))
	if err != nil || len(known) == 0 || known[0].Actual == nil {
		return 0, err
	}
	return *known[0].Actual, nil
}
