package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"time"
)

// busyTimeout is how long a transaction waits for another program's lock before
// it gives up; the caller then tries its cycle again.
const busyTimeout = 5 * time.Second

// A connection's pragmas stand in the DSN: one given to a pool by Exec reaches
// one of its connections only.
var (
	writerPragmas = []string{
		"foreign_keys(1)", fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"synchronous(FULL)", "temp_store(MEMORY)", "cache_size(-8192)", "journal_size_limit(16777216)",
	}
	readerPragmas = []string{
		"query_only(1)", fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()), "cache_size(-2000)",
	}
)

func connect(path, mode, begin string, pragmas []string) (*sql.DB, error) {
	q := url.Values{"_txlock": {begin}, "_pragma": pragmas, "mode": {mode}}
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return sql.Open("sqlite", dsn.String())
}

// write runs f in one immediate transaction.
func (s *Store) write(ctx context.Context, f func(*sql.Tx) error) error {
	return transact(ctx, s.writer, f)
}

// read runs f in one transaction that sees one state of the store.
func (s *Store) read(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	return f(tx)
}

func transact(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		// SQLite has rolled back by itself if the disk is full, and database/sql
		// if ctx has ended; both then complain of a second time.
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}
