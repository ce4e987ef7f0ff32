// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// spoil changes what a database says about itself.
func spoil(t *testing.T, path string, queries ...string) string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	defer db.Close()
	for _, query := range queries {
		if _, err := db.Exec(query); err != nil {
			t.Fatal(query, err)
		}
	}
	return path
}

func TestAVersionThatNobodyWrites(t *testing.T) {
	for _, c := range []struct {
		name    string
		version int
		want    string
	}{
		{"-1", -1, "has schema -1, which no counter writes; nothing was changed"},
		{"the least there is", -1 << 31, "has schema -2147483648, which no counter writes"},
		{"the next", 2, "was written by a newer counter (schema 2, this program knows 1); upgrade the program"},
		{"the greatest there is", 1<<31 - 1, "was written by a newer counter (schema 2147483647, "},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := spoil(t, madeWith(t, t.TempDir(), 1), fmt.Sprintf("PRAGMA user_version=%d", c.version))
			before := contents(t, filepath.Dir(path))
			_, err := Open(t.Context(), path, schemaOf(0), Options{Exclusive: true})
			_, reading := OpenToRead(t.Context(), path, schemaOf(0), false)
			for _, err := range []error{err, reading} {
				if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("got %v, want %s", err, c.want)
				}
			}
			if after := contents(t, filepath.Dir(path)); after != before {
				t.Errorf("there is\n%s\nthere was\n%s", after, before)
			}
		})
	}
}

func TestAnEmptyFileOfAnImpossibleVersion(t *testing.T) {
	path := spoil(t, filepath.Join(t.TempDir(), "numbers.db"), "PRAGMA user_version=-1")
	if _, err := Open(t.Context(), path, schemaOf(0), Options{}); err == nil || !strings.Contains(err.Error(), "has schema -1") {
		t.Errorf("got %v", err)
	}
}

func TestAnOlderSchema(t *testing.T) {
	path := madeWith(t, t.TempDir(), 1)
	_, err := OpenToRead(t.Context(), path, schemaOf(2), false)
	if want := "has schema 1, but this program reads schema 3: start counter once to migrate it"; !errors.Is(err, ErrOutdated) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	read, err := OpenToRead(t.Context(), path, schemaOf(2), true)
	must(t, err)
	must(t, read.Close())
	d, err := Open(t.Context(), path, schemaOf(2), Options{})
	must(t, err)
	must(t, d.Close())
	reading, err := OpenToRead(t.Context(), path, schemaOf(2), false)
	must(t, err)
	if got := numbers(t, reading); got != "1" {
		t.Errorf("it holds %s", got)
	}
	must(t, reading.Close())
}

// smallDisk is a directory on a disk of its own with so many bytes, where something
// may be mounted; there, what cannot be mounted here has a test of its own below.
func smallDisk(t *testing.T, bytes int) (dir string, ok bool) {
	t.Helper()
	dir = t.TempDir()
	if exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", bytes), "tmpfs", dir).Run() != nil {
		return dir, false
	}
	t.Cleanup(func() { exec.Command("umount", dir).Run() })
	return dir, true
}

// fill leaves no room on a disk.
func fill(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	must(t, err)
	defer f.Close()
	for {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
}

func TestADiskThatIsFullAtTheStart(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, dir string) (path string)
	}{
		{"without a database", func(t *testing.T, dir string) string {
			fill(t, dir)
			return filepath.Join(dir, "numbers.db")
		}},
		{"without a database and its directory", func(t *testing.T, dir string) string {
			fill(t, dir)
			return filepath.Join(dir, "a", "numbers.db")
		}},
		{"with one", func(t *testing.T, dir string) string {
			path := madeWith(t, dir, 1)
			fill(t, dir)
			return path
		}},
		{"with one that was killed", func(t *testing.T, dir string) string {
			path := madeWith(t, dir, 1)
			kill, _ := holding(t, path)
			kill()
			must(t, os.Remove(path+"-shm"))
			fill(t, dir)
			return path
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, ok := smallDisk(t, 1<<20)
			if !ok {
				return // see TestErrorsOfAFullDisk
			}
			path := c.make(t, dir)
			_, err := Open(t.Context(), path, schemaOf(0), Options{Exclusive: true})
			if !errors.Is(err, ErrDiskFull) || !strings.HasPrefix(err.Error(), "the disk that holds "+filepath.Dir(path)+" is full; free some space") || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got %v", err)
			}
			must(t, os.Remove(filepath.Join(dir, "filler")))
			d := open(t, path, true)
			adds(t, d, 2)
			must(t, d.Close())
		})
	}
}

func TestErrorsOfAFullDisk(t *testing.T) {
	d := open(t, madeWith(t, t.TempDir(), 1), true)
	_, err := d.Writer().Exec("PRAGMA max_page_count=1")
	must(t, err)
	full := add(d, 2, 100_000)
	dev := os.WriteFile("/dev/full", []byte("x"), 0o600)
	for _, err := range []error{full, Unwritable(full), fmt.Errorf("make it: %w", dev)} {
		if got := explainFull(d.Path(), err); !errors.Is(got, ErrDiskFull) || !strings.Contains(got.Error(), filepath.Dir(d.Path())) {
			t.Errorf("%v is said as %v", err, got)
		}
	}
	for _, err := range []error{nil, os.ErrNotExist, ErrGone} {
		if got := explainFull(d.Path(), err); !errors.Is(got, err) {
			t.Errorf("%v is said as %v", err, got)
		}
	}
}
