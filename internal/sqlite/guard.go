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

// guard holds a descriptor of the database file, from before SQLite opens the file
// until after SQLite has closed it. No other may be opened beside SQLite: when a
// process closes any descriptor of a file, POSIX drops all of its locks on that
// file, SQLite's among them.
type guard struct {
	path   string
	file   *os.File
	beside *flock.Flock // nil: not held
	held   bool         // whether the lock on the file is
}

func openGuard(path string, flag int) (*guard, error) {
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return nil, err
	}
	return &guard{path: path, file: f}, nil
}

// holdsDatabase refuses, before SQLite touches it, what is not a SQLite database.
// An empty file is a new one.
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

// lock takes two locks, for as long as the database is open, as SQLite's own come
// and go with each transaction. One is on the file itself, so that no other name of
// it (a hard link, a bind mount) gets round it. The other is on a file beside it,
// which also works where a file can only be locked by name.
func (g *guard) lock(program string) error {
	beside := flock.New(g.path + ".lock")
	ok, err := beside.TryLock()
	if err != nil {
		return fmt.Errorf("take its lock: %w", err)
	}
	if !ok {
		return described{ErrInUse, "another " + program + " uses it"}
	}
	g.beside = beside
	if err := g.lockFile(); err != nil {
		if errors.Is(err, ErrInUse) {
			return described{ErrInUse, "another " + program + " uses it, under another name (a hard link or a mount)"}
		}
		return err
	}
	return nil
}

// lockFile takes the lock on the file. It does so a second time when SQLite holds the
// file open: where a lock belongs to the process and not to the descriptor, it was
// dropped when SQLite last closed the file.
func (g *guard) lockFile() error {
	ok, err := lockFile(g.file)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil // the lock beside it has to do
	case err != nil:
		return fmt.Errorf("lock it: %w", err)
	case !ok:
		return ErrInUse
	}
	g.held = true
	return nil
}

// sameName refuses a file that is in use under another name: each name has its own
// write-ahead log, and who goes by one does not see what the other holds.
func (g *guard) sameName(program string) error {
	if locked, err := isLocked(g.file); err != nil || !locked {
		return nil //nolint:nilerr // where nobody can tell, nothing is wrong
	}
	f, err := os.Open(g.path + ".lock")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil //nolint:nilerr // it is another user's, and there
	}
	if err == nil {
		f.Close() //nolint:errcheck // it was only read
		beside := flock.New(g.path+".lock", flock.SetFlag(os.O_RDONLY))
		ok, err := beside.TryRLock()
		defer beside.Close() //nolint:errcheck // it was only read
		if err != nil || !ok {
			return nil //nolint:nilerr // held: it goes by the same name
		}
	}
	return described{ErrInUse, "a running " + program + " uses it under another name (a hard link or a mount); use that name"}
}

// locked says that the exclusive lock is held, as far as that can be told.
func (g *guard) locked() bool {
	locked, err := isLocked(g.file)
	return err == nil && locked
}

// release gives the locks back and keeps the descriptor.
func (g *guard) release() {
	if g.held {
		unlockFile(g.file)
	}
	if g.beside != nil {
		g.beside.Unlock() //nolint:errcheck // the process is about to end
	}
}

// close is the last that is done with the file.
func (g *guard) close() error {
	if g.held {
		unlockFile(g.file) // a child that was just started may have the descriptor, too
	}
	err := g.file.Close()
	if g.beside != nil {
		err = errors.Join(err, g.beside.Unlock())
	}
	return err
}
