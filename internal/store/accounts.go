package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// accounts are the sums that a transaction changes: of every key over all
// intervals, and over each day that it touches.
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

// day gives the sums of the day on which an interval begins.
func (a *accounts) day(ctx context.Context, start time.Time) (totals, error) {
	date := dateOf(start, a.zone)
	if t, ok := a.days[date]; ok {
		return t, nil
	}
	t, err := readTotals(ctx, a.tx, "SELECT sums FROM usage_day WHERE day = ?", date)
	a.days[date] = t
	return t, err
}

// replace takes an interval's old content out of the sums and counts the fresh
// content in. What the settled counters have shown is held where it was settled.
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

// floor is what the settled counters of a key have shown.
type floor struct {
	energy    usage.BusyIdle[usage.KWh]
	emissions usage.BusyIdle[usage.Grams]
}

// shown gives what the settled counters of the rows' keys show.
func (a *accounts) shown(ctx context.Context, rows []row) (map[int64]floor, error) {
	floors, err := readFloors(ctx, a.tx)
	if err != nil {
		return nil, err
	}
	shown := map[int64]floor{}
	for _, r := range rows {
		if _, ok := shown[r.key]; !ok {
			shown[r.key] = floors[r.key].over(a.all[r.key].settled())
		}
	}
	return shown, nil
}

// hold keeps a floor under every counter that would fall, and none under others.
func (a *accounts) hold(ctx context.Context, shown map[int64]floor) error {
	for id, was := range shown {
		var is floor
		if r := a.all[id]; r != nil {
			is = r.settled()
		}
		query, args := "DELETE FROM counter_floor WHERE key_id = ?", []any{id}
		if was.over(is) != is {
			query = "INSERT OR REPLACE INTO counter_floor VALUES (?, ?, ?, ?, ?)"
			args = append(args, float64(was.energy.Busy), float64(was.energy.Idle), float64(was.emissions.Busy), float64(was.emissions.Idle))
		}
		if _, err := a.tx.ExecContext(ctx, query, args...); err != nil {
			return err
		}
	}
	return nil
}

// over is the greater of both, one by one.
func (f floor) over(o floor) floor {
	return floor{greater(f.energy, o.energy), greater(f.emissions, o.emissions)}
}

func greater[T ~float64](a, b usage.BusyIdle[T]) usage.BusyIdle[T] {
	return usage.BusyIdle[T]{Busy: max(a.Busy, b.Busy), Idle: max(a.Idle, b.Idle)}
}

func (r *record) settled() floor {
	t := r.total(usage.Key{})
	return floor{t.SettledEnergy, t.SettledEmissions}
}

func readFloors(ctx context.Context, db queryer) (map[int64]floor, error) {
	floors := map[int64]floor{}
	err := each(ctx, db, "SELECT key_id, busy_kwh, idle_kwh, busy_gCo2eq, idle_gCo2eq FROM counter_floor", nil, func(rows *sql.Rows) error {
		var id int64
		var f floor
		err := rows.Scan(&id, &f.energy.Busy, &f.energy.Idle, &f.emissions.Busy, &f.emissions.Idle)
		floors[id] = f
		return err
	})
	return floors, err
}

// dateOf is the local date of a time, in days since 1970-01-01.
func dateOf(t time.Time, zone *time.Location) int64 {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / int64(day/time.Second)
}

const day = 24 * time.Hour
