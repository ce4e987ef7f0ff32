// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Of a large file, only what is essential is read before it is opened. Damage elsewhere is found
// afterwards.
func TestALargeFileIsCheckedAfterItWasOpened(t *testing.T) {
	defer func(was int64) { wholeAtStart = was }(wholeAtStart)
	for _, c := range []struct {
		name    string
		size    int64 // up to which all is checked at once
		damaged string
		refused bool // at once
		found   bool // later
	}{
		{"nothing is damaged", 0, "", false, false},
		{"a table that can wait", 0, "more0", false, true},
		{"an essential table", 0, "number", true, false},
		{"a small file", 1 << 30, "more0", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "large.db")
			schema := schemaOf(1)
			d, err := Open(t.Context(), path, schema, Options{})
			if err != nil {
				t.Fatal(err)
			}
			adds(t, d, 1, 2, 3)
			root := -1
			if c.damaged != "" {
				if err := d.Reader().QueryRow("SELECT rootpage FROM sqlite_schema WHERE name = ?", c.damaged).Scan(&root); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			if root > 0 {
				overwrite(t, path, root)
			}
			wholeAtStart = c.size
			d, err = Open(context.Background(), path, schema, Options{Essential: []string{"number"}})
			if c.refused {
				if !errors.Is(err, ErrDamaged) {
					t.Fatalf("opened with error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if got := numbers(t, d); got != "1 2 3" {
				t.Errorf("it has %s", got)
			}
			if err := d.CheckRest(t.Context()); errors.Is(err, ErrDamaged) != c.found || (err != nil) != c.found {
				t.Errorf("later: %v", err)
			}
		})
	}
}

// overwrite destroys a page, the first of which is 1.
func overwrite(t *testing.T, path string, page int) {
	t.Helper()
	const size = 4096
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(strings.Repeat("\xa5", size)), int64(page-1)*size); err != nil {
		t.Fatal(err)
	}
}
