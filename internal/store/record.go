// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Known returns the state of every stored interval that begins in a period, by its start.
func (s *Store) Known(ctx context.Context, p usage.Period) (map[time.Time]usage.State, error) {
	known := map[time.Time]usage.State{}
	err := each(ctx, s.reader, "SELECT start, state FROM usage_interval WHERE start >= ? AND start < ?",
		[]any{p.From.Unix(), p.To.Unix()}, func(rows *sql.Rows) error {
			var start int64
			var state usage.State
			err := rows.Scan(&start, &state)
			known[unix(start)] = state
			return err
		})
	return known, err
}

// readRecord returns an interval as stored: facts, prices and the factors that they were computed
// with. An interval that is not in the store is Missing; one whose per-key rows were deleted is
// usage.ErrPruned.
func readRecord(ctx context.Context, tx *sqlite.Tx, naming *naming, i usage.Interval) (usage.Record, error) {
	rec := usage.Record{Interval: i, State: usage.Missing, Coverage: map[string]usage.Coverage{}}
	c, err := load(ctx, tx, i)
	if err != nil {
		return rec, err
	}
	rec.State, rec.Prices = c.state, c.prices
	if c.pruned {
		return rec, usage.ErrPruned
	}
	for _, r := range c.rows {
		k, err := naming.keyOf(ctx, r.key)
		if err != nil {
			return rec, err
		}
		rec.Facts = append(rec.Facts, r.fact(k.Key))
	}
	if err := readFactors(ctx, tx, &rec); err != nil {
		return rec, err
	}
	return rec, readHosts(ctx, tx, &rec)
}

// readFactors adds what the facts of a record were computed from: PUE, power, coverage, hosts,
// labels, and the queries with their time.
func readFactors(ctx context.Context, db queryer, rec *usage.Record) error {
	start := []any{rec.Interval.Start.Unix()}
	var doubts *int
	if err := each(ctx, db, `SELECT i.pue, i.fetched_at, coalesce(a.busy_query, ''), coalesce(a.idle_query, ''), coalesce(i.growth, 0), i.doubts
		FROM usage_interval i LEFT JOIN asked a USING (asked_id) WHERE i.start = ?`, start, func(rows *sql.Rows) error {
		var pue *float64
		var fetched *int64
		err := rows.Scan(&pue, &fetched, &rec.Queries.Busy, &rec.Queries.Idle, &rec.Queries.Growth, &doubts)
		rec.FetchedAt = moment(fetched)
		if pue != nil {
			rec.PUE = *pue
		}
		return err
	}); err != nil {
		return err
	}
	if err := readRatings(ctx, db, rec); err != nil {
		return err
	}
	if err := readInstruments(ctx, db, rec); err != nil {
		return err
	}
	if err := readCoverage(ctx, db, rec.Interval, rec.Coverage); err != nil {
		return err
	}
	if doubts != nil {
		var err error
		if rec.Attendance, err = readAttendance(ctx, db, rec.Interval, *doubts); err != nil {
			return err
		}
	}
	return each(ctx, db, `SELECT p.cloud_project_name, l.project, l.machine, l.host, l.user
		FROM interval_labels l JOIN dim_project p ON p.project_id = l.project_id WHERE l.start = ?`, start, func(rows *sql.Rows) error {
		var project string
		var l usage.LabelPresence
		err := rows.Scan(&project, &l.Project, &l.Machine, &l.Host, &l.User)
		if rec.Labels == nil {
			rec.Labels = map[string]usage.LabelPresence{}
		}
		rec.Labels[project] = l
		return err
	})
}

// readHosts adds the usage by host, without estimates, which are computed again.
func readHosts(ctx context.Context, db queryer, rec *usage.Record) error {
	return each(ctx, db, `SELECT coalesce(i.raw_label, i.host), m.machine_name, u.start, u.until,
		u.busy_cpu_seconds, u.idle_cpu_seconds, u.busy_kwh, u.idle_kwh, u.measured_kwh,
		b.metered_busy_cpu_seconds, b.metered_idle_cpu_seconds, b.metered_busy_kwh, b.metered_idle_kwh, b.memory_gib_seconds, b.memory_kwh
		FROM workspace_usage u LEFT JOIN workspace_beside b USING (start, instance_id, until) JOIN dim_instance i USING (instance_id) JOIN dim_machine m ON m.machine_id = u.machine_id
		WHERE u.start >= ? AND u.start < ? AND u.estimated = 0 ORDER BY u.start, u.instance_id, u.until`, span(rec.Interval), func(rows *sql.Rows) error {
		var h usage.HostFact
		var start, until int64
		var beside [6]*float64
		err := rows.Scan(&h.Host, &h.Machine, &start, &until, &h.CPU.Busy, &h.CPU.Idle, &h.Energy.Busy, &h.Energy.Idle, &h.Energy.Measured,
			&beside[0], &beside[1], &beside[2], &beside[3], &beside[4], &beside[5])
		if beside[0] != nil {
			h.Beside = &usage.Beside{
				Metered: usage.Metered{
					CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(*beside[0]), Idle: usage.CPUSeconds(*beside[1])},
					Energy: usage.BusyIdle[usage.KWh]{Busy: usage.KWh(*beside[2]), Idle: usage.KWh(*beside[3])},
				},
				Memory: usage.GiBSeconds(*beside[4]), MemoryEnergy: usage.KWh(*beside[5]),
			}
		}
		h.Start, h.Until = unix(start), unix(until)
		rec.Hosts = append(rec.Hosts, h)
		return err
	})
}

// Span is the time from the first to the newest interval with usage, including those whose
// per-key rows were deleted; ok is false if there is none.
func (s *Store) Span(ctx context.Context) (p usage.Period, ok bool, err error) {
	err = s.View(ctx, func(v *View) error {
		p, ok, err = v.Span(ctx)
		return err
	})
	return p, ok, err
}

// Span is Store.Span at the view's moment.
func (v *View) Span(ctx context.Context) (usage.Period, bool, error) { return spanOf(ctx, v.tx) }

func spanOf(ctx context.Context, tx *sqlite.Tx) (usage.Period, bool, error) {
	var from, to *int64
	err := tx.QueryRowContext(ctx, `SELECT min(start), max(start + seconds) FROM usage_interval
		WHERE state IN ('unpriced', 'provisional', 'settled')`).Scan(&from, &to)
	if err != nil || from == nil {
		return usage.Period{}, false, err
	}
	return usage.Period{From: unix(*from), To: unix(*to)}, true, nil
}

// Projects lists every project that ever had usage, in order.
func (s *Store) Projects(ctx context.Context) (names []string, err error) {
	err = each(ctx, s.reader, "SELECT cloud_project_name FROM dim_project ORDER BY cloud_project_name", nil, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	})
	return names, err
}

// KeepsHosts reports whether the store has usage by host, which an exporter stores that shows
// active workspaces.
func (s *Store) KeepsHosts(ctx context.Context) (keeps bool, err error) {
	err = s.reader.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM workspace_usage)").Scan(&keeps)
	return keeps, err
}

// Proof returns everything stored about an interval, as of one moment: also of an interval that
// is not in the store (Missing) or whose per-key rows were deleted (Pruned).
func (s *Store) Proof(ctx context.Context, i usage.Interval) (usage.Proof, error) {
	var p usage.Proof
	err := s.read(ctx, func(tx *sqlite.Tx) error {
		naming, err := s.names.in(ctx, tx)
		if err != nil {
			return err
		}
		p.Record, err = readRecord(ctx, tx, naming, i)
		if p.Pruned = errors.Is(err, usage.ErrPruned); p.Pruned {
			err = readFactors(ctx, tx, &p.Record) // pruning keeps them
		}
		if err != nil {
			return err
		}
		if err := readAttempts(ctx, tx, &p); err != nil {
			return err
		}
		if p.Slots, err = readAllSlots(ctx, tx, i); err != nil {
			return err
		}
		p.Changes, err = readChanges(ctx, tx, i)
		return err
	})
	if err != nil {
		return p, fmt.Errorf("interval %s: store: %w", i, err)
	}
	return p, nil
}

// readAttempts adds the fetch attempts of an interval.
func readAttempts(ctx context.Context, db queryer, p *usage.Proof) error {
	var retry, reread *int64
	err := db.QueryRowContext(ctx, "SELECT attempts, coalesce(error, ''), retry_at, reread_at FROM usage_interval WHERE start = ?",
		p.Interval.Start.Unix()).Scan(&p.Attempts, &p.Error, &retry, &reread)
	if errors.Is(err, sql.ErrNoRows) {
		p.State = usage.Unasked
		return nil
	}
	if retry != nil && *retry > 0 { // 0: at once
		p.RetryAt = unix(*retry)
	}
	p.RereadAt = moment(reread)
	return err
}

// Titles returns, for each of the users in order, the directory records by which usage in an
// interval belongs to them: hosts that they had and groups that they were in for any part of
// it.
func (s *Store) Titles(ctx context.Context, users []string, i usage.Interval) ([]directory.Title, error) {
	titles := make([]directory.Title, len(users))
	of := map[string]*directory.Title{}
	for n, user := range users {
		titles[n].User = user
		of[user] = &titles[n]
	}
	args := []any{i.Start.Unix(), i.End().Unix()}
	err := s.read(ctx, func(tx *sqlite.Tx) error {
		var from, to *int64
		if err := each(ctx, tx, `SELECT document, host, owner, valid_from, valid_to FROM directory_tenure
			WHERE (valid_to IS NULL OR valid_to > ?) AND (valid_from IS NULL OR valid_from < ?) AND owner <> ''
			ORDER BY valid_from, host, document`, args, func(rows *sql.Rows) error {
			var t directory.Tenure
			err := rows.Scan(&t.Document, &t.Host, &t.Owner, &from, &to)
			t.From, t.To = moment(from), moment(to)
			if title := of[t.Owner]; title != nil {
				title.Tenures = append(title.Tenures, t)
			}
			return err
		}); err != nil {
			return err
		}
		return each(ctx, tx, `SELECT user_id, group_name, valid_from, valid_to FROM directory_membership
			WHERE (valid_to IS NULL OR valid_to > ?) AND (valid_from IS NULL OR valid_from < ?)
			ORDER BY group_name, valid_from`, args, func(rows *sql.Rows) error {
			var m directory.Membership
			err := rows.Scan(&m.User, &m.Group, &from, &to)
			m.From, m.To = moment(from), moment(to)
			if title := of[m.User]; title != nil {
				title.Memberships = append(title.Memberships, m)
			}
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("interval %s: store: read its owners: %w", i, err)
	}
	return titles, nil
}
