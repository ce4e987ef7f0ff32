// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// leastRoom is the smallest unit of the memory that SQLite shares.
const leastRoom = 32 << 10

// lockedByte is far from the bytes that SQLite locks, at 1 GiB, and from the end of any file.
const lockedByte = 1 << 40

// An open file description lock belongs to the descriptor, not to the process: it is
// independent of SQLite's own locks, and lasts until the descriptor is closed.

func lockFile(f *os.File) (bool, error) {
	return setLock(f, unix.F_WRLCK)
}

func unlockFile(f *os.File) { setLock(f, unix.F_UNLCK) } //nolint:errcheck // it ends with the process anyway

func setLock(f *os.File, kind int16) (bool, error) {
	l := unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: lockedByte, Len: 1}
	err := onFile(f, func(fd uintptr) error { return unix.FcntlFlock(fd, unix.F_OFD_SETLK, &l) })
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
		return false, nil
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS): // a kernel that imitates Linux
		return false, errors.ErrUnsupported
	}
	return err == nil, err
}

func isLocked(f *os.File) (bool, error) {
	l := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: lockedByte, Len: 1}
	err := onFile(f, func(fd uintptr) error { return unix.FcntlFlock(fd, unix.F_OFD_GETLK, &l) })
	return err == nil && l.Type != unix.F_UNLCK, err
}

// onFile keeps the descriptor open during the call.
func onFile(f *os.File, do func(fd uintptr) error) (err error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	if cerr := conn.Control(func(fd uintptr) { err = do(fd) }); cerr != nil {
		return cerr
	}
	return err
}

// hasRoom reports whether a directory's disk has the least space that SQLite needs.
func hasRoom(dir string) bool {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return true
	}
	return s.Bavail*uint64(s.Bsize) >= leastRoom
}

// fileID identifies a file, also after a restart, even if another file gets its name: inode
// numbers are reused, but not with the same time of birth. The device is left out, because its
// number may change at the next boot.
func fileID(path string) (string, error) {
	var s unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_INO|unix.STATX_BTIME, &s); err != nil {
		if errors.Is(err, unix.ENOENT) {
			return "", os.ErrNotExist
		}
		return "", errors.ErrUnsupported
	}
	return idOf(s.Ino, s.Btime.Sec, int64(s.Btime.Nsec)), nil
}
