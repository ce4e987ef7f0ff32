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

// rowsOf runs a query, on a prepared statement if the transaction has one that
// nobody is reading from.
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

// Tx is a transaction. A statement that comes again is prepared, and parsed no more.
type Tx struct {
	*sql.Tx
	statements map[string]*statement
}

type statement struct {
	stmt *sql.Stmt // nil: it came once
	busy bool      // its rows are being read
}

// prepared is the statement of a query that came before; nil: run it as it is.
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
			return nil // running it says what is wrong
		}
		s.stmt = stmt
	}
	return s
}

// ExecContext runs a statement that gives no rows.
func (t *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if s := t.prepared(ctx, query); s != nil {
		return s.stmt.ExecContext(ctx, args...)
	}
	return t.Tx.ExecContext(ctx, query, args...)
}

// QueryRowContext runs a query for one row, which is to be scanned at once.
func (t *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if s := t.prepared(ctx, query); s != nil {
		return s.stmt.QueryRowContext(ctx, args...)
	}
	return t.Tx.QueryRowContext(ctx, query, args...)
}

// Write runs f in one transaction that nobody else writes beside. ErrGone says that
// the file is not the one that was opened: then nothing is written any more.
func (d *DB) Write(ctx context.Context, f func(*Tx) error) error {
	if d.writer == nil {
		return ErrReadOnly
	}
	return d.transact(ctx, d.writer, f)
}

// WriteOn is Write on a connection of Connect.
func (d *DB) WriteOn(ctx context.Context, db *sql.DB, f func(*Tx) error) error {
	return d.transact(ctx, db, f)
}

// Read runs f in one transaction that sees one state of the database.
func (d *DB) Read(ctx context.Context, f func(*Tx) error) error {
	tx, err := d.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	if err := f(&Tx{tx, map[string]*statement{}}); err != nil {
		if gone := d.Check(); gone != nil {
			return gone // which explains the other
		}
		return err
	}
	return nil
}

func (d *DB) transact(ctx context.Context, db *sql.DB, f func(*Tx) error) error {
	if err := d.Check(); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err = f(&Tx{tx, map[string]*statement{}}); err == nil {
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
