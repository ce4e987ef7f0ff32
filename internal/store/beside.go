// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// besides is what facts have beside CPU time x average power, by fact. Most sites have none.
type besides map[besideID]*usage.Beside

type besideID struct{ start, key int64 }

func (all besides) at(id besideID) *usage.Beside {
	if all[id] == nil {
		all[id] = &usage.Beside{}
	}
	return all[id]
}

// hasBeside reports whether any fact of an interval has any.
func hasBeside(ctx context.Context, db queryer, i usage.Interval) (has bool, err error) {
	err = db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM usage_beside WHERE start >= ?1 AND start < ?2)
		OR EXISTS (SELECT 1 FROM usage_device WHERE start >= ?1 AND start < ?2)`, span(i)...).Scan(&has)
	return has, err
}

// hasBesides reports whether any fact has any.
func hasBesides(ctx context.Context, db queryer) (has bool, err error) {
	err = db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM usage_beside) OR EXISTS (SELECT 1 FROM usage_device)").Scan(&has)
	return has, err
}

// readBesides reads those of the facts from from until to, in Unix seconds.
func readBesides(ctx context.Context, db queryer, from, to int64) (besides, error) {
	all := besides{}
	if err := each(ctx, db, `SELECT start, key_id, metered_busy_cpu_seconds, metered_idle_cpu_seconds, metered_busy_kwh, metered_idle_kwh,
		metered_error, memory_gib_seconds, memory_kwh FROM usage_beside WHERE start >= ? AND start < ?`, []any{from, to}, func(rows *sql.Rows) error {
		var id besideID
		var b usage.Beside
		err := rows.Scan(&id.start, &id.key, &b.Metered.CPU.Busy, &b.Metered.CPU.Idle, &b.Metered.Energy.Busy, &b.Metered.Energy.Idle,
			&b.Metered.Error, &b.Memory, &b.MemoryEnergy)
		all[id] = &b
		return err
	}); err != nil {
		return nil, err
	}
	return all, each(ctx, db, "SELECT start, key_id, device, kwh, error FROM usage_device WHERE start >= ? AND start < ? ORDER BY start, key_id, device",
		[]any{from, to}, func(rows *sql.Rows) error {
			var id besideID
			var d usage.DeviceEnergy
			err := rows.Scan(&id.start, &id.key, &d.Name, &d.Energy, &d.Error)
			b := all.at(id)
			b.Devices = append(b.Devices, d)
			return err
		})
}

// complete adds to a row what it has beside, and its measured energy.
func (all besides) complete(r *row) {
	if len(all) == 0 {
		return
	}
	if b := all[besideID{r.start, r.key}]; b != nil {
		r.beside = b
		r.energy.Measured = measuredBy(b.Devices)
	}
}

// measuredBy adds up the energy of devices in the order of their names, which is that of the
// table, so that it comes out the same to the last bit.
func measuredBy(devices []usage.DeviceEnergy) (sum usage.KWh) {
	for _, d := range devices {
		sum += d.Energy
	}
	return sum
}

// nearly is how much the measured energy of a fact may differ from the sum of its devices, as a
// fraction: they may be added up in another order.
const nearly = 1e-9

// checkBeside checks that a fact's measured energy is that of its devices, each once and in the
// order of their names.
func checkBeside(measured usage.KWh, b *usage.Beside) error {
	var devices []usage.DeviceEnergy
	if b != nil {
		devices = b.Devices
		for _, v := range [...]float64{
			float64(b.Metered.CPU.Busy), float64(b.Metered.CPU.Idle), float64(b.Metered.Energy.Busy), float64(b.Metered.Energy.Idle),
			float64(b.Memory), float64(b.MemoryEnergy), float64(measuredBy(devices)),
		} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("has a fact with the value %v beside, which cannot be added up", v)
			}
		}
	}
	for i, d := range devices {
		if i > 0 && d.Name <= devices[i-1].Name {
			return fmt.Errorf("has a fact with the devices %q and %q, which are not in order", devices[i-1].Name, d.Name)
		}
	}
	if sum := measuredBy(devices); math.Abs(float64(measured-sum)) > nearly*math.Abs(float64(sum)) {
		return fmt.Errorf("has a fact with %v kWh measured, and %v kWh of devices", measured, sum)
	}
	return nil
}

// holdsBeside reports whether what a row has beside is part of it, as it must be.
func (r row) holdsBeside() bool {
	if r.beside == nil {
		return true
	}
	within := func(part, whole float64) bool { return part >= 0 && part <= whole+nearly*math.Abs(whole) }
	b := r.beside
	for _, d := range b.Devices {
		if !within(float64(d.Energy), float64(r.energy.Measured)) {
			return false
		}
	}
	return within(float64(b.Metered.CPU.Busy), float64(r.cpu.Busy)) && within(float64(b.Metered.CPU.Idle), float64(r.cpu.Idle)) &&
		within(float64(b.Metered.Energy.Busy), float64(r.energy.Busy)) && within(float64(b.MemoryEnergy), float64(r.energy.Idle)) &&
		within(float64(b.Metered.Energy.Idle), float64(r.energy.Idle-b.MemoryEnergy)) && within(0, float64(b.Memory))
}

// putBesides writes what the rows of an interval have beside.
func putBesides(ctx context.Context, tx *sqlite.Tx, rows []row) error {
	for i := range rows {
		r := &rows[i]
		if r.beside == nil {
			continue
		}
		b := r.beside
		if b.Metered != (usage.Metered{}) || b.Memory != 0 || b.MemoryEnergy != 0 {
			if _, err := tx.ExecContext(ctx, "INSERT INTO usage_beside VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", r.start, r.key,
				float64(b.Metered.CPU.Busy), float64(b.Metered.CPU.Idle), float64(b.Metered.Energy.Busy), float64(b.Metered.Energy.Idle),
				b.Metered.Error, float64(b.Memory), float64(b.MemoryEnergy)); err != nil {
				return err
			}
		}
		for _, d := range b.Devices {
			if _, err := tx.ExecContext(ctx, "INSERT INTO usage_device VALUES (?, ?, ?, ?, ?)", r.start, r.key, d.Name, float64(d.Energy), d.Error); err != nil {
				return err
			}
		}
	}
	return nil
}

// clearBesides deletes what the facts of a time have beside.
func clearBesides(ctx context.Context, tx *sqlite.Tx, span []any) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM usage_beside WHERE start >= ? AND start < ?", span...)
	_, more := tx.ExecContext(ctx, "DELETE FROM usage_device WHERE start >= ? AND start < ?", span...)
	return errors.Join(err, more)
}
