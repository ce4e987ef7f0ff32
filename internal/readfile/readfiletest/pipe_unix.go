// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package readfiletest

import "syscall"

// Pipe makes a named pipe that only its owner may use.
func Pipe(path string) error { return syscall.Mkfifo(path, 0o600) }
