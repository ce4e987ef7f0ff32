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
	doubtKWh     // how far energy may be below, as far as that is known
	undoubtedKWh // energy of which that is not known
	usualCount

	// The sums that few keys have; they are kept apart.
	measuredKWh = iota - 1
	measuredGrams
	settledMeasuredKWh
	settledMeasuredGrams
	skewKWh // how much further energy may be above than below
	embodiedGrams
	settledEmbodiedGrams
	hardwareCPU // CPU time whose embodied emissions are known
	sumCount
)

// keyTotals is one key's part of usage_total. On disk, big endian: key id, rows, priced rows,
// last start (8 bytes each), then the usual sums (16 bytes each). The others are a value of
// their own, which has only the keys that have one of them: key id, then the sums.
type keyTotals struct {
	rows, priced int64 // counts of facts, and of those with a price: a float cannot say "none"
	last         int64 // start of the newest fact
	stale        bool  // the newest fact was removed: last must be looked up
	sums         [sumCount]usage.Sum
}

const (
	recordBytes = 4*8 + usualCount*usage.SumBytes
	moreBytes   = 8 + (sumCount-usualCount)*usage.SumBytes
)

type totals map[int64]*keyTotals

// readTotals adds up the sums of a query for the columns sums and more. They are read in every
// transaction and never cached: another program may have written.
func readTotals(ctx context.Context, db queryer, query string, args ...any) (totals, error) {
	t := totals{}
	return t, t.readInto(ctx, db, query, args...)
}

// readInto adds what readTotals reads.
func (t totals) readInto(ctx context.Context, db queryer, query string, args ...any) error {
	return each(ctx, db, query, args, func(rows *sql.Rows) error {
		var usual, more sql.RawBytes // the driver's own, without another copy
		if err := rows.Scan(&usual, &more); err != nil {
			return err
		}
		if err := t.decode(usual); err != nil {
			return err
		}
		return t.decodeMore(more)
	})
}

// decodeMore adds the sums that few keys have.
func (t totals) decodeMore(blob []byte) error {
	if len(blob)%moreBytes != 0 {
		return fmt.Errorf("more sums: %d bytes is not a whole number of records", len(blob))
	}
	for ; len(blob) > 0; blob = blob[moreBytes:] {
		id := int64(binary.BigEndian.Uint64(blob))
		r := t[id]
		if r == nil {
			return fmt.Errorf("more sums: key %d has no others", id)
		}
		for j := usualCount; j < sumCount; j++ {
			r.sums[j].AddSum(usage.SumFrom(blob[8+(j-usualCount)*usage.SumBytes:]))
		}
	}
	return nil
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
		for j := range usualCount {
			r.sums[j].AddSum(usage.SumFrom(blob[32+j*usage.SumBytes:]))
		}
	}
	return nil
}

// encode returns both values; more is nil if no key has any.
func (t totals) encode() (usual, more []byte) {
	ids := make([]int64, 0, len(t))
	for id, r := range t {
		if r.rows > 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	usual = make([]byte, 0, len(ids)*recordBytes)
	for _, id := range ids {
		r := t[id]
		for _, n := range []int64{id, r.rows, r.priced, r.last} {
			usual = binary.BigEndian.AppendUint64(usual, uint64(n))
		}
		for _, s := range r.sums[:usualCount] {
			usual = s.AppendBinary(usual)
		}
		if r.hasMore() {
			more = binary.BigEndian.AppendUint64(more, uint64(id))
			for _, s := range r.sums[usualCount:] {
				more = s.AppendBinary(more)
			}
		}
	}
	return usual, more
}

func (r *keyTotals) hasMore() bool {
	return slices.ContainsFunc(r.sums[usualCount:], func(s usage.Sum) bool { return s != usage.Sum{} })
}

// terms are what decides which sums a fact counts in.
type terms struct {
	price    *usage.GramsPerKWh // nil while the fact's interval is unpriced
	forecast bool               // whether the price is a forecast
	settled  bool
	factors
}

// factors are what the energy and the embodied emissions of a key's rows were made with.
type factors struct {
	rating   *usage.Rating // nil: nothing is known of its error
	embodied usage.GramsPerCoreHour
	hardware bool // whether embodied is known; it may be 0
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
	// Mode by mode, as in the other sums, so that subtracting one sum from another is exact.
	energy := func(e usage.ByMode[usage.KWh], busy, idle, measured int) {
		do(&r.sums[busy], float64(e.Busy))
		do(&r.sums[idle], float64(e.Idle))
		do(&r.sums[measured], float64(e.Measured))
	}
	emissions := func(g usage.ByMode[usage.Grams], busy, idle, measured int) {
		do(&r.sums[busy], float64(g.Busy))
		do(&r.sums[idle], float64(g.Idle))
		do(&r.sums[measured], float64(g.Measured))
	}
	do(&r.sums[busyCPU], float64(f.cpu.Busy))
	do(&r.sums[idleCPU], float64(f.cpu.Idle))
	energy(f.energy, busyKWh, idleKWh, measuredKWh)
	margin := by.margin(f)
	do(&r.sums[doubtKWh], float64(margin.Down))
	do(&r.sums[skewKWh], float64(margin.Up-margin.Down))
	energy(margin.Unknown, undoubtedKWh, undoubtedKWh, undoubtedKWh)
	if by.hardware {
		embodied := float64(by.embodied.Of(f.cpu.Total()))
		do(&r.sums[embodiedGrams], embodied)
		do(&r.sums[hardwareCPU], float64(f.cpu.Busy))
		do(&r.sums[hardwareCPU], float64(f.cpu.Idle))
		if by.settled {
			do(&r.sums[settledEmbodiedGrams], embodied)
		}
	}
	if by.price == nil {
		energy(f.energy, unpricedKWh, unpricedKWh, unpricedKWh)
		return
	}
	if by.forecast {
		energy(f.energy, forecastKWh, forecastKWh, forecastKWh)
	}
	grams := f.at(*by.price)
	emissions(grams, busyGrams, idleGrams, measuredGrams)
	if by.settled {
		energy(f.energy, settledBusyKWh, settledIdleKWh, settledMeasuredKWh)
		emissions(grams, settledBusyGrams, settledIdleGrams, settledMeasuredGrams)
	}
}

// margin returns how far a row's energy may be off.
func (by factors) margin(f row) usage.Margin {
	var rating usage.Rating
	if by.rating != nil {
		rating = *by.rating
	}
	return rating.Margin(usage.Fact{Energy: f.energy, Beside: f.beside})
}

// total converts the sums to a usage.Total.
func (r *keyTotals) total(k usage.Key) usage.Total {
	f := func(i int) float64 { return r.sums[i].Float64() }
	energy := func(busy, idle, measured int) usage.ByMode[usage.KWh] {
		return usage.ByMode[usage.KWh]{Busy: usage.KWh(f(busy)), Idle: usage.KWh(f(idle)), Measured: usage.KWh(f(measured))}
	}
	emissions := func(busy, idle, measured int) usage.ByMode[usage.Grams] {
		return usage.ByMode[usage.Grams]{Busy: usage.Grams(f(busy)), Idle: usage.Grams(f(idle)), Measured: usage.Grams(f(measured))}
	}
	down := usage.KWh(f(doubtKWh))
	return usage.Total{
		Key:              k,
		Last:             time.Unix(r.last, 0).UTC(),
		CPU:              usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(f(busyCPU)), Idle: usage.CPUSeconds(f(idleCPU))},
		Energy:           energy(busyKWh, idleKWh, measuredKWh),
		Emissions:        emissions(busyGrams, idleGrams, measuredGrams),
		Priced:           r.priced > 0,
		SettledEnergy:    energy(settledBusyKWh, settledIdleKWh, settledMeasuredKWh),
		SettledEmissions: emissions(settledBusyGrams, settledIdleGrams, settledMeasuredGrams),
		Down:             down,
		Up:               down + usage.KWh(f(skewKWh)),
		Undoubted:        usage.KWh(f(undoubtedKWh)),
		Embodied:         usage.Grams(f(embodiedGrams)),
		SettledEmbodied:  usage.Grams(f(settledEmbodiedGrams)),
		Hardware:         usage.CPUSeconds(f(hardwareCPU)),
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
	all, err := readTotals(ctx, tx, "SELECT sums, more FROM usage_total WHERE id = 1")
	return &accounts{tx: tx, zone: zone, all: all, days: map[int64]totals{}}, err
}

// day returns the sums of the day on which an interval begins.
func (a *accounts) day(ctx context.Context, start time.Time) (totals, error) {
	date := dateOf(start, a.zone)
	if t, ok := a.days[date]; ok {
		return t, nil
	}
	t, err := readTotals(ctx, a.tx, "SELECT sums, more FROM usage_day WHERE day = ?", date)
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
	usual, more := a.all.encode()
	if _, err := a.tx.ExecContext(ctx, `INSERT INTO usage_total(id, sums, more) VALUES (1, ?, ?)
		ON CONFLICT(id) DO UPDATE SET sums = excluded.sums, more = excluded.more`, usual, orNull(more)); err != nil {
		return err
	}
	for date, day := range a.days {
		usual, more := day.encode()
		if _, err := a.tx.ExecContext(ctx, `INSERT INTO usage_day(day, sums, more) VALUES (?, ?, ?)
			ON CONFLICT(day) DO UPDATE SET sums = excluded.sums, more = excluded.more`, date, usual, orNull(more)); err != nil {
			return err
		}
	}
	return nil
}

// orNull is NULL for a value without records.
func orNull(blob []byte) any {
	if len(blob) == 0 {
		return nil
	}
	return blob
}

// dateOf is the local date of a time, in days since 1970-01-01.
func dateOf(t time.Time, zone *time.Location) int64 {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / int64(day/time.Second)
}

const day = 24 * time.Hour
