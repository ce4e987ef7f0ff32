package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The sums of a key, by place in its record.
const (
	busyCPU = iota
	idleCPU
	busyKWh
	idleKWh
	busyGrams
	idleGrams
	settledBusyKWh
	settledIdleKWh
	settledBusyGrams
	settledIdleGrams
	unpricedKWh  // without an intensity
	forecastKWh  // priced with a forecast
	doubtKWh     // energy x the error of its average, where that is known
	undoubtedKWh // energy of averages whose error is not known
	sumCount
)

// record is one key's part of usage_total. On disk, big endian: key id, rows,
// priced rows, last start (8 bytes each), then the sums (16 bytes each).
type record struct {
	rows, priced int64 // facts, and those with a price: floats cannot say "none"
	last         int64 // start of the newest fact
	stale        bool  // the newest fact was taken away: last is to be looked up
	sums         [sumCount]usage.Sum
}

const recordBytes = 4*8 + sumCount*usage.SumBytes

type totals map[int64]*record

// readTotals reads the sums of a query that gives none or one. They are read
// with every transaction and never held over: another program may have written.
func readTotals(ctx context.Context, db queryer, query string, args ...any) (totals, error) {
	t := totals{}
	err := each(ctx, db, query, args, func(rows *sql.Rows) error {
		var blob sql.RawBytes // the driver's own, without another copy
		if err := rows.Scan(&blob); err != nil {
			return err
		}
		return t.decode(blob)
	})
	return t, err
}

// decode counts the records of a value in.
func (t totals) decode(blob []byte) error {
	if len(blob)%recordBytes != 0 {
		return fmt.Errorf("sums: %d bytes are no whole number of records", len(blob))
	}
	var fresh []record // of keys that are new, in one piece
	for ; len(blob) > 0; blob = blob[recordBytes:] {
		id := int64(binary.BigEndian.Uint64(blob))
		r := t[id]
		if r == nil {
			if len(fresh) == cap(fresh) {
				fresh = make([]record, 0, len(blob)/recordBytes)
			}
			fresh = append(fresh, record{})
			r = &fresh[len(fresh)-1]
			t[id] = r
		}
		r.rows += int64(binary.BigEndian.Uint64(blob[8:]))
		r.priced += int64(binary.BigEndian.Uint64(blob[16:]))
		r.last = max(r.last, int64(binary.BigEndian.Uint64(blob[24:])))
		for j := range r.sums {
			r.sums[j].AddSum(usage.SumFrom(blob[32+j*usage.SumBytes:]))
		}
	}
	return nil
}

func (t totals) encode() []byte {
	ids := make([]int64, 0, len(t))
	for id, r := range t {
		if r.rows > 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	blob := make([]byte, 0, len(ids)*recordBytes)
	for _, id := range ids {
		r := t[id]
		for _, n := range []int64{id, r.rows, r.priced, r.last} {
			blob = binary.BigEndian.AppendUint64(blob, uint64(n))
		}
		for _, s := range r.sums {
			blob = s.AppendBinary(blob)
		}
	}
	return blob
}

// terms are what a fact was priced and powered by, as far as sums tell it apart.
type terms struct {
	price    *usage.GramsPerKWh // nil while the fact's interval is unpriced
	forecast bool               // whether the price is one
	settled  bool
	err      *float64 // of the average power, as a part of the energy; nil: not known
}

// add counts a fact in.
func (t totals) add(f row, by terms) {
	r := t[f.key]
	if r == nil {
		r = &record{}
		t[f.key] = r
	}
	r.rows++
	if f.start >= r.last {
		r.last, r.stale = f.start, false
	}
	r.each(f, by, (*usage.Sum).Add)
	if by.price != nil {
		r.priced++
	}
}

// sub takes a fact out again, to the last bit.
func (t totals) sub(f row, by terms) {
	r := t[f.key]
	r.rows--
	r.stale = r.stale || f.start == r.last
	r.each(f, by, (*usage.Sum).Sub)
	if by.price != nil {
		r.priced--
	}
}

// refresh looks up what adding and taking away cannot tell: the newest fact of a
// key whose newest fact is gone, among those that are kept and those that are not.
func (t totals) refresh(ctx context.Context, db queryer) error {
	for id, r := range t {
		if !r.stale || r.rows == 0 {
			continue
		}
		if err := db.QueryRowContext(ctx, `SELECT max(last) FROM (
			SELECT max(start) AS last FROM (SELECT start FROM usage_fact WHERE key_id = ?1 ORDER BY start DESC LIMIT 1)
			UNION ALL SELECT last FROM pruned_key WHERE key_id = ?1)`, id).Scan(&r.last); err != nil {
			return err
		}
		r.stale = false
	}
	return nil
}

func (r *record) each(f row, by terms, do func(*usage.Sum, float64)) {
	// Busy and idle one by one, as the other sums count them: what is left when one
	// is taken from another is exact.
	energy := func(busy, idle int) {
		do(&r.sums[busy], float64(f.energy.Busy))
		do(&r.sums[idle], float64(f.energy.Idle))
	}
	do(&r.sums[busyCPU], float64(f.cpu.Busy))
	do(&r.sums[idleCPU], float64(f.cpu.Idle))
	energy(busyKWh, idleKWh)
	if by.err == nil {
		energy(undoubtedKWh, undoubtedKWh)
	} else {
		do(&r.sums[doubtKWh], float64(f.energy.Total())**by.err)
	}
	if by.price == nil {
		energy(unpricedKWh, unpricedKWh)
		return
	}
	if by.forecast {
		energy(forecastKWh, forecastKWh)
	}
	grams := f.at(*by.price)
	do(&r.sums[busyGrams], float64(grams.Busy))
	do(&r.sums[idleGrams], float64(grams.Idle))
	if by.settled {
		energy(settledBusyKWh, settledIdleKWh)
		do(&r.sums[settledBusyGrams], float64(grams.Busy))
		do(&r.sums[settledIdleGrams], float64(grams.Idle))
	}
}

// total turns the sums into the vocabulary.
func (r *record) total(k usage.Key) usage.Total {
	f := func(i int) float64 { return r.sums[i].Float64() }
	return usage.Total{
		Key:              k,
		Last:             time.Unix(r.last, 0).UTC(),
		CPU:              usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(f(busyCPU)), Idle: usage.CPUSeconds(f(idleCPU))},
		Energy:           usage.BusyIdle[usage.KWh]{Busy: usage.KWh(f(busyKWh)), Idle: usage.KWh(f(idleKWh))},
		Emissions:        usage.BusyIdle[usage.Grams]{Busy: usage.Grams(f(busyGrams)), Idle: usage.Grams(f(idleGrams))},
		Priced:           r.priced > 0,
		SettledEnergy:    usage.BusyIdle[usage.KWh]{Busy: usage.KWh(f(settledBusyKWh)), Idle: usage.KWh(f(settledIdleKWh))},
		SettledEmissions: usage.BusyIdle[usage.Grams]{Busy: usage.Grams(f(settledBusyGrams)), Idle: usage.Grams(f(settledIdleGrams))},
	}
}
