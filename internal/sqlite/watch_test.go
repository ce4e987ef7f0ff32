// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// contents is every file of a directory and what is in it.
func contents(tb testing.TB, dir string) string {
	tb.Helper()
	entries, err := os.ReadDir(dir)
	must(tb, err)
	var all []string
	for _, e := range entries {
		if e.IsDir() || strings.HasSuffix(e.Name(), "-shm") || strings.HasSuffix(e.Name(), pairSuffix) {
			continue // what processes share, and what they note
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		must(tb, err)
		if len(b) == 0 && strings.HasSuffix(e.Name(), "-wal") {
			continue // whoever looks leaves one
		}
		all = append(all, fmt.Sprintf("%s %d %x", e.Name(), len(b), sha256.Sum256(b)))
	}
	return strings.Join(all, "\n")
}

// ends are ways to lose a file under a program, and what is to be said of each. After
// some, the program's own file is still where it was.
var ends = []struct {
	name string
	do   func(t *testing.T, path, other string)
	want string
	kept bool // the file is still there under its name, and all is in it at the end
}{
	{name: "deleted", want: "was deleted or moved", do: func(t *testing.T, path, _ string) { must(t, os.Remove(path)) }},
	{name: "deleted with its log", want: "was deleted or moved", do: func(t *testing.T, path, _ string) {
		for _, suffix := range suffixes {
			must(t, os.Remove(path+suffix))
		}
	}},
	{name: "renamed", want: "was deleted or moved", do: func(t *testing.T, path, _ string) { must(t, os.Rename(path, path+".old")) }},
	{name: "its directory renamed", want: "was deleted or moved", do: func(t *testing.T, path, _ string) {
		must(t, os.Rename(filepath.Dir(path), filepath.Dir(path)+".old"))
	}},
	{name: "replaced by a copy of it", want: "was replaced", do: func(t *testing.T, path, _ string) {
		copyFile(t, path, path+".copy")
		must(t, os.Rename(path+".copy", path))
	}},
	{name: "replaced by another", want: "was replaced", do: func(t *testing.T, path, other string) { must(t, os.Rename(other, path)) }},
	{name: "replaced by a link to another", want: "was replaced", do: func(t *testing.T, path, other string) {
		must(t, os.Remove(path))
		must(t, os.Symlink(other, path))
	}},
	{name: "replaced by a directory", want: "was replaced", do: func(t *testing.T, path, _ string) {
		must(t, os.Remove(path))
		must(t, os.Mkdir(path, 0o750))
	}},
	{name: "emptied", want: "was truncated", do: func(t *testing.T, path, _ string) { must(t, os.Truncate(path, 0)) }},
	{name: "cut in the middle", want: "was truncated", do: func(t *testing.T, path, _ string) {
		info, err := os.Stat(path)
		must(t, err)
		must(t, os.Truncate(path, info.Size()/2/4096*4096))
	}},
	{name: "overwritten with garbage", want: "was overwritten", do: func(t *testing.T, path, _ string) {
		must(t, os.WriteFile(path, []byte(strings.Repeat("garbage ", 4096)), 0o640))
	}},
	{name: "overwritten with another", want: "was overwritten", do: func(t *testing.T, path, other string) { copyFile(t, other, path) }},
	{name: "overwritten with another that was written to more often", want: "was overwritten", do: func(t *testing.T, path, other string) {
		for n := range 5 { // each opening counts
			d := open(t, other, true)
			must(t, add(d, 200+n, 100_000))
			must(t, d.Close())
		}
		mine, err := os.ReadFile(path)
		must(t, err)
		theirs, err := os.ReadFile(other)
		must(t, err)
		if binary.BigEndian.Uint32(mine[24:]) >= binary.BigEndian.Uint32(theirs[24:]) || len(mine) >= len(theirs) {
			t.Fatal("it was not")
		}
		copyFile(t, other, path)
	}},
	{name: "moved, and a link in its place", want: "was replaced", do: func(t *testing.T, path, _ string) {
		must(t, os.Rename(path, path+".moved"))
		must(t, os.Symlink(path+".moved", path))
	}},
	{name: "its log emptied", want: "has lost what was in ", do: func(t *testing.T, path, _ string) { must(t, os.Truncate(path+"-wal", 0)) }},
	{name: "its log cut short", want: "has lost what was in ", do: func(t *testing.T, path, _ string) {
		info, err := os.Stat(path + "-wal")
		must(t, err)
		must(t, os.Truncate(path+"-wal", info.Size()-1))
	}},
	{name: "its log overwritten", want: "has lost what was in ", do: func(t *testing.T, path, _ string) {
		must(t, os.WriteFile(path+"-wal", []byte(strings.Repeat("garbage ", 20_000)), 0o640))
	}},
	{name: "its shared memory emptied", want: "has lost what was in ", do: func(t *testing.T, path, _ string) { must(t, os.Truncate(path+"-shm", 0)) }},
	{name: "made unreadable", want: "was made unreadable (mode ----------)", kept: true, do: func(t *testing.T, path, _ string) { must(t, os.Chmod(path, 0)) }},
	{name: "its log deleted", want: "has lost its ", kept: true, do: func(t *testing.T, path, _ string) { must(t, os.Remove(path+"-wal")) }},
	{name: "its log replaced by nothing", want: "has lost its ", kept: true, do: func(t *testing.T, path, _ string) {
		must(t, os.Remove(path+"-wal"))
		must(t, os.WriteFile(path+"-wal", nil, 0o640))
	}},
	{name: "its log renamed", want: "has lost its ", kept: true, do: func(t *testing.T, path, _ string) { must(t, os.Rename(path+"-wal", path+"-wal.old")) }},
	{name: "its shared memory deleted", want: "has lost its ", kept: true, do: func(t *testing.T, path, _ string) { must(t, os.Remove(path+"-shm")) }},
}

func TestAFileThatIsLostUnderAProgram(t *testing.T) {
	for _, c := range ends {
		for _, found := range []string{"at a write", "at the end"} {
			t.Run(c.name+", found "+found, func(t *testing.T) {
				t.Parallel()
				dir, other := filepath.Join(t.TempDir(), "data"), madeWith(t, t.TempDir(), 100, 101)
				must(t, os.Mkdir(dir, 0o750))
				d := open(t, madeWith(t, dir, 1, 2), true)
				must(t, add(d, 3, 20_000)) // some pages
				adds(t, d, 4, 5)
				must(t, d.Check())
				adds(t, d, 8) // without another look
				path := d.Path()
				c.do(t, path, other)
				if _, err := os.Stat(dir); err != nil {
					dir += ".old"
				}
				before := contents(t, dir)
				if found == "at a write" {
					for range 2 {
						err := add(d, 6, 100)
						if !errors.Is(err, ErrGone) || !strings.HasPrefix(err.Error(), path+" "+c.want) || strings.Contains(err.Error(), "\n") {
							t.Errorf("a write says %v", err)
						}
					}
					select {
					case <-d.Gone():
					default:
						t.Error("nobody is told")
					}
					if got := contents(t, dir); got != before {
						t.Errorf("after a write there is\n%s\nthere was\n%s", got, before)
					}
				}
				if err := d.Close(); !errors.Is(err, ErrGone) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("the end says %v", err)
				}
				if c.kept {
					must(t, os.Chmod(path, 0o640))
					if got := numbers(t, open(t, path, true)); got != "1 2 3 4 5 8" {
						t.Errorf("at the next start it holds %s", got)
					}
				} else if got := contents(t, dir); got != before {
					t.Errorf("at the end there is\n%s\nthere was\n%s", got, before)
				}
			})
		}
	}
}

// A page that makes no sense ends it, too: the next start would refuse the file.
func TestAFileThatIsDamagedUnderAProgram(t *testing.T) {
	d := open(t, madeWith(t, t.TempDir(), 1), true)
	must(t, add(d, 2, 50_000))
	adds(t, d, 3)
	_, err := d.Writer().Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	must(t, err)
	f, err := os.OpenFile(d.Path(), os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt(make([]byte, 1<<20), 4096) // all pages but the first
	must(t, err)
	must(t, d.Check())
	before := contents(t, filepath.Dir(d.Path()))
	read := func() error {
		return d.Read(t.Context(), func(tx *Tx) error {
			var n int
			return tx.QueryRow("SELECT total(n) FROM number").Scan(&n)
		})
	}
	for range 2 {
		if err := read(); !errors.Is(err, ErrGone) || !strings.HasPrefix(err.Error(), d.Path()+" was damaged while it was in use") {
			t.Errorf("a reader: %v", err)
		}
	}
	if err := add(d, 4, 1); !errors.Is(err, ErrGone) {
		t.Errorf("a writer: %v", err)
	}
	select {
	case <-d.Gone():
	default:
		t.Error("nobody is told")
	}
	if err := d.Close(); !errors.Is(err, ErrGone) {
		t.Errorf("the end says %v", err)
	}
	if after := contents(t, filepath.Dir(d.Path())); after != before {
		t.Errorf("there is\n%s\nthere was\n%s", after, before)
	}
}

// Whoever moved the file away by mistake puts it back, and nothing is lost.
func TestAFileThatIsPutBack(t *testing.T) {
	for _, when := range []string{"before the end", "after it"} {
		t.Run(when, func(t *testing.T) {
			d := open(t, madeWith(t, t.TempDir(), 1), true)
			adds(t, d, 2, 3)
			path := d.Path()
			must(t, os.Rename(path, path+".moved"))
			if err := add(d, 4, 100); !errors.Is(err, ErrGone) {
				t.Fatalf("got %v", err)
			}
			back := func() { must(t, os.Rename(path+".moved", path)) }
			if when == "before the end" {
				back()
			}
			if err := add(d, 4, 100); !errors.Is(err, ErrGone) {
				t.Errorf("it goes on writing: %v", err)
			}
			if err := d.Close(); !errors.Is(err, ErrGone) {
				t.Errorf("got %v", err)
			}
			if when == "after it" {
				if _, err := Open(t.Context(), path, schemaOf(0), Options{}); err == nil || !strings.Contains(err.Error(), "put the file back beside it") {
					t.Errorf("without it: %v", err)
				}
				if _, err := os.Stat(path); err == nil {
					t.Error("a new one was made")
				}
				back()
			}
			if got := numbers(t, open(t, path, true)); got != "1 2 3" {
				t.Errorf("it holds %s", got)
			}
		})
	}
}

// What other programs of ours do to the file, and what happens to it meanwhile, is no
// fault.
func TestAFileThatOthersUse(t *testing.T) {
	path := madeWith(t, t.TempDir(), 1)
	d := open(t, path, true)
	for _, c := range []struct {
		name string
		do   func()
	}{
		{"another writes", func() { says(t, "add", path) }},
		{"it grows by far", func() { must(t, add(d, 10, 9_000_000)) }},
		{"it shrinks by far", func() {
			_, err := d.Writer().Exec("DELETE FROM number WHERE n = 10")
			must(t, err)
			tool := open(t, path, false)
			db, err := tool.Connect("busy_timeout(5000)")
			must(t, err)
			defer db.Close()
			for _, query := range []string{"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
				_, err = db.Exec(query)
				must(t, err)
			}
		}},
		{"another reads", func() { says(t, "read", path) }},
		{"it is copied", func() { copyFile(t, path, path+".copy") }},
		{"it gets another name", func() { must(t, os.Link(path, path+".link")) }},
		{"it gets other permissions", func() { must(t, os.Chmod(path, 0o400)) }},
	} {
		c.do()
		if err := d.Check(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
	}
	adds(t, d, 11)
	must(t, d.Close())
}

func TestOtherConnectionsAreRefusedWhenTheFileIsGone(t *testing.T) {
	d := open(t, madeWith(t, t.TempDir(), 1), true)
	other := madeWith(t, t.TempDir(), 100)
	must(t, os.Rename(other, d.Path()))
	if err := d.Reader().PingContext(context.Background()); !errors.Is(err, ErrGone) {
		t.Errorf("a reader: %v", err)
	}
	if _, err := d.Reader().Exec("SELECT 1"); !errors.Is(err, ErrGone) {
		t.Errorf("a reader: %v", err)
	}
	if db, err := d.Connect(); err == nil {
		if err := db.PingContext(context.Background()); !errors.Is(err, ErrGone) {
			t.Errorf("a writer: %v", err)
		}
	}
}

// A connection that goes on from its own page counts no further when it rewrites the
// file, and that is no fault either.
func TestAFileThatIsRewrittenByWhoWroteItLast(t *testing.T) {
	path := madeWith(t, t.TempDir(), 1)
	d, tool := open(t, path, true), open(t, path, false)
	db, err := tool.Connect("busy_timeout(5000)")
	must(t, err)
	defer db.Close()
	for _, query := range []string{
		"INSERT INTO number VALUES (2, zeroblob(50000))", "PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)",
		"DELETE FROM number WHERE n = 2", "PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)",
	} {
		_, err := db.Exec(query)
		must(t, err)
		if err := d.Check(); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	adds(t, d, 3)
	must(t, db.Close())
	must(t, tool.Close())
	must(t, d.Close())
	if got := numbers(t, open(t, path, true)); got != "1 3" {
		t.Errorf("it holds %s", got)
	}
}
