// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockedByteHigh is the upper half of an offset far from the bytes that SQLite locks, at 1 GiB,
// and from the end of any file.
const lockedByteHigh = 1 << 8

func lockFile(f *os.File) (bool, error) {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0,
		&windows.Overlapped{OffsetHigh: lockedByteHigh})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}

func unlockFile(f *os.File) {
	windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, &windows.Overlapped{OffsetHigh: lockedByteHigh}) //nolint:errcheck // it ends with the process anyway
}

// isLocked tries to lock: there is no way to ask.
func isLocked(f *os.File) (bool, error) {
	ok, err := lockFile(f)
	if ok {
		unlockFile(f)
	}
	return err == nil && !ok, err
}

func hasRoom(string) bool { return true }

func fileID(string) (string, error) { return "", errors.ErrUnsupported }
