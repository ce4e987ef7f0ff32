// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

// Migration is one step from a schema to the next.
type Migration struct {
	Version int    // schema version after the migration, from 1 on
	Name    string // of its file, without .sql
	SQL     string
}

// Migrations returns the files NNNN_name.sql of a directory, in order. Their number is the
// newest version of the schema.
func Migrations(files fs.FS) ([]Migration, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	var all []Migration
	for i, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		base := strings.TrimSuffix(path.Base(name), ".sql")
		number, _, _ := strings.Cut(base, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("migration %s: want number %04d", name, i+1)
		}
		all = append(all, Migration{Version: version, Name: base, SQL: string(text)})
	}
	return all, nil
}

// migrate updates the schema to the newest version in one transaction: a crash leaves the old
// schema intact. It calls beforeLog once there is a write-ahead log and before anything is
// written to it.
func migrate(ctx context.Context, db *sql.DB, schema Schema, beforeLog func() error) error {
	all, err := Migrations(schema.Migrations)
	if err != nil {
		return err
	}
	// WAL mode is stored in the file, and cannot be set inside a transaction.
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode=WAL"); err != nil {
		return Unwritable(err)
	}
	l, err := readLabel(ctx, db) // the first read creates the log
	if err != nil {
		return err
	}
	if _, err := schema.check(l.version); err != nil {
		return err
	}
	if err := beforeLog(); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return Unwritable(err)
	}
	defer tx.Rollback() //nolint:errcheck // does nothing after Commit
	if err := apply(ctx, tx, all[l.version:]); err != nil {
		return err
	}
	// Written even if nothing is new: a database that cannot be written is refused now, not at
	// the first commit.
	for _, pragma := range []string{
		fmt.Sprintf("PRAGMA user_version=%d", len(all)), fmt.Sprintf("PRAGMA application_id=%d", schema.ApplicationID),
	} {
		if _, err := tx.ExecContext(ctx, pragma); err != nil {
			return Unwritable(err)
		}
	}
	if err := tx.Commit(); err != nil {
		return Unwritable(err)
	}
	return nil
}

// apply runs migrations and records when.
func apply(ctx context.Context, tx *sql.Tx, missing []Migration) error {
	for _, m := range missing {
		if _, err := tx.ExecContext(ctx, m.SQL); err != nil {
			return fmt.Errorf("migration %s: %w", m.Name, err)
		}
	}
	if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_migration (
		version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)`); err != nil {
		return Unwritable(err)
	}
	for _, m := range missing {
		if _, err := tx.ExecContext(ctx, "INSERT INTO schema_migration VALUES (?, ?, ?)",
			m.Version, m.Name, time.Now().UTC().Format(time.RFC3339)); err != nil {
			return Unwritable(err)
		}
	}
	return nil
}
