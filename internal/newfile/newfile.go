// Package newfile makes files that are there whole or not at all: what is written
// has another name until it is finished. It must not know what is written. Start with
// Reserve.
package newfile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// ErrExists says that the file is there already. Nothing is ever overwritten.
var ErrExists = errors.New("is there already; nothing was changed")

// Reserve makes the file that a target is written to, beside it: called as the target
// is, with .partial- and a number behind. Its permissions are perm as far as the
// umask allows; a target that exists is ErrExists. Then comes Finish, or Abandon.
func Reserve(target string, perm fs.FileMode) (partial string, err error) {
	if _, err := os.Lstat(target); err == nil {
		return "", ErrExists
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", reason(err)
	}
	if target, err = filepath.Abs(target); err != nil {
		return "", err
	}
	partial = fmt.Sprintf("%s.partial-%d", target, rand.Uint64())
	f, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no directory %s", filepath.Dir(target))
	}
	if err != nil {
		return "", reason(err)
	}
	return partial, f.Close()
}

// Abandon takes away what was written, also what SQLite had beside it.
func Abandon(partial string) {
	for _, beside := range []string{"", "-journal", "-wal", "-shm"} {
		os.Remove(partial + beside) //nolint:errcheck // mostly it is not there
	}
}

// Finish gives what was written its name, so that it outlasts a power cut, and says
// how large it is. If the name was taken meanwhile that is ErrExists; with any error
// nothing is left.
func Finish(partial, target string) (size int64, err error) {
	defer func() {
		if err != nil {
			Abandon(partial)
		}
	}()
	if size, err = syncFile(partial); err != nil {
		return 0, err
	}
	if err := takeName(partial, target); err != nil {
		return 0, err
	}
	return size, syncDirectory(filepath.Dir(target))
}

func syncFile(name string) (size int64, err error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// takeName gives a file its name, unless another has it by now. Where a file cannot
// have two names there is a moment between looking and taking.
func takeName(partial, target string) error {
	err := os.Link(partial, target)
	switch {
	case err == nil:
		return os.Remove(partial)
	case errors.Is(err, fs.ErrExist):
		return ErrExists
	}
	if _, err := os.Lstat(target); err == nil {
		return ErrExists
	}
	return os.Rename(partial, target)
}

// syncDirectory makes a new name outlast a power cut. Not every file system can.
func syncDirectory(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) {
		return err
	}
	return nil
}

// reason is why a file could not be had, for who says anyway which.
func reason(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
