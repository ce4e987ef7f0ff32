// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// fixTimezone writes the time zone of the days into a store that has none and computes its
// sums. If the store has another time zone, the exporter that owns it computes all sums again,
// unless per-key rows were deleted; a program beside a running exporter gets an error. nil
// accepts whatever the store has.
func (s *Store) fixTimezone(ctx context.Context, zone *time.Location, owner bool) error {
	var kept string
	err := s.writer.QueryRowContext(ctx, "SELECT value FROM setting WHERE name = 'timezone'").Scan(&kept)
	isNew := errors.Is(err, sql.ErrNoRows)
	switch {
	case err != nil && !isNew:
		return err
	case isNew && zone == nil:
		zone = time.UTC
	case zone == nil:
		if zone, err = time.LoadLocation(kept); err != nil {
			return fmt.Errorf("setting timezone: %w", err)
		}
	}
	s.zone = zone
	if !isNew && kept == zone.String() {
		return nil
	}
	if !isNew && !owner {
		return otherTimezone(kept, zone)
	}
	err = s.write(ctx, func(tx *sqlite.Tx) error {
		if err := s.recount(ctx, tx, kept); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO setting VALUES ('timezone', ?)", zone.String())
		return err
	})
	if err != nil {
		return sqlite.Unwritable(err)
	}
	return nil
}

// recount computes all sums from the facts, in the store's time zone.
func (s *Store) recount(ctx context.Context, tx *sqlite.Tx, was string) error {
	var pruned bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM usage_interval WHERE pruned = 1)").Scan(&pruned); err != nil {
		return err
	}
	if pruned {
		return fmt.Errorf("timezone: the store has daily sums in %s and cannot compute them again, because the per-key rows of some days were deleted", was)
	}
	for _, query := range []string{"DELETE FROM usage_total", "DELETE FROM usage_day", "DELETE FROM usage_month"} {
		if _, err := tx.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	if err := s.recountFactors(ctx, tx); err != nil {
		return err
	}
	a := &accounts{tx: tx, zone: s.zone, all: totals{}, days: map[int64]totals{}}
	// Facts come in order of time: a day that is over can be written.
	today := int64(0)
	err := eachFact(ctx, tx, usage.Period{}, func(r row, by terms) error {
		// A piece counts on the day of its interval, even if it begins after midnight.
		date := dateOf(usage.FloorEpoch(unix(r.start), s.length), s.zone)
		if date != today {
			if len(a.days) > 0 {
				if err := a.write(ctx); err != nil {
					return err
				}
				a.days = map[int64]totals{}
			}
			today, a.days[date] = date, totals{}
		}
		a.all.add(r, by)
		a.days[date].add(r, by)
		return nil
	})
	if err != nil {
		return err
	}
	return a.write(ctx)
}

// eachFact calls f for every fact of the intervals that begin in a period, in order of time,
// with its terms. The zero Period means all time.
func eachFact(ctx context.Context, db queryer, p usage.Period, f func(row, terms) error) error {
	query, args := factsQuery+" ORDER BY f.start, f.key_id", []any(nil)
	if p != (usage.Period{}) {
		query, args = factsQuery+" WHERE f.start >= ? AND f.start < ? ORDER BY f.start, f.key_id", []any{p.From.Unix(), p.To.Unix()}
	}
	more, err := hasBesides(ctx, db)
	if err != nil {
		return err
	}
	var beside besides // of the day until its end
	end := int64(math.MinInt64)
	return each(ctx, db, query, args, func(rows *sql.Rows) (err error) {
		var r row
		var by terms
		var w writtenFactors
		into := append([]any{&r.start, &r.key}, r.columns()...)
		if err := rows.Scan(append(append(into, &by.price, &by.forecast, &by.settled), w.columns()...)...); err != nil {
			return err
		}
		if more && r.start >= end {
			end = r.start + int64(day/time.Second)
			if beside, err = readBesides(ctx, db, r.start, end); err != nil {
				return err
			}
		}
		beside.complete(&r)
		by.factors = w.factors()
		return f(r, by)
	})
}

var factsQuery = `SELECT f.start, f.key_id, f.busy_cpu_seconds, f.idle_cpu_seconds, f.busy_kwh, f.idle_kwh,
	c.gco2eq_per_kwh, coalesce(c.kind = 'forecast', 0), i.state = 'settled', ` + factorColumns + `
	FROM usage_fact f JOIN usage_key k ON k.key_id = f.key_id
	JOIN usage_interval i ON i.start = f.start - f.start % (SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'interval_seconds')
	LEFT JOIN interval_price c ON c.start = f.start
	` + factorTables("i.start")
