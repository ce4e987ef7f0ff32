package sqlite

import (
	"context"
	"database/sql"
)

// Queryer is a database or a transaction.
type Queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Each calls f for every row of a query, until f fails.
func Each(ctx context.Context, db Queryer, query string, args []any, f func(*sql.Rows) error) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Write runs f in one transaction that nobody else writes beside. ErrGone says that
// the file is not the one that was opened: then nothing is written any more.
func (d *DB) Write(ctx context.Context, f func(*sql.Tx) error) error {
	if d.writer == nil {
		return ErrReadOnly
	}
	return d.transact(ctx, d.writer, f)
}

// WriteOn is Write on a connection of Connect.
func (d *DB) WriteOn(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) error {
	return d.transact(ctx, db, f)
}

// Read runs f in one transaction that sees one state of the database.
func (d *DB) Read(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := d.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	if err := f(tx); err != nil {
		if gone := d.Check(); gone != nil {
			return gone // which explains the other
		}
		return err
	}
	return nil
}

func (d *DB) transact(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) error {
	if err := d.Check(); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err = f(tx); err == nil {
		err = d.Check()
	}
	if err != nil {
		// SQLite has already rolled back if the disk is full, and database/sql if ctx
		// has ended; both then complain about a second time.
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}
