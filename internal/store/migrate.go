package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

type migration struct {
	version int
	name    string
	sql     string
}

// migrations lists the embedded files NNNN_name.sql in order.
func migrations() ([]migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var all []migration
	for i, name := range names {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		base := strings.TrimSuffix(path.Base(name), ".sql")
		number, _, _ := strings.Cut(base, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("migration %s: want number %04d", name, i+1)
		}
		all = append(all, migration{version: version, name: base, sql: string(text)})
	}
	return all, nil
}

// migrate brings the schema to this program's version, all of it in one
// transaction: a crash leaves the old schema whole. A store of a newer program
// is refused.
func migrate(ctx context.Context, db *sql.DB) error {
	all, err := migrations()
	if err != nil {
		return err
	}
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return damaged(err)
	}
	// Kept in the file from then on, and not allowed inside a transaction.
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode=WAL"); err != nil {
		return unwritable(err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return unwritable(err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it has nothing to do
	for _, m := range all[version:] {
		if _, err := tx.ExecContext(ctx, m.sql); err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
	}
	if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_migration (
		version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)`); err != nil {
		return unwritable(err)
	}
	for _, m := range all[version:] {
		if _, err := tx.ExecContext(ctx, "INSERT INTO schema_migration VALUES (?, ?, ?)",
			m.version, m.name, time.Now().UTC().Format(time.RFC3339)); err != nil {
			return unwritable(err)
		}
	}
	// Written even when nothing is new: a store that cannot be written is
	// refused now, not at the first commit.
	for _, pragma := range []string{"user_version", "application_id"} {
		value := map[string]int{"user_version": len(all), "application_id": applicationID}[pragma]
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA %s=%d", pragma, value)); err != nil {
			return unwritable(err)
		}
	}
	if err := tx.Commit(); err != nil {
		return unwritable(err)
	}
	return nil
}

// fixInterval writes the length of the intervals into a new store and compares
// it ever after. Zero means: whatever the store has, which it gives.
func fixInterval(ctx context.Context, db *sql.DB, length time.Duration) (time.Duration, error) {
	if length != 0 {
		if _, err := db.ExecContext(ctx, "INSERT OR IGNORE INTO setting VALUES ('interval_seconds', ?)",
			strconv.FormatInt(int64(length/time.Second), 10)); err != nil {
			return 0, unwritable(err)
		}
	}
	return compareInterval(ctx, db, length)
}

// compareInterval refuses another length than the one the store has, and gives
// that: 0 if it has none.
func compareInterval(ctx context.Context, db *sql.DB, length time.Duration) (time.Duration, error) {
	var kept string
	if err := db.QueryRowContext(ctx, "SELECT value FROM setting WHERE name = 'interval_seconds'").Scan(&kept); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return 0, nil
		}
		return 0, err
	}
	seconds, err := strconv.ParseInt(kept, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("setting interval_seconds: %w", err)
	}
	have := time.Duration(seconds) * time.Second
	if length != 0 && have != length {
		return 0, fmt.Errorf("holds intervals of %v and the configuration says interval: %v; give the new interval a --storage.path of its own", have, length)
	}
	return have, nil
}

func unwritable(err error) error {
	if isBusy(err) {
		return fmt.Errorf("is locked by another program: %w", err)
	}
	return fmt.Errorf("cannot be written: %w", err)
}

func isBusy(err error) bool {
	return hasCode(err, sqlite3.SQLITE_BUSY) || hasCode(err, sqlite3.SQLITE_LOCKED)
}

// hasCode compares the primary code, the low byte; extended codes refine it above.
func hasCode(err error, code int) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == code
}
