// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/newfile"
	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
)

// applicationID marks our files in SQLite's header: "CO2e".
const applicationID = 0x434f3265

//go:embed migrations/*.sql
var migrationFiles embed.FS

// schema describes what makes a SQLite database a store.
func schema() (sqlite.Schema, error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	return sqlite.Schema{Program: "carbon_exporter", ApplicationID: applicationID, Migrations: files}, err
}

// migrations lists the steps to the current schema.
func migrations() ([]sqlite.Migration, error) {
	present, err := schema()
	if err != nil {
		return nil, err
	}
	return sqlite.Migrations(present.Migrations)
}

// fixInterval writes the interval length into a new store, or compares it with the stored one.
// Zero accepts whatever the store has. It returns the store's length.
func fixInterval(ctx context.Context, db *sql.DB, length time.Duration) (time.Duration, error) {
	if length != 0 {
		if _, err := db.ExecContext(ctx, "INSERT OR IGNORE INTO setting VALUES ('interval_seconds', ?)",
			strconv.FormatInt(int64(length/time.Second), 10)); err != nil {
			return 0, sqlite.Unwritable(err)
		}
	}
	return compareInterval(ctx, db, length)
}

// compareInterval refuses a length other than the store's own, which it returns: 0 if the store
// has none.
func compareInterval(ctx context.Context, db queryer, length time.Duration) (time.Duration, error) {
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
		return 0, fmt.Errorf("has intervals of %v, but the configuration says interval: %v; use another --storage.path for the new interval", have, length)
	}
	return have, nil
}

// keptTimezone is the time zone of the store's days.
func keptTimezone(ctx context.Context, db queryer) (*time.Location, error) {
	var kept string
	err := db.QueryRowContext(ctx, "SELECT value FROM setting WHERE name = 'timezone'").Scan(&kept)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errors.New("has no daily sums yet; start carbon_exporter once to compute them")
	}
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(kept)
	if err != nil {
		return nil, fmt.Errorf("setting timezone: %w", err)
	}
	return zone, nil
}

// otherTimezone is the error for a store whose days are in another time zone than configured.
func otherTimezone(kept string, zone *time.Location) error {
	return fmt.Errorf("has daily sums in %s, but the configuration says timezone: %s; start carbon_exporter with this configuration to compute them again", kept, zone)
}

// Backup copies the store at path to target as of one moment, also while an exporter writes to
// it, and returns the size of the copy in bytes. The copy is one file, without a write-ahead
// log and free pages, and is read back completely before it gets its name. An existing target
// is refused. If copying ends early for any reason, no file of that name is left. progress, if
// not nil, is called now and then with the bytes written and their approximate total.
func Backup(ctx context.Context, path, target string, progress func(done, about int64)) (size int64, err error) {
	file, err := openFileToRead(ctx, path, true)
	if err != nil {
		return 0, fmt.Errorf("copy store: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	if size, err = copyTo(ctx, file, target, progress); err != nil {
		return 0, fmt.Errorf("copy store to %s: %w", target, err)
	}
	return size, nil
}

func copyTo(ctx context.Context, file *sqlite.DB, target string, progress func(done, about int64)) (size int64, err error) {
	info, err := os.Stat(file.Path())
	if err != nil {
		return 0, err
	}
	partial, err := newfile.Reserve(target, info.Mode().Perm()|0o600) // ours to write even if the store is read-only
	if err != nil {
		return 0, err
	}
	if err := file.CopyTo(ctx, partial, progress); err != nil {
		newfile.Abandon(partial)
		return 0, err
	}
	return newfile.Finish(partial, target)
}

// SchemaVersion is the version of the store's tables.
func (s *Store) SchemaVersion(ctx context.Context) (version int, err error) {
	err = s.reader.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	return version, err
}
