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

// OpenToRead opens a database that only reads: it makes and migrates nothing, takes
// no lock, folds no write-ahead log and does not read the file from end to end. It
// works beside a program that writes, and where neither the file nor its directory
// can be written. A database of another program is refused, as is one of a newer
// schema, and, unless any schema will do, of an older one: ErrOutdated.
//
// Where it can, SQLite makes the two files beside it by which it shares a database
// with a program that writes.
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
		// The files by which it is shared are not there and cannot be made, or they
		// cannot be read. Then it can only be read if nobody writes.
		switch {
		case d.guard.locked():
			return fmt.Errorf("is in use by a running %s, and what they would share beside it cannot be read: run this as the user that runs it", d.schema.Program)
		case hasLog(d.path):
			return errors.New("has a write-ahead log, which cannot be read where nothing can be made beside it: copy both to where it can")
		}
		d.reader, err = d.greet(ctx, anySchema, url.Values{"mode": {"ro"}, "immutable": {"1"}})
	}
	return err
}

// examineToRead refuses what is not a file that somebody has written.
func examineToRead(path, program string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return withoutPath(err)
	case !info.Mode().IsRegular():
		return errors.New("is not a regular file")
	case info.Size() == 0:
		return fmt.Errorf("is empty, no %s has written it", program)
	}
	return nil
}

// greet connects and looks whose database it is.
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
		err = described{ErrOutdated, fmt.Sprintf("has schema %d and this program reads %d: start %s once, which brings it up to date", l.version, newest, d.schema.Program)}
	}
	return err
}
