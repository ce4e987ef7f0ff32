// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package sqlite

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program that only reads does so beside the one that writes, and where it may
// write nothing.
func TestReadingWhereNothingMayBeWritten(t *testing.T) {
	everybody := func(t *testing.T, dir string, file, beside os.FileMode, folder os.FileMode) {
		t.Helper()
		for up := dir; up != os.TempDir() && up != "/"; up = filepath.Dir(up) {
			must(t, os.Chmod(up, 0o755))
		}
		entries, err := os.ReadDir(dir)
		must(t, err)
		for _, e := range entries {
			mode := beside
			if strings.HasSuffix(e.Name(), ".db") {
				mode = file
			}
			must(t, os.Chmod(filepath.Join(dir, e.Name()), mode))
		}
		must(t, os.Chmod(dir, folder))
		t.Cleanup(func() { os.Chmod(dir, 0o755) })
	}
	for _, c := range []struct {
		name string
		make func(t *testing.T, dir string) string
		want string // what it reads, or says
		ok   bool
	}{
		{"a file at rest in a directory that cannot be written", func(t *testing.T, dir string) string {
			path := madeWith(t, dir, 1, 2)
			everybody(t, dir, 0o444, 0o600, 0o555)
			return path
		}, "1 2", true},
		{"a file at rest that cannot be written", func(t *testing.T, dir string) string {
			path := madeWith(t, dir, 1, 2)
			everybody(t, dir, 0o444, 0o600, 0o777)
			return path
		}, "1 2", true},
		{"beside a program that writes", func(t *testing.T, dir string) string {
			path := madeWith(t, dir, 1, 2)
			holding(t, path)
			everybody(t, dir, 0o444, 0o444, 0o555)
			return path
		}, "1 2 7", true},
		{"beside a program that shares nothing", func(t *testing.T, dir string) string {
			path := madeWith(t, dir, 1, 2)
			holding(t, path)
			everybody(t, dir, 0o444, 0o600, 0o555)
			return path
		}, "is in use by a running counter", false},
		{"what a kill has left", func(t *testing.T, dir string) string {
			path := killed(t, dir, 1, 2)
			everybody(t, dir, 0o444, 0o444, 0o555)
			return path
		}, "1 2 7", true},
		{"what a kill has left, without what is shared", func(t *testing.T, dir string) string {
			path := killed(t, dir, 1, 2)
			must(t, os.Remove(path+"-shm"))
			everybody(t, dir, 0o444, 0o444, 0o555)
			return path
		}, "has a write-ahead log, which can only be read in a writable directory", false},
		{"a file that cannot be read", func(t *testing.T, dir string) string {
			path := madeWith(t, dir, 1, 2)
			everybody(t, dir, 0o000, 0o600, 0o555)
			return path
		}, "permission denied", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := c.make(t, t.TempDir())
			// The test's own program must be there for everybody, too.
			reader := command(t, "read", path)
			self := filepath.Join(t.TempDir(), "reader")
			// By another program: while this one has a file open to write, its other children have it, too,
			// and nobody can run it.
			must(t, exec.Command("cp", reader.Path, self).Run())
			for up := self; up != os.TempDir() && up != "/"; up = filepath.Dir(up) {
				must(t, os.Chmod(up, 0o755))
			}
			reader.Path, reader.Args[0] = self, self
			reader.Dir = "/"
			out, err := asNobody(reader).Output()
			if got := strings.TrimSpace(string(out)); (err == nil) != c.ok || !strings.Contains(got, c.want) || c.ok && got != c.want {
				t.Errorf("it says %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "text"), []byte(strings.Repeat("text ", 1000)), 0o600))
	spoil(t, filepath.Join(dir, "other"), "CREATE TABLE t (x)")
	for _, c := range []struct{ name, want string }{
		{"none", "there is no such file"},
		{".", "is not a regular file"},
		{"empty", "is empty; no counter has written to it"},
		{"text", "is not a SQLite database"},
		{"other", "is a SQLite database of another program"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := OpenToRead(t.Context(), filepath.Join(dir, c.name), schemaOf(0), true); err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestAReaderWritesNothing(t *testing.T) {
	path := madeWith(t, t.TempDir(), 1)
	d, err := OpenToRead(t.Context(), path, schemaOf(0), false)
	must(t, err)
	defer d.Close()
	if err := add(d, 2, 1); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a write: %v", err)
	}
	if _, err := d.Connect(); !errors.Is(err, ErrReadOnly) {
		t.Errorf("another connection: %v", err)
	}
	if _, err := d.Reader().Exec("INSERT INTO number VALUES (2, x'')"); err == nil {
		t.Error("its connections write")
	}
	if err := d.Check(); err != nil || d.Gone() != nil {
		t.Errorf("it watches: %v", err)
	}
	if said, ok := says(t, "own", path); !ok {
		t.Errorf("it keeps others from owning it: %s", said)
	}
}
