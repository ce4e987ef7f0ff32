package store

import (
	"context"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// putInterval writes the state of an interval and, if readers would see anything
// new in it, its next revision. Unless it was answered, it stays as due as it is.
func putInterval(ctx context.Context, tx *sqlite.Tx, rec usage.Record, kwh usage.KWh, policy usage.Policy, news bool) error {
	var energy, pue, askAgain any
	if rec.State != usage.Empty {
		energy, pue = float64(kwh), rec.PUE
	} else if !policy.AskAgain.IsZero() {
		askAgain = policy.AskAgain.Unix()
	}
	asked, err := askedID(ctx, tx, rec.Asked)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO usage_interval(start, seconds, state, kwh, pue, fetched_at, retry_at, revision, asked_id)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, CASE WHEN ?8 THEN `+nextRevision+` END, ?9)
		ON CONFLICT(start) DO UPDATE SET state = ?3, kwh = ?4, pue = ?5, fetched_at = ?6,
		retry_at = CASE WHEN ?10 THEN ?7 ELSE retry_at END, attempts = CASE WHEN ?10 THEN 0 ELSE attempts END,
		error = CASE WHEN ?10 THEN NULL ELSE error END,
		revision = coalesce(excluded.revision, revision), asked_id = coalesce(?9, asked_id)`,
		rec.Interval.Start.Unix(), int64(rec.Interval.Length.Seconds()), string(rec.State), energy, pue,
		rec.FetchedAt.Unix(), askAgain, news && rec.State != usage.Empty, asked, policy.Answered)
	return err
}

// askedID finds or makes the row of what was asked; nil where that is not known.
func askedID(ctx context.Context, tx *sqlite.Tx, a usage.Asked) (any, error) {
	if a == (usage.Asked{}) {
		return nil, nil
	}
	if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO asked(busy_query, idle_query) VALUES (?, ?)", a.Busy, a.Idle); err != nil {
		return nil, err
	}
	var id int64
	err := tx.QueryRowContext(ctx, "SELECT asked_id FROM asked WHERE busy_query = ? AND idle_query = ?", a.Busy, a.Idle).Scan(&id)
	return id, err
}

// answered notes that an interval was answered with nothing better than it has.
func answered(ctx context.Context, tx *sqlite.Tx, interval usage.Interval) error {
	_, err := tx.ExecContext(ctx, `UPDATE usage_interval SET retry_at = NULL, attempts = 0, error = NULL
		WHERE start = ? AND retry_at IS NOT NULL`, interval.Start.Unix())
	return err
}

// restate gives an interval another state and, with news, a revision. A settled
// one is not asked for again.
func restate(ctx context.Context, tx *sqlite.Tx, interval usage.Interval, state usage.State, news bool) error {
	if _, err := tx.ExecContext(ctx, `UPDATE usage_interval SET state = ?,
		revision = CASE WHEN ? THEN `+nextRevision+` ELSE revision END WHERE start = ?`,
		string(state), news, interval.Start.Unix()); err != nil || state != usage.Settled {
		return err
	}
	return answered(ctx, tx, interval)
}
