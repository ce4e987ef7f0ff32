// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gofrs/flock"
)

var magic = []byte("SQLite format 3\x00")

// guard holds a descriptor of the database file, from before SQLite opens the file until after
// SQLite has closed it. No other descriptor may be opened beside SQLite's: when a process
// closes any descriptor of a file, POSIX drops all of its locks on that file, including
// SQLite's.
type guard struct {
	path   string
	file   *os.File
	beside *flock.Flock // nil: not held
	held   bool         // whether the lock on the file itself is held
}

func openGuard(path string, flag int) (*guard, error) {
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return nil, err
	}
	return &guard{path: path, file: f}, nil
}

// holdsDatabase refuses a file that is not a SQLite database, before SQLite touches it. An
// empty file is a new database.
func (g *guard) holdsDatabase() error {
	info, err := g.file.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	head := make([]byte, len(magic))
	if _, err := g.file.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !bytes.Equal(head, magic) {
		return errors.New("is not a SQLite database; nothing was changed")
	}
	return nil
}

// lock takes two locks for as long as the database is open; SQLite's own come and go with each
// transaction. One is on the file itself, so that another name of it (a hard link, a bind
// mount) does not bypass it. The other is on a file beside it, for file systems where only that
// works.
func (g *guard) lock(program string) error {
	if err := examineBeside(g.path + pairSuffix); err != nil {
		return err
	}
	beside := flock.New(g.path + pairSuffix)
	ok, err := beside.TryLock()
	if err != nil {
		return fmt.Errorf("take its lock: %w", err)
	}
	if !ok {
		return described{ErrInUse, "is in use by another " + program}
	}
	g.beside = beside
	if err := g.lockFile(); err != nil {
		if errors.Is(err, ErrInUse) {
			return described{ErrInUse, "is in use by another " + program + " under another name (a hard link or a mount)"}
		}
		return err
	}
	return nil
}

// lockFile takes the lock on the file. It is called again after SQLite has opened the file:
// where a lock belongs to the process and not to the descriptor, it was dropped when SQLite
// last closed the file.
func (g *guard) lockFile() error {
	ok, err := lockFile(g.file)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil // the lock on the file beside it has to suffice
	case err != nil:
		return fmt.Errorf("lock it: %w", err)
	case !ok:
		return ErrInUse
	}
	g.held = true
	return nil
}

// sameName refuses a file that is in use under another name: each name has its own write-ahead
// log, so a program that uses one name does not see what is in the log of the other.
func (g *guard) sameName(program string) error {
	if locked, err := isLocked(g.file); err != nil || !locked {
		return nil //nolint:nilerr // if it cannot be determined, assume no
	}
	if examineBeside(g.path+pairSuffix) != nil {
		return nil // nobody can hold it
	}
	f, err := os.Open(g.path + pairSuffix)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil //nolint:nilerr // it exists, and belongs to another user
	}
	if err == nil {
		f.Close() //nolint:errcheck // it was only read
		beside := flock.New(g.path+pairSuffix, flock.SetFlag(os.O_RDONLY))
		ok, err := beside.TryRLock()
		defer beside.Close() //nolint:errcheck // it was only read
		if err != nil || !ok {
			return nil //nolint:nilerr // held: the same name is used
		}
	}
	return described{ErrInUse, "is in use by a running " + program + " under another name (a hard link or a mount); use that name"}
}

// locked reports whether the exclusive lock is held, as far as that can be determined.
func (g *guard) locked() bool {
	locked, err := isLocked(g.file)
	return err == nil && locked
}

// release releases the locks and keeps the descriptor.
func (g *guard) release() {
	if g.held {
		unlockFile(g.file)
	}
	if g.beside != nil {
		g.beside.Unlock() //nolint:errcheck // the process is about to end
	}
}

// close is the last thing done with the file.
func (g *guard) close() error {
	if g.held {
		unlockFile(g.file) // closing may not release it: a child process may have inherited the descriptor
	}
	err := g.file.Close()
	if g.beside != nil {
		err = errors.Join(err, g.beside.Unlock())
	}
	return err
}
