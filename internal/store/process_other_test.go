// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package store

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func cpu(b *testing.B) time.Duration {
	b.Skip("the CPU time of a process is read on Unix only")
	return 0
}

func limitFiles(uint64) error {
	return fmt.Errorf("limit the size of files: %w", errors.ErrUnsupported)
}
