// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"

	sqlite3 "modernc.org/sqlite/lib"
)

// Queryer is a database or a transaction.
type Queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Each calls f for every row of a query, until f returns an error.
func Each(ctx context.Context, db Queryer, query string, args []any, f func(*sql.Rows) error) error {
	rows, done, err := rowsOf(ctx, db, query, args)
	if err != nil {
		return err
	}
	defer done()
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// rowsOf runs a query, on a prepared statement if the transaction has one whose rows nobody is
// reading.
func rowsOf(ctx context.Context, db Queryer, query string, args []any) (*sql.Rows, func(), error) {
	if tx, ok := db.(*Tx); ok {
		if s := tx.prepared(ctx, query); s != nil {
			s.busy = true
			rows, err := s.stmt.QueryContext(ctx, args...)
			return rows, func() { s.busy = false }, err
		}
	}
	rows, err := db.QueryContext(ctx, query, args...)
	return rows, func() {}, err
}

// Tx is a transaction. It prepares a statement the second time that it runs.
type Tx struct {
	*sql.Tx
	statements map[string]*statement
}

type statement struct {
	stmt *sql.Stmt // nil: ran once so far
	busy bool      // its rows are being read now
}

// prepared returns the statement of a query that has run before; nil: run it unprepared.
func (t *Tx) prepared(ctx context.Context, query string) *statement {
	s := t.statements[query]
	switch {
	case s == nil:
		t.statements[query] = &statement{}
		return nil
	case s.busy:
		return nil
	case s.stmt == nil:
		stmt, err := t.PrepareContext(context.WithoutCancel(ctx), query)
		if err != nil {
			return nil // running it returns the error
		}
		s.stmt = stmt
	}
	return s
}

// ExecContext runs a statement that returns no rows.
func (t *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if s := t.prepared(ctx, query); s != nil {
		return s.stmt.ExecContext(ctx, args...)
	}
	return t.Tx.ExecContext(ctx, query, args...)
}

// QueryRowContext runs a query for one row, which must be scanned at once.
func (t *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if s := t.prepared(ctx, query); s != nil {
		return s.stmt.QueryRowContext(ctx, args...)
	}
	return t.Tx.QueryRowContext(ctx, query, args...)
}

// Write runs f in one transaction, while nobody else writes. ErrGone means that the file is not
// the one that was opened; nothing is written from then on.
func (d *DB) Write(ctx context.Context, f func(*Tx) error) error {
	if d.writer == nil {
		return ErrReadOnly
	}
	return d.transact(ctx, d.writer, f)
}

// WriteOn is Write on a connection from Connect.
func (d *DB) WriteOn(ctx context.Context, db *sql.DB, f func(*Tx) error) error {
	return d.transact(ctx, db, f)
}

// Read runs f in one transaction, which sees one state of the database.
func (d *DB) Read(ctx context.Context, f func(*Tx) error) error {
	tx, err := d.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	if err := f(&Tx{tx, map[string]*statement{}}); err != nil {
		return d.why(err)
	}
	return nil
}

// why gives what explains an error of SQLite: that the file is gone or damaged.
func (d *DB) why(err error) error {
	if gone := d.Check(); gone != nil {
		return gone
	}
	if d.watch != nil && (hasCode(err, sqlite3.SQLITE_CORRUPT) || hasCode(err, sqlite3.SQLITE_NOTADB)) {
		return d.watch.damage(err)
	}
	return err
}

func (d *DB) transact(ctx context.Context, db *sql.DB, f func(*Tx) error) error {
	if err := d.Check(); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return d.why(err)
	}
	if err = f(&Tx{tx, map[string]*statement{}}); err == nil {
		err = d.Check()
	}
	if err != nil {
		// If the disk is full, SQLite has rolled back already; if ctx has ended, database/sql
		// has. Both return an error for a second time.
		_ = tx.Rollback()
		return d.why(err)
	}
	if err := tx.Commit(); err != nil {
		return d.why(err)
	}
	return nil
}
