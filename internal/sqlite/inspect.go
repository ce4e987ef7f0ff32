// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"
)

// inspect refuses a database that is damaged, or that another or a newer program wrote. It uses
// a connection that can only read: a writer folds the write-ahead log into the file when it
// closes, and a file that is refused must stay as it is. Only a transaction that was cut short
// without a write-ahead log, as when a database is created, must be rolled back before anything
// can be read.
func inspect(ctx context.Context, path string, schema Schema, further func(context.Context, Queryer) error) error {
	err := look(ctx, path, "ro", schema, further)
	if hasCode(err, sqlite3.SQLITE_READONLY) {
		err = look(ctx, path, "rw", schema, further)
	}
	return err
}

// look is inspect on one connection.
func look(ctx context.Context, path, mode string, schema Schema, further func(context.Context, Queryer) error) error {
	db, err := connect(path, mode, "deferred", readerPragmas, unchecked)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	l, err := readLabel(ctx, db)
	if err != nil {
		return err
	}
	if l.application != schema.ApplicationID && (l.application != 0 || l.tables > 0) {
		return errors.New("is a SQLite database of another program; nothing was changed")
	}
	newest, err := schema.check(l.version)
	if err != nil {
		return err
	}
	if l.tables == 0 {
		return nil
	}
	if err := quickCheck(ctx, db); err != nil {
		return err
	}
	if l.version < newest || further == nil {
		return nil // further expects the current schema
	}
	return further(ctx, db)
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

// quickCheck reads every page. SQLite reports damage as rows, not as an error.
func quickCheck(ctx context.Context, db *sql.DB) error {
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return Unreadable(err)
	}
	if verdict != "ok" {
		return Unreadable(fmt.Errorf("%w: %s", errDamage, strings.Join(strings.Fields(verdict), " ")))
	}
	return nil
}
