// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"time"

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
	sums         sums
}

// sums are those of a key. Most keys have none of the rare ones, and take a third less memory then.
type sums struct {
	usual [usualCount]usage.Sum
	rare  *[sumCount - usualCount]usage.Sum // nil: all are 0
}

// at returns a sum.
func (s *sums) at(i int) usage.Sum {
	switch {
	case i < usualCount:
		return s.usual[i]
	case s.rare == nil:
		return usage.Sum{}
	}
	return s.rare[i-usualCount]
}

// of returns a sum to be changed.
func (s *sums) of(i int) *usage.Sum {
	if i < usualCount {
		return &s.usual[i]
	}
	if s.rare == nil {
		s.rare = &[sumCount - usualCount]usage.Sum{}
	}
	return &s.rare[i-usualCount]
}

// include adds all sums of another key.
func (s *sums) include(o *sums) {
	for i := range s.usual {
		s.usual[i].AddSum(o.usual[i])
	}
	if o.rare == nil {
		return
	}
	for i, sum := range o.rare {
		if sum != (usage.Sum{}) {
			s.of(usualCount + i).AddSum(sum)
		}
	}
}

// exclude subtracts them again.
func (s *sums) exclude(o *sums) {
	for i := range s.usual {
		s.usual[i].SubSum(o.usual[i])
	}
	if o.rare == nil {
		return
	}
	for i, sum := range o.rare {
		if sum != (usage.Sum{}) {
			s.of(usualCount + i).SubSum(sum)
		}
	}
}

// equal reports whether all sums are the same.
func (s *sums) equal(o *sums) bool {
	for i := range sumCount {
		if s.at(i) != o.at(i) {
			return false
		}
	}
	return true
}

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

// total converts the sums to a usage.Total.
func (r *keyTotals) total(k usage.Key) usage.Total {
	f := func(i int) float64 { return r.sums.at(i).Float64() }
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
