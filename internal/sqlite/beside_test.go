// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What is beside the file may be anything. Nobody waits for it, and nothing is
// written to it.
func TestWhatIsBesideTheFile(t *testing.T) {
	for _, c := range []struct {
		name   string
		make   func(t *testing.T, name string)
		suffix string
		want   string // of a writer; "": it is good
	}{
		{"a lock that is a pipe", func(t *testing.T, name string) { must(t, syscall.Mkfifo(name, 0o600)) }, ".lock", " beside it that is not a regular file"},
		{"a lock that is a directory", func(t *testing.T, name string) { must(t, os.Mkdir(name, 0o700)) }, ".lock", " beside it that is not a regular file"},
		{"a lock that is a link", func(t *testing.T, name string) {
			must(t, os.WriteFile(name+".precious", []byte("precious"), 0o600))
			must(t, os.Symlink(name+".precious", name))
		}, ".lock", " beside it that is not a regular file"},
		{"a log that is a pipe", func(t *testing.T, name string) { must(t, syscall.Mkfifo(name, 0o600)) }, "-wal", " beside it that is not a regular file"},
		{"a log that is a link", func(t *testing.T, name string) {
			must(t, os.WriteFile(name+".precious", []byte("precious"), 0o600))
			must(t, os.Symlink(name+".precious", name))
		}, "-wal", " beside it that is not a regular file"},
		{"a log that is none", func(t *testing.T, name string) {
			must(t, os.WriteFile(name, []byte(strings.Repeat("precious ", 10_000)), 0o600))
		}, "-wal", " beside it that is not a write-ahead log: move that away"},
		{"a short log that is none", func(t *testing.T, name string) { must(t, os.WriteFile(name, []byte("precious"), 0o600)) }, "-wal", " beside it that is not a write-ahead log"},
		{"an empty log", func(t *testing.T, name string) { must(t, os.WriteFile(name, nil, 0o600)) }, "-wal", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := madeWith(t, t.TempDir(), 1)
			os.Remove(path + c.suffix)
			c.make(t, path+c.suffix)
			precious, _ := os.ReadFile(path + c.suffix + ".precious")
			opened := make(chan error, 2)
			go func() {
				reading, err := OpenToRead(t.Context(), path, schemaOf(0), false)
				if err == nil {
					err = reading.Close()
				}
				opened <- err
				d, err := Open(t.Context(), path, schemaOf(0), Options{Exclusive: true})
				if err == nil {
					err = d.Close()
				}
				opened <- err
			}()
			for _, who := range []string{"a reader", "a writer"} {
				want := c.want
				select {
				case err := <-opened:
					if who == "a reader" && strings.Contains(want, "regular file") {
						break // it may do without
					}
					if (err == nil) != (want == "") || err != nil && (!strings.HasPrefix(err.Error(), "has a "+path+c.suffix+want) || strings.Contains(err.Error(), "\n")) {
						t.Errorf("%s: %v, want %s", who, err, want)
					}
				case <-time.After(20 * time.Second):
					t.Fatalf("%s waits", who)
				}
			}
			if now, _ := os.ReadFile(path + c.suffix + ".precious"); string(now) != string(precious) {
				t.Errorf("what the link leads to is %q", now)
			}
		})
	}
}

// A link to nothing is where a new database is to be made, and it is the same one at
// the next start.
func TestALinkToNothing(t *testing.T) {
	for _, chain := range []int{1, 2} {
		dir := t.TempDir()
		whole, link := filepath.Join(dir, "real", "numbers.db"), filepath.Join(dir, "link.db")
		must(t, os.Mkdir(filepath.Dir(whole), 0o700))
		target := filepath.Join("real", "numbers.db")
		if chain == 2 {
			must(t, os.Symlink(target, filepath.Join(dir, "other.db")))
			target = "other.db"
		}
		must(t, os.Symlink(target, link))
		d := open(t, link, true)
		if got := d.Path(); got != whole {
			t.Errorf("it is at %s, want %s", got, whole)
		}
		adds(t, d, 1)
		must(t, d.Check())
		must(t, d.Close())
		d = open(t, link, true)
		if got := numbers(t, d); got != "1" {
			t.Errorf("it holds %s", got)
		}
		must(t, d.Close())
	}
	loop := filepath.Join(t.TempDir(), "loop")
	must(t, os.Symlink(loop, loop))
	if _, err := Open(t.Context(), loop, schemaOf(0), Options{}); err == nil {
		t.Error("a link to itself is opened")
	}
}

func TestADatabaseThatAnotherProgramHasLocked(t *testing.T) {
	t.Parallel()
	path := madeWith(t, t.TempDir(), 1)
	db := open(t, path, false).Writer()
	conn, err := db.Conn(t.Context())
	must(t, err)
	defer conn.Close()
	for _, query := range []string{"PRAGMA locking_mode=EXCLUSIVE", "BEGIN EXCLUSIVE", "DELETE FROM number WHERE n = 7", "COMMIT"} {
		_, err := conn.ExecContext(t.Context(), query)
		must(t, err)
	}
	_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	must(t, err)
	if _, err := Open(t.Context(), path, schemaOf(0), Options{Exclusive: true}); !errors.Is(err, ErrBusy) || !strings.HasPrefix(err.Error(), "is locked by another program") {
		t.Errorf("got %v", err)
	}
	_, err = conn.ExecContext(t.Context(), "ROLLBACK")
	must(t, err)
}
