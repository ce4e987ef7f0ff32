// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin || freebsd

package sqlite

import "golang.org/x/sys/unix"

// FreeBytes is how much more can be written to the disk of a file or directory by this user; ok
// is false if that is not known.
func FreeBytes(path string) (free int64, ok bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true //nolint:unconvert // the types differ by system
}
