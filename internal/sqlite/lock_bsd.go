// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build darwin || freebsd || netbsd

package sqlite

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// lockedByte is far from the bytes that SQLite locks, at 1 GiB, and from the end of any file.
const lockedByte = 1 << 40

// A POSIX lock belongs to the process and lasts as long as SQLite, which locks other bytes, has
// the file open. flock would lock the whole file against SQLite.

func lockFile(f *os.File) (bool, error) {
	l := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: lockedByte, Len: 1}
	err := syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &l)
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) {
		return false, nil
	}
	return err == nil, err
}

func unlockFile(f *os.File) {
	l := syscall.Flock_t{Type: syscall.F_UNLCK, Whence: io.SeekStart, Start: lockedByte, Len: 1}
	syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &l) //nolint:errcheck // it ends with the process anyway
}

func isLocked(f *os.File) (bool, error) {
	l := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: lockedByte, Len: 1}
	err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &l)
	return err == nil && l.Type != syscall.F_UNLCK, err
}

func hasRoom(string) bool { return true } // rely on ENOSPC

// fileID identifies a file, also after a restart, even if another file gets its name: inode
// numbers are reused, but not with the same time of birth.
func fileID(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", errors.ErrUnsupported
	}
	return idOf(uint64(s.Ino), int64(s.Birthtimespec.Sec), int64(s.Birthtimespec.Nsec)), nil
}
