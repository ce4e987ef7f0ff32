// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	sqlite3 "modernc.org/sqlite/lib"
)

// OpenToRead opens a database for reading only: it creates and migrates nothing, takes no lock,
// leaves the write-ahead log as it is and does not read the whole file. It works beside a
// program that writes, and even if neither the file nor its directory can be written. It
// refuses a database of another program or a newer schema and, unless anySchema is set, of an
// older one: ErrOutdated.
//
// If it can, SQLite creates the two files through which it shares a database with a program
// that writes.
func OpenToRead(ctx context.Context, path string, schema Schema, anySchema bool) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return nil, withoutPath(err)
	}
	d := &DB{path: path, schema: schema}
	if err := d.openToRead(ctx, anySchema); err != nil {
		d.Close() //nolint:errcheck // what went wrong first is what counts
		return nil, explainFull(path, err)
	}
	return d, nil
}

func (d *DB) openToRead(ctx context.Context, anySchema bool) (err error) {
	if err := examineToRead(d.path, d.schema.Program); err != nil {
		return err
	}
	if d.guard, err = openGuard(d.path, os.O_RDONLY); err != nil {
		return withoutPath(err)
	}
	if err := d.guard.holdsDatabase(); err != nil {
		return errors.New("is not a SQLite database")
	}
	if err := d.guard.sameName(d.schema.Program); err != nil {
		return err
	}
	if err := checkLog(d.path, d.guard.file); err != nil {
		return err
	}
	d.reader, err = d.greet(ctx, anySchema, url.Values{"mode": {"ro"}})
	if hasCode(err, sqlite3.SQLITE_CANTOPEN) || hasCode(err, sqlite3.SQLITE_READONLY) {
		// The shared files do not exist and cannot be created, or cannot be read. Then the
		// database can only be read if nobody writes.
		switch {
		case d.guard.locked():
			return fmt.Errorf("is in use by a running %s, whose -wal and -shm files cannot be read: run this command as the same user", d.schema.Program)
		case hasLog(d.path):
			return errors.New("has a write-ahead log, which can only be read in a writable directory: copy both files to such a directory")
		}
		d.reader, err = d.greet(ctx, anySchema, url.Values{"mode": {"ro"}, "immutable": {"1"}})
	}
	return err
}

// examineToRead refuses an empty file, and anything that is not a regular file.
func examineToRead(path, program string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return withoutPath(err)
	case !info.Mode().IsRegular():
		return errors.New("is not a regular file")
	case info.Size() == 0:
		return fmt.Errorf("is empty; no %s has written to it", program)
	}
	return nil
}

// greet connects and checks which program the database belongs to.
func (d *DB) greet(ctx context.Context, anySchema bool, how url.Values) (*sql.DB, error) {
	how["_txlock"], how["_pragma"] = []string{"deferred"}, []string{waitsWhenBusy(), "cache_size(-8192)", "temp_store(FILE)"}
	db, err := connectWith(d.path, how, unchecked)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(1)
	if err := d.recognise(ctx, db, anySchema); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func (d *DB) recognise(ctx context.Context, db *sql.DB, anySchema bool) error {
	l, err := readLabel(ctx, db)
	switch {
	case err != nil:
		return err
	case l.application != d.schema.ApplicationID:
		return errors.New("is a SQLite database of another program")
	case anySchema:
		return nil
	}
	newest, err := d.schema.check(l.version)
	if err == nil && l.version < newest {
		err = described{ErrOutdated, fmt.Sprintf("has schema %d, but this program reads schema %d: start %s once to migrate it", l.version, newest, d.schema.Program)}
	}
	return err
}
