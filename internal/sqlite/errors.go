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
	// ErrInUse says that another process has the lock.
	ErrInUse = errors.New("is in use")
	// ErrDiskFull says that there is no room to open the database.
	ErrDiskFull = errors.New("the disk is full")
	// ErrGone says that the file is not the one that was opened. It was deleted, moved,
	// replaced, overwritten, cut short or closed to its readers.
	ErrGone = errors.New("the file is not the one that was opened")
	// ErrReadOnly says that the database was opened to read.
	ErrReadOnly = errors.New("was opened to read only")
	// ErrOutdated says that the database has an older schema, and was opened to read only.
	ErrOutdated = errors.New("has an older schema")

	// errDamage is what quick_check has found.
	errDamage = errors.New("quick_check")
)

// described is an error in words of its own, that is one of the above.
type described struct {
	kind error
	text string
}

func (e described) Error() string        { return e.text }
func (e described) Is(target error) bool { return target == e.kind }

// Unreadable says what is wrong when reading failed. It says damage only where
// SQLite does: whoever is told so moves the file away.
func Unreadable(err error) error {
	switch {
	case isBusy(err):
		return fmt.Errorf("is locked by another program: %w", err)
	case errors.Is(err, errDamage), hasCode(err, sqlite3.SQLITE_CORRUPT), hasCode(err, sqlite3.SQLITE_NOTADB):
		return fmt.Errorf("is damaged, restore a backup or move it away to begin anew: %w", err)
	}
	return fmt.Errorf("cannot be read: %w", err)
}

// Unwritable says what is wrong when writing failed.
func Unwritable(err error) error {
	switch {
	case errors.Is(err, ErrGone), errors.Is(err, ErrReadOnly):
		return err
	case isBusy(err):
		return fmt.Errorf("is locked by another program: %w", err)
	}
	return fmt.Errorf("cannot be written: %w", err)
}

func isBusy(err error) bool {
	return hasCode(err, sqlite3.SQLITE_BUSY) || hasCode(err, sqlite3.SQLITE_LOCKED)
}

// hasCode compares the primary code of SQLite, the low byte; extended codes refine
// it above.
func hasCode(err error, code int) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == code
}

// Explain says that the disk is full, ErrDiskFull, where that is the cause of an error
// of this database.
func (d *DB) Explain(err error) error { return explainFull(d.path, err) }

// explainFull turns an error into ErrDiskFull where the disk has no room. Without
// room, SQLite cannot share memory with others either, and then only says that there
// was an I/O error.
func explainFull(path string, err error) error {
	full := hasCode(err, sqlite3.SQLITE_FULL) || errors.Is(err, syscall.ENOSPC) ||
		(hasCode(err, sqlite3.SQLITE_IOERR) || hasCode(err, sqlite3.SQLITE_CANTOPEN)) && !hasRoom(filepath.Dir(path))
	if !full {
		return err
	}
	return described{ErrDiskFull, fmt.Sprintf("the disk that holds %s is full; free some space and start again (%v)", filepath.Dir(path), err)}
}

// withoutPath is why a file could not be opened, for errors that name it anyway.
func withoutPath(err error) error {
	var e *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is none")
	case errors.As(err, &e):
		return e.Err
	}
	return err
}
