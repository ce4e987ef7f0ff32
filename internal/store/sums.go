package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The sums of a key, by their index in its record.
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
	doubtKWh     // energy x the error of its average power, if known
	undoubtedKWh // energy whose average power has no known error
	sumCount
)

// keyTotals is one key's part of usage_total. On disk, big endian: key id, rows, priced rows,
// last start (8 bytes each), then the sums (16 bytes each).
type keyTotals struct {
	rows, priced int64 // counts of facts, and of those with a price: a float cannot say "none"
	last         int64 // start of the newest fact
	stale        bool  // the newest fact was removed: last must be looked up
	sums         [sumCount]usage.Sum
}

const recordBytes = 4*8 + sumCount*usage.SumBytes

type totals map[int64]*keyTotals

// readTotals reads the sums of a query that returns at most one row. They are read in every
// transaction and never cached: another program may have written.
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

// decode adds the records of a value.
func (t totals) decode(blob []byte) error {
	if len(blob)%recordBytes != 0 {
		return fmt.Errorf("sums: %d bytes is not a whole number of records", len(blob))
	}
	var fresh []keyTotals // for new keys, in one allocation
	for ; len(blob) > 0; blob = blob[recordBytes:] {
		id := int64(binary.BigEndian.Uint64(blob))
		r := t[id]
		if r == nil {
			if len(fresh) == cap(fresh) {
				fresh = make([]keyTotals, 0, len(blob)/recordBytes)
			}
			fresh = append(fresh, keyTotals{})
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

// terms are what decides which sums a fact counts in.
type terms struct {
	price    *usage.GramsPerKWh // nil while the fact's interval is unpriced
	forecast bool               // whether the price is a forecast
	settled  bool
	err      *float64 // of the average power, as a fraction of the energy; nil: unknown
}

// add adds a fact.
func (t totals) add(f row, by terms) {
	r := t[f.key]
	if r == nil {
		r = &keyTotals{}
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

// sub subtracts a fact again, to the last bit.
func (t totals) sub(f row, by terms) {
	r := t[f.key]
	r.rows--
	r.stale = r.stale || f.start == r.last
	r.each(f, by, (*usage.Sum).Sub)
	if by.price != nil {
		r.priced--
	}
}

// refresh looks up what adding and subtracting cannot tell: the time of a key's newest fact
// after the newest was removed, among stored and pruned facts.
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

func (r *keyTotals) each(f row, by terms, do func(*usage.Sum, float64)) {
	// Busy and idle separately, as in the other sums, so that subtracting one sum from another
	// is exact.
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

// total converts the sums to a usage.Total.
func (r *keyTotals) total(k usage.Key) usage.Total {
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

// accounts are the sums that a transaction changes: of every key over all intervals, and over
// each day that it touches.
type accounts struct {
	tx   *sqlite.Tx
	zone *time.Location
	all  totals
	days map[int64]totals // by local date, see dateOf
}

func readAccounts(ctx context.Context, tx *sqlite.Tx, zone *time.Location) (*accounts, error) {
	all, err := readTotals(ctx, tx, "SELECT sums FROM usage_total WHERE id = 1")
	return &accounts{tx: tx, zone: zone, all: all, days: map[int64]totals{}}, err
}

// day returns the sums of the day on which an interval begins.
func (a *accounts) day(ctx context.Context, start time.Time) (totals, error) {
	date := dateOf(start, a.zone)
	if t, ok := a.days[date]; ok {
		return t, nil
	}
	t, err := readTotals(ctx, a.tx, "SELECT sums FROM usage_day WHERE day = ?", date)
	a.days[date] = t
	return t, err
}

// replace subtracts an interval's old content and adds the fresh content. If the interval was
// settled, its settled counters are kept from falling.
func (a *accounts) replace(ctx context.Context, i usage.Interval, old, fresh content) error {
	day, err := a.day(ctx, i.Start)
	if err != nil {
		return err
	}
	var shown map[int64]floor
	if old.state == usage.Settled {
		if shown, err = a.shown(ctx, old.rows); err != nil {
			return err
		}
	}
	for _, sums := range []totals{a.all, day} {
		for _, r := range old.rows {
			sums.sub(r, old.terms(r))
		}
		for _, r := range fresh.rows {
			sums.add(r, fresh.terms(r))
		}
	}
	if err := a.all.refresh(ctx, a.tx); err != nil {
		return err
	}
	return a.hold(ctx, shown)
}

// write stores what has changed.
func (a *accounts) write(ctx context.Context) error {
	if _, err := a.tx.ExecContext(ctx, `INSERT INTO usage_total(id, sums) VALUES (1, ?)
		ON CONFLICT(id) DO UPDATE SET sums = excluded.sums`, a.all.encode()); err != nil {
		return err
	}
	for date, day := range a.days {
		if _, err := a.tx.ExecContext(ctx, `INSERT INTO usage_day(day, sums) VALUES (?, ?)
			ON CONFLICT(day) DO UPDATE SET sums = excluded.sums`, date, day.encode()); err != nil {
			return err
		}
	}
	return nil
}

// dateOf is the local date of a time, in days since 1970-01-01.
func dateOf(t time.Time, zone *time.Location) int64 {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / int64(day/time.Second)
}

const day = 24 * time.Hour
