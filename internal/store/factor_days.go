// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// CountFactors adds up days again whose usage or factors have changed, the newest first, at most
// so many. Each day is read in a transaction that holds nobody up, and written in a short one. A
// day whose per-key rows were deleted, even in part, stays as it is.
func (s *Store) CountFactors(ctx context.Context, atMost int) (done usage.FactorsCounted, err error) {
	for done.Days < atMost {
		var work *factorDay
		if err := s.read(ctx, func(tx *sqlite.Tx) (err error) {
			work, err = s.nextFactorDay(ctx, tx)
			return err
		}); err != nil || work == nil {
			return done, err
		}
		changed := false
		if err := s.write(ctx, func(tx *sqlite.Tx) (err error) {
			changed, err = work.put(ctx, tx)
			return err
		}); err != nil {
			return done, err
		}
		done.Days++
		if changed {
			done.Changed++
		}
	}
	done.More = true
	return done, nil
}

// factorDay is a day, and what it comes to.
type factorDay struct {
	news  []factorNews // that are done with it
	dates []factorDate
}

type factorNews struct {
	start, times int64
	factors      string
}

// factorDate is a local date by the sets that have news of it.
type factorDate struct {
	date int64
	sums map[string]factorSums // by set; nil: its per-key rows were deleted
}

// factorSums are sums by project and group.
type factorSums map[factorMember]*usage.FactorSum

type factorMember struct{ project, group int64 }

func (all factorSums) at(m factorMember) *usage.FactorSum {
	if all[m] == nil {
		all[m] = &usage.FactorSum{}
	}
	return all[m]
}

// nextFactorDay adds up the day of the newest news; nil: there is none.
func (s *Store) nextFactorDay(ctx context.Context, tx *sqlite.Tx) (*factorDay, error) {
	var newest int64
	err := tx.QueryRowContext(ctx, "SELECT start FROM factor_news ORDER BY start DESC LIMIT 1").Scan(&newest)
	if errors.Is(err, sql.ErrNoRows) || s.length == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	days := []usage.Period{s.dayAt(unix(newest))}
	// Where intervals are shorter than half an hour, midnight may be within the half hour.
	if end := unix(newest).Add(usage.SlotLength - s.length); !end.Before(days[0].To) {
		days = append(days, s.dayAt(end))
	}
	work := &factorDay{}
	if work.news, err = readFactorNews(ctx, tx, days[0]); err != nil {
		return nil, err
	}
	known, err := readFactorSets(ctx, tx)
	if err != nil {
		return nil, err
	}
	var sets []usage.FactorSet
	for _, n := range work.news {
		if sources := known[n.factors]; sources != nil {
			sets = append(sets, usage.FactorSet{Name: n.factors, Sources: sources})
			delete(known, n.factors)
		}
	}
	for _, day := range days {
		date := factorDate{date: dateOf(day.From, s.zone)}
		if pruned, err := isPruned(ctx, tx, day); err != nil {
			return nil, err
		} else if !pruned {
			date.sums, err = addFactors(ctx, tx, day, sets)
			if err != nil {
				return nil, err
			}
		}
		work.dates = append(work.dates, date)
	}
	return work, nil
}

// dayAt is the time of the intervals of a local date: that of the interval at a time.
func (s *Store) dayAt(t time.Time) usage.Period {
	first := usage.FloorEpoch(t, s.length)
	date := dateOf(first, s.zone)
	day := usage.Period{From: first, To: first.Add(s.length)}
	for dateOf(day.From.Add(-s.length), s.zone) == date {
		day.From = day.From.Add(-s.length)
	}
	for dateOf(day.To, s.zone) == date {
		day.To = day.To.Add(s.length)
	}
	return day
}

func readFactorNews(ctx context.Context, tx *sqlite.Tx, p usage.Period) (all []factorNews, err error) {
	err = each(ctx, tx, "SELECT start, factors, times FROM factor_news WHERE start >= ? AND start < ?",
		[]any{p.From.Unix(), p.To.Unix()}, func(rows *sql.Rows) error {
			var n factorNews
			err := rows.Scan(&n.start, &n.factors, &n.times)
			all = append(all, n)
			return err
		})
	return all, err
}

// isPruned reports whether per-key rows of a period were deleted.
func isPruned(ctx context.Context, tx *sqlite.Tx, p usage.Period) (pruned bool, err error) {
	err = tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM usage_interval WHERE start >= ? AND start < ? AND pruned = 1)",
		p.From.Unix(), p.To.Unix()).Scan(&pruned)
	return pruned, err
}

// addFactors adds up the intervals that begin in a period, by set.
func addFactors(ctx context.Context, tx *sqlite.Tx, p usage.Period, sets []usage.FactorSet) (map[string]factorSums, error) {
	sums := map[string]factorSums{}
	for _, set := range sets {
		sums[set.Name] = factorSums{}
	}
	members := map[int64]factorMember{}
	if err := each(ctx, tx, "SELECT key_id, project_id, group_id FROM usage_key", nil, func(rows *sql.Rows) error {
		var key int64
		var m factorMember
		err := rows.Scan(&key, &m.project, &m.group)
		members[key] = m
		return err
	}); err != nil {
		return nil, err
	}
	return sums, eachFactored(ctx, tx, p, sets, func(set string, r row, factor usage.GramsPerKWh) error {
		sums[set].at(members[r.key]).Add(r.energy, factor)
		return nil
	})
}

// eachFactored calls f for every fact of the intervals that begin in a period and each set that has
// a factor for it.
func eachFactored(ctx context.Context, tx *sqlite.Tx, p usage.Period, sets []usage.FactorSet, f func(set string, r row, factor usage.GramsPerKWh) error) error {
	factors := make([]map[int64]usage.GramsPerKWh, len(sets))
	for i, set := range sets {
		var err error
		if factors[i], err = readFactorsOf(ctx, tx, set, p); err != nil {
			return err
		}
	}
	beside, err := readBesides(ctx, tx, p.From.Unix(), p.To.Unix())
	if err != nil {
		return err
	}
	return each(ctx, tx, "SELECT start, key_id, busy_kwh, idle_kwh FROM usage_fact WHERE start >= ? AND start < ?",
		[]any{p.From.Unix(), p.To.Unix()}, func(rows *sql.Rows) error {
			var r row
			if err := rows.Scan(&r.start, &r.key, &r.energy.Busy, &r.energy.Idle); err != nil {
				return err
			}
			beside.complete(&r)
			slot := usage.SlotAt(unix(r.start)).Unix()
			for i, set := range sets {
				if factor, ok := factors[i][slot]; ok {
					if err := f(set.Name, r, factor); err != nil {
						return err
					}
				}
			}
			return nil
		})
}

// readFactorsOf returns the factor of each half hour that has one: that of the first source.
func readFactorsOf(ctx context.Context, db queryer, set usage.FactorSet, p usage.Period) (map[int64]usage.GramsPerKWh, error) {
	counts := map[time.Time]usage.Slot{}
	for _, source := range set.Sources {
		slots, err := readSlots(ctx, db, source.Provider, source.Grid, usage.SlotAt(p.From), p.To)
		if err != nil {
			return nil, err
		}
		usage.Complete(counts, slices.Values(slots))
	}
	factors := make(map[int64]usage.GramsPerKWh, len(counts))
	for at, slot := range counts {
		price, _ := slot.Price()
		factors[at.Unix()] = price.Intensity
	}
	return factors, nil
}
