// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !windows

package bucket

import (
	"errors"
	"os"
)

// syncDir makes the names in a directory last, also when the power fails.
func syncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
