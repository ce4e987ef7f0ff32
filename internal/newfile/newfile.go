// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package newfile writes files that exist completely or not at all: a file has another
// name until it is complete. It must not know the content. Start with Reserve.
package newfile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// ErrExists means that the file already exists. Files are never overwritten.
var ErrExists = errors.New("already exists; nothing was changed")

// Reserve creates the file to write to, next to the target, with the suffix .partial- and
// a number. Its permissions are perm, less the umask. If the target exists, the error is
// ErrExists. Finish or Abandon must follow.
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
		return "", fmt.Errorf("directory %s does not exist", filepath.Dir(target))
	}
	if err != nil {
		return "", reason(err)
	}
	return partial, f.Close()
}

// Abandon deletes the partial file and the files that SQLite keeps next to it.
func Abandon(partial string) {
	for _, beside := range []string{"", "-journal", "-wal", "-shm"} {
		os.Remove(partial + beside) //nolint:errcheck // mostly it does not exist
	}
}

// Finish gives the file its final name, safe against a power failure, and returns its
// size. If the target was created meanwhile, the error is ErrExists. After any error the
// partial file is deleted.
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

// takeName gives a file its name unless another file has it by now. Without hard links
// there is a moment between the check and the renaming.
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

// syncDirectory makes a new name safe against a power failure, if the file system can.
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

// reason is an error without the name of the file, for messages that name it already.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
