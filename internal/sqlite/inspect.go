// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"errors"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"
)

// inspect refuses a database that is damaged, or that another or a newer program wrote. It uses
// a connection that can only read: a writer folds the write-ahead log into the file when it
// closes, and a file that is refused must stay as it is. Only a transaction that was cut short
// without a write-ahead log, as when a database is created, must be rolled back before anything
// can be read.
//
// It returns the tables that are yet to be checked.
func inspect(ctx context.Context, path string, schema Schema, o Options) (left []string, err error) {
	left, err = look(ctx, path, "ro", schema, o)
	if hasCode(err, sqlite3.SQLITE_READONLY) {
		left, err = look(ctx, path, "rw", schema, o)
	}
	return left, err
}

// look is inspect on one connection.
func look(ctx context.Context, path, mode string, schema Schema, o Options) (left []string, err error) {
	db, err := connect(path, mode, "deferred", readerPragmas, unchecked)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	l, err := readLabel(ctx, db)
	if err != nil {
		return nil, err
	}
	if l.application != schema.ApplicationID && (l.application != 0 || l.tables > 0) {
		return nil, errors.New("is a SQLite database of another program; nothing was changed")
	}
	newest, err := schema.check(l.version)
	if err != nil || l.tables == 0 {
		return nil, err
	}
	if left, err = checkAtOpen(ctx, db, path, o.Essential); err != nil {
		return nil, err
	}
	if l.version < newest || o.Inspect == nil {
		return left, nil // Inspect expects the current schema
	}
	return left, o.Inspect(ctx, db)
}

// label is what a database's header says about it.
type label struct {
	application int32
	version     int
	tables      int
}

func readLabel(ctx context.Context, db Queryer) (l label, err error) {
	for _, c := range []struct {
		query string
		into  any
	}{
		{"PRAGMA application_id", &l.application}, {"PRAGMA user_version", &l.version}, {"SELECT count(*) FROM sqlite_schema", &l.tables},
	} {
		if err := db.QueryRowContext(ctx, c.query).Scan(c.into); err != nil {
			return l, Unreadable(err)
		}
	}
	return l, nil
}

// check refuses a version that no program of this or an older version writes, and returns the
// newest version.
func (s Schema) check(version int) (newest int, err error) {
	all, err := Migrations(s.Migrations)
	switch newest = len(all); {
	case err != nil:
		return 0, err
	case version < 0:
		return 0, fmt.Errorf("has schema %d, which no %s writes; nothing was changed. Restore a backup, or move it away to start with an empty one", version, s.Program)
	case version > newest:
		return 0, fmt.Errorf("was written by a newer %s (schema %d, this program knows %d); upgrade the program", s.Program, version, newest)
	}
	return newest, nil
}
