// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package store

import (
	"syscall"
	"testing"
	"time"
)

// cpu is what the process has used of its processors.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// limitFiles ends what this process writes to a file at so many bytes.
func limitFiles(bytes uint64) error {
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: bytes})
}
