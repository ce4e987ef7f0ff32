// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var (
	// ErrInUse means that another process has the lock.
	ErrInUse = errors.New("is in use")
	// ErrBusy means that another program has kept the database locked for too long.
	ErrBusy = errors.New("is locked by another program")
	// ErrDiskFull means that there is no space to open the database.
	ErrDiskFull = errors.New("the disk is full")
	// ErrGone means that the file is not the one that was opened. It was deleted, moved, replaced,
	// overwritten, truncated or made unreadable.
	ErrGone = errors.New("the file is not the one that was opened")
	// ErrReadOnly means that the database was opened for reading only.
	ErrReadOnly = errors.New("was opened for reading only")
	// ErrOutdated means that the database has an older schema and was opened for reading only.
	ErrOutdated = errors.New("has an older schema")

	// ErrDamaged means that a page cannot be read, or says what cannot be.
	ErrDamaged = errors.New("is damaged")

	// errDamage is damage that quick_check found.
	errDamage = errors.New("quick_check")
)

// described is one of the errors above with a text of its own.
type described struct {
	kind error
	text string
}

func (e described) Error() string        { return e.text }
func (e described) Is(target error) bool { return target == e.kind }

// Unreadable describes an error of reading. It says "damaged" only if SQLite does, because the
// operator will move a damaged file away.
func Unreadable(err error) error {
	switch {
	case isBusy(err):
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case errors.Is(err, errDamage), hasCode(err, sqlite3.SQLITE_CORRUPT), hasCode(err, sqlite3.SQLITE_NOTADB):
		return fmt.Errorf("%w; restore a backup, or move it away to start with an empty one: %w", ErrDamaged, err)
	}
	return fmt.Errorf("cannot be read: %w", err)
}

// Unwritable describes an error of writing.
func Unwritable(err error) error {
	switch {
	case errors.Is(err, ErrGone), errors.Is(err, ErrReadOnly):
		return err
	case isBusy(err):
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return fmt.Errorf("cannot be written: %w", err)
}

func isBusy(err error) bool {
	return hasCode(err, sqlite3.SQLITE_BUSY) || hasCode(err, sqlite3.SQLITE_LOCKED)
}

// hasCode compares the primary SQLite error code, the low byte; the bytes above it are the
// extended code.
func hasCode(err error, code int) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == code
}

// Explain returns ErrDiskFull with a description if a full disk caused an error of this
// database; otherwise the error itself.
func (d *DB) Explain(err error) error { return explainFull(d.path, err) }

// explainFull turns an error into ErrDiskFull if the disk is full. Without space, SQLite cannot
// share memory with other programs either, and then reports only an I/O error.
func explainFull(path string, err error) error {
	full := hasCode(err, sqlite3.SQLITE_FULL) || errors.Is(err, syscall.ENOSPC) ||
		(hasCode(err, sqlite3.SQLITE_IOERR) || hasCode(err, sqlite3.SQLITE_CANTOPEN)) && !hasRoom(filepath.Dir(path))
	if !full {
		return err
	}
	return described{ErrDiskFull, fmt.Sprintf("the disk that holds %s is full; free some space and start again (%v)", filepath.Dir(path), err)}
}

// withoutPath returns why a file could not be opened, for errors that name the file anyway.
func withoutPath(err error) error {
	var e *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such file")
	case errors.As(err, &e):
		return e.Err
	}
	return err
}
