// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package sqlite

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// otherNames are ways to call one file by two names.
var otherNames = []struct {
	name string
	call func(t *testing.T, path string) string
	// beside: both names are in one directory of files, so that programs that share
	// the file agree on its log.
	beside bool
}{
	{name: "the same path", beside: true, call: func(_ *testing.T, path string) string { return path }},
	{name: "a relative path", beside: true, call: func(t *testing.T, path string) string {
		dir, err := os.Getwd()
		must(t, err)
		rel, err := filepath.Rel(dir, path)
		must(t, err)
		return rel
	}},
	{name: "a symbolic link to it", beside: true, call: func(t *testing.T, path string) string {
		link := filepath.Join(t.TempDir(), "link.db")
		must(t, os.Symlink(path, link))
		return link
	}},
	{name: "a symbolic link to its directory", beside: true, call: func(t *testing.T, path string) string {
		link := filepath.Join(t.TempDir(), "data")
		must(t, os.Symlink(filepath.Dir(path), link))
		return filepath.Join(link, filepath.Base(path))
	}},
	{name: "a hard link beside it", call: func(t *testing.T, path string) string {
		must(t, os.Link(path, path+".again"))
		return path + ".again"
	}},
	{name: "a hard link of the same name elsewhere", call: func(t *testing.T, path string) string {
		link := filepath.Join(filepath.Dir(path), "elsewhere", filepath.Base(path))
		must(t, os.Mkdir(filepath.Dir(link), 0o750))
		must(t, os.Link(path, link))
		return link
	}},
	// Where nothing may be mounted, a link has to stand for it.
	{name: "a mount of it", call: func(t *testing.T, path string) string {
		other := filepath.Join(filepath.Dir(path), "mounted.db")
		must(t, os.WriteFile(other, nil, 0o640))
		if exec.Command("mount", "--bind", path, other).Run() == nil {
			t.Cleanup(func() { exec.Command("umount", other).Run() })
			return other
		}
		must(t, os.Remove(other))
		must(t, os.Link(path, other))
		return other
	}},
	{name: "a mount of its directory", beside: true, call: func(t *testing.T, path string) string {
		other := t.TempDir()
		if exec.Command("mount", "--bind", filepath.Dir(path), other).Run() == nil {
			t.Cleanup(func() { exec.Command("umount", other).Run() })
			return filepath.Join(other, filepath.Base(path))
		}
		return path
	}},
}

func TestTwoProcessesNeverOwnOneFile(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("elsewhere a name may have to stand for the file")
	}
	for _, c := range otherNames {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := madeWith(t, t.TempDir(), 1, 2)
			other := c.call(t, path)
			_, letGo := holding(t, path)
			said, ok := says(t, "own", other)
			if ok || !strings.HasPrefix(said, "is in use by another counter") {
				t.Errorf("a second owner: %q, %v", said, ok)
			}
			// In the same process, too.
			d, err := Open(t.Context(), other, schemaOf(0), Options{Exclusive: true})
			if err == nil {
				d.Close()
				t.Error("a second owner in another process")
			}
			// Who works beside it must go by a name that has the same log.
			for _, what := range []string{"add", "read"} {
				said, ok = says(t, what, other)
				if c.beside && !ok {
					t.Errorf("%s: %q", what, said)
				}
				if !c.beside && (ok || !strings.Contains(said, "is in use by a running counter under another name")) {
					t.Errorf("%s by a name with another log: %q, %v", what, said, ok)
				}
			}
			letGo()
			if said, ok := says(t, "own", other); !ok {
				t.Errorf("the owner is gone, and another is refused: %q", said)
			}
		})
	}
}

func TestAnOwnerThatIsKilledHoldsNothing(t *testing.T) {
	path := madeWith(t, t.TempDir(), 1)
	kill, _ := holding(t, path)
	kill()
	if said, ok := says(t, "own", path); !ok {
		t.Error(said)
	}
	if got := numbers(t, open(t, path, true)); got != "1 7" {
		t.Errorf("it holds %s", got)
	}
}

// The descriptor by which the file is locked must not drop SQLite's own locks:
// another process would take itself for the last to close, and delete the log.
func TestTheLockLeavesThoseOfSQLite(t *testing.T) {
	path := madeWith(t, t.TempDir(), 1)
	d := open(t, path, true)
	adds(t, d, 2)
	must(t, d.Check())
	if _, err := d.SizeBytes(); err != nil {
		t.Fatal(err)
	}
	if said, ok := says(t, "ask for SQLite's lock", path); said != "is held" || !ok {
		t.Errorf("the lock that SQLite holds while it uses a log: %s", said)
	}
	if said, ok := says(t, "add", path); !ok {
		t.Fatal(said)
	}
	adds(t, d, 3)
	if got := numbers(t, d); got != "1 2 3 9" {
		t.Errorf("it holds %s", got)
	}
	must(t, d.Close())
	if said, ok := says(t, "ask for SQLite's lock", path); said != "is free" || !ok {
		t.Errorf("after the end: %s", said)
	}
}
