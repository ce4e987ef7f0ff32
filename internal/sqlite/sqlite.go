// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package sqlite keeps one program's data in one SQLite file: it opens and locks the file,
// migrates its schema, runs transactions and bulk inserts, copies it, and notices when it is no
// longer the file that was opened. It must not know what the tables contain or mean. Start with
// Open.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Schema identifies the program's own databases.
type Schema struct {
	Program       string // name of the program, for errors
	ApplicationID int32  // in the header of the file
	Migrations    fs.FS  // NNNN_name.sql from 0001 on; see Migrations
}

// Options configure how a database is opened.
type Options struct {
	// Exclusive takes the lock that only one process can hold. Programs that work beside its
	// holder leave it out.
	Exclusive bool
	// Inspect, if not nil, is called on a database of the current schema before anything is
	// written to it. Its error refuses the database.
	Inspect func(context.Context, Queryer) error
	// Essential are the tables of a large file that are checked before it is opened; the others
	// are left to CheckRest. Without any, and of a small file, all is checked at once.
	Essential []string
}

// DB is an open database. It is safe for concurrent use; writers wait for each other.
type DB struct {
	path   string
	schema Schema
	writer *sql.DB // one connection; nil: opened for reading
	reader *sql.DB
	guard  *guard
	watch  *watch // nil: opened for reading

	unchecked []string // tables that CheckRest is to check
}

// Open opens the database at path and migrates it, or creates it. A file that is not an intact,
// writable database of this or an older schema is refused and left as it is. Errors to branch
// on are ErrInUse, ErrBusy and ErrDiskFull.
func Open(ctx context.Context, path string, schema Schema, o Options) (*DB, error) {
	path, err := prepare(path)
	if err != nil {
		return nil, explainFull(path, err)
	}
	d := &DB{path: path, schema: schema}
	if err := d.open(ctx, o); err != nil {
		d.Close() //nolint:errcheck // what went wrong first is what counts
		return nil, explainFull(path, err)
	}
	return d, nil
}

func (d *DB) open(ctx context.Context, o Options) (err error) {
	if d.guard, err = openGuard(d.path, os.O_RDWR); err != nil {
		return err
	}
	if err := d.guard.holdsDatabase(); err != nil {
		return err
	}
	if o.Exclusive {
		err = d.guard.lock(d.schema.Program)
	} else {
		err = d.guard.sameName(d.schema.Program)
	}
	if err != nil {
		return err
	}
	if err := examineBeside(d.path + "-wal"); err != nil {
		return err
	}
	if err := checkLog(d.path, d.guard.file); err != nil {
		return err
	}
	if d.unchecked, err = inspect(ctx, d.path, d.schema, o); err != nil {
		return err
	}
	d.watch = &watch{path: d.path, guard: d.guard.file, gone: make(chan struct{})}
	if d.writer, err = connect(d.path, "rw", "immediate", writerPragmas, d.Check); err != nil {
		return err
	}
	d.writer.SetMaxOpenConns(1)
	d.writer.SetMaxIdleConns(1)
	if err := migrate(ctx, d.writer, d.schema, func() error { return noteLog(d.path, d.guard.file) }); err != nil {
		return err
	}
	if err := d.startWatching(ctx); err != nil {
		return err
	}
	if d.reader, err = connect(d.path, "rw", "deferred", readerPragmas, d.Check); err != nil {
		return err
	}
	d.reader.SetMaxOpenConns(4)
	d.reader.SetMaxIdleConns(1)
	d.reader.SetConnMaxIdleTime(time.Minute) // each has a page cache of its own
	if o.Exclusive {
		return d.guard.lockFile() // again: see lockFile
	}
	return nil
}

// startWatching remembers which files these are. It folds the write-ahead log into the file
// first, so that the header is this program's own.
func (d *DB) startWatching(ctx context.Context) error {
	var busy, frames, done int
	if err := d.writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &frames, &done); err != nil {
		return Unwritable(err)
	}
	if err := d.watch.start(); err != nil {
		return err
	}
	return noteLog(d.path, d.guard.file)
}

// Path is the real path of the file, with links resolved.
func (d *DB) Path() string { return d.path }

// Writer is the only connection that writes; nil if the database was opened for reading. Prefer
// Write, which checks that the file is still there.
func (d *DB) Writer() *sql.DB { return d.writer }

// Reader is a small pool of connections that only read.
func (d *DB) Reader() *sql.DB { return d.reader }

// Connect opens one more connection that can write, with pragmas such as "secure_delete(1)".
// The caller must close it before the DB.
func (d *DB) Connect(pragmas ...string) (*sql.DB, error) {
	if d.writer == nil {
		return nil, ErrReadOnly
	}
	db, err := connect(d.path, "rw", "immediate", pragmas, d.Check)
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

// Close closes all connections and releases the file. The last process to close it folds the
// write-ahead log into the file. If the file is not the one that was opened, it returns ErrGone
// and leaves the file alone.
func (d *DB) Close() error {
	if d.watch != nil && d.watch.started() {
		checked := d.Check()
		if !d.watch.settle(d.writer) {
			// Closing a connection would fold in and delete the log, by name. So the
			// connections stay open; they end with the process, and nothing is written.
			d.guard.release()
			return checked
		}
		if checked != nil {
			return errors.Join(checked, d.close())
		}
	}
	return d.close()
}

func (d *DB) close() error {
	var errs []error
	for _, db := range []*sql.DB{d.reader, d.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if d.watch != nil {
		d.watch.close()
	}
	if d.guard != nil {
		errs = append(errs, d.guard.close())
	}
	return errors.Join(errs...)
}

// SizeBytes is the size of the file and its write-ahead log on disk.
func (d *DB) SizeBytes() (int64, error) {
	var size int64
	for _, name := range []string{d.path, d.path + "-wal"} {
		info, err := os.Stat(name)
		switch {
		case err == nil:
			size += info.Size()
		case !errors.Is(err, fs.ErrNotExist):
			return 0, err
		}
	}
	return size, nil
}

// prepare resolves links, so that one file has one name, and creates a new file and its
// directory.
func prepare(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return path, err
	}
	path = resolve(path)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, create(path)
	}
	if err != nil {
		return path, err
	}
	return path, examine(path, info)
}

// resolve follows links, also where there is nothing at their end yet but a directory
// to make it in.
func resolve(given string) string {
	const most = 40 // as Linux follows
	path := given
	for range most {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			return target
		}
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return given
	}
	return filepath.Join(dir, filepath.Base(path))
}

func create(path string) error {
	if hasLog(path) {
		return fmt.Errorf("there is no such file, but %[1]s has data that belongs to one: put the file back beside it, or move %[1]s away to start with an empty one", path+"-wal")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("create its directory: %w", err)
	}
	// SQLite would only say "unable to open database file".
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	return f.Close()
}

// examine refuses anything that is not a writable file. It reads the permission bits and does
// not try to write, because root can write a file that its owner has made read-only.
func examine(path string, info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return errors.New("is not a regular file")
	case info.Mode().Perm()&0o222 == 0:
		return fmt.Errorf("is read-only (mode %v); the exporter must be able to write it", info.Mode().Perm())
	case info.Size() == 0 && hasLog(path):
		return fmt.Errorf("is empty, but %[1]s has data that belongs to it: restore a backup and move %[1]s away", path+"-wal")
	}
	return nil
}
