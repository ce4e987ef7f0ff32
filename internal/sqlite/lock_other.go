// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux && !darwin && !freebsd && !netbsd && !windows

package sqlite

import (
	"errors"
	"os"
)

// No lock is known here that works together with SQLite's: the lock on the file beside it has
// to suffice.

func lockFile(*os.File) (bool, error) { return false, errors.ErrUnsupported }

func unlockFile(*os.File) {}

func isLocked(*os.File) (bool, error) { return false, errors.ErrUnsupported }

func hasRoom(string) bool { return true }

func fileID(string) (string, error) { return "", errors.ErrUnsupported }
