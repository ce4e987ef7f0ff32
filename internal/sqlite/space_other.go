// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !(linux || darwin || freebsd)

package sqlite

// FreeBytes is how much more can be written to the disk of a file or directory; it is not known
// here.
func FreeBytes(string) (free int64, ok bool) { return 0, false }
