//go:build !linux && !darwin && !freebsd && !netbsd && !windows

package sqlite

import (
	"errors"
	"os"
)

// Nothing is known here of locks that agree with SQLite's: the lock beside the file
// has to do.

func lockFile(*os.File) (bool, error) { return false, errors.ErrUnsupported }

func unlockFile(*os.File) {}

func isLocked(*os.File) (bool, error) { return false, errors.ErrUnsupported }

func hasRoom(string) bool { return true }

func fileID(string) (string, error) { return "", errors.ErrUnsupported }
