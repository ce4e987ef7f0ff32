// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package readfiletest

import (
	"errors"
	"fmt"
)

// Pipe is an error: the files of this system have no pipes among them.
func Pipe(path string) error { return fmt.Errorf("make the pipe %s: %w", path, errors.ErrUnsupported) }
