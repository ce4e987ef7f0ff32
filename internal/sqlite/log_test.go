// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package sqlite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// killed is the path of a database whose log holds a 7 that the file does not have.
func killed(t *testing.T, dir string, n ...int) string {
	t.Helper()
	path := madeWith(t, dir, n...)
	kill, _ := holding(t, path)
	kill()
	if !hasLog(path) {
		t.Fatal("there is no log")
	}
	return path
}

func TestALogIsOnlyLaidOverItsOwnFile(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, path string) (now string)
		want string // of the error; none: it holds
		have string
	}{
		{name: "as it was left", do: func(_ *testing.T, path string) string { return path }, have: "1 2 7"},
		{name: "under a file that was put in its place", want: "is not the file that ", do: func(t *testing.T, path string) string {
			must(t, os.Rename(madeWith(t, t.TempDir(), 50), path))
			return path
		}},
		{name: "under a copy that was put in its place", want: "is not the file that ", do: func(t *testing.T, path string) string {
			copyFile(t, path, path+".copy")
			must(t, os.Rename(path+".copy", path))
			return path
		}},
		{name: "under a file that was deleted and made anew", want: "is not the file that ", do: func(t *testing.T, path string) string {
			other := madeWith(t, t.TempDir(), 50)
			must(t, os.Remove(path))
			copyFile(t, other, path)
			return path
		}},
		{name: "under its file, overwritten with another", want: "no longer matches it", do: func(t *testing.T, path string) string {
			copyFile(t, madeWith(t, t.TempDir(), 50), path)
			return path
		}},
		{name: "under its file, overwritten with a copy that was made of it", want: "no longer matches it", do: func(t *testing.T, path string) string {
			source := madeWith(t, t.TempDir(), 50)
			for range 3 {
				must(t, open(t, source, true).Close())
			}
			reading, err := OpenToRead(t.Context(), source, schemaOf(0), false)
			must(t, err)
			target := filepath.Join(t.TempDir(), "copy.db")
			must(t, os.WriteFile(target, nil, 0o600))
			must(t, reading.CopyTo(t.Context(), target, nil))
			must(t, reading.Close())
			copyFile(t, target, path)
			return path
		}},
		{name: "without its file", want: "there is no such file, but ", do: func(t *testing.T, path string) string {
			must(t, os.Remove(path))
			return path
		}},
		{name: "with its file emptied", want: "is empty, but ", do: func(t *testing.T, path string) string {
			must(t, os.Truncate(path, 0))
			return path
		}},
		{name: "beside another file", want: "that was not written for it", do: func(t *testing.T, path string) string {
			other := madeWith(t, t.TempDir(), 50)
			copyFile(t, path+"-wal", other+"-wal")
			return other
		}},
		{name: "moved beside another file", want: "that was not written for it", do: func(t *testing.T, path string) string {
			other := madeWith(t, t.TempDir(), 50)
			must(t, os.Rename(path+"-wal", other+"-wal"))
			return other
		}},
		{name: "moved with its file", have: "1 2 7", do: func(t *testing.T, path string) string {
			to := filepath.Join(t.TempDir(), "moved.db")
			for _, suffix := range []string{"", "-wal", pairSuffix} {
				must(t, os.Rename(path+suffix, to+suffix))
			}
			return to
		}},
		{name: "copied with its file", have: "1 2 7", do: func(t *testing.T, path string) string {
			to := filepath.Join(t.TempDir(), "copied.db")
			for _, suffix := range []string{"", "-wal", pairSuffix} {
				copyFile(t, path+suffix, to+suffix)
			}
			return to
		}},
		{name: "copied with its file alone", have: "1 2 7", do: func(t *testing.T, path string) string {
			to := filepath.Join(t.TempDir(), "copied.db")
			copyFile(t, path, to)
			copyFile(t, path+"-wal", to+"-wal")
			return to
		}},
		{name: "and what was noted is gone", have: "1 2 7", do: func(t *testing.T, path string) string {
			must(t, os.Remove(path+pairSuffix))
			return path
		}},
		{name: "and what was noted is cut short", have: "1 2 7", do: func(t *testing.T, path string) string {
			must(t, os.Truncate(path+pairSuffix, 12))
			return path
		}},
		{name: "gone, under another file", have: "50", do: func(t *testing.T, path string) string {
			must(t, os.Rename(madeWith(t, t.TempDir(), 50), path))
			must(t, os.Remove(path+"-wal"))
			return path
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := c.do(t, killed(t, t.TempDir(), 1, 2))
			if c.want == "" {
				reading, err := OpenToRead(t.Context(), path, schemaOf(0), false)
				must(t, err)
				defer reading.Close()
				if got := numbers(t, reading); got != c.have {
					t.Errorf("read, it holds %s, want %s", got, c.have)
				}
				if got := numbers(t, open(t, path, true)); got != c.have {
					t.Errorf("it holds %s, want %s", got, c.have)
				}
				return
			}
			before := contents(t, filepath.Dir(path))
			for _, exclusive := range []bool{true, false} {
				d, err := Open(t.Context(), path, schemaOf(0), Options{Exclusive: exclusive})
				if err == nil {
					t.Fatalf("it is opened, and holds %s", numbers(t, d))
				}
				if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("got %v, want %s", err, c.want)
				}
			}
			if d, err := OpenToRead(t.Context(), path, schemaOf(0), false); err == nil {
				t.Errorf("it is read, and holds %s", numbers(t, d))
			}
			if after := contents(t, filepath.Dir(path)); after != before {
				t.Errorf("there is\n%s\nthere was\n%s", after, before)
			}
			// What the message says helps.
			must(t, os.Rename(path+"-wal", path+"-wal.away"))
			if c.name != "without its file" && c.name != "with its file emptied" {
				if got := numbers(t, open(t, path, true)); got != "50" && got != "1 2" {
					t.Errorf("without the log it holds %s", got)
				}
			}
		})
	}
}

// A log is noted before there is anything in it, whoever writes: a kill leaves no
// log that its own file would be refused with.
func TestALogOfAToolIsNoted(t *testing.T) {
	path := madeWith(t, t.TempDir(), 1)
	for range 3 {
		tool := open(t, path, false)
		adds(t, tool, 2)
		if noted, ok := readPair(path); !ok {
			t.Fatal("nothing is noted")
		} else if present, err := presentPair(path, tool.guard.file); err != nil || noted != present {
			t.Errorf("noted is %+v, it is %+v, %v", noted, present, err)
		}
		_, err := tool.Writer().Exec("DELETE FROM number WHERE n = 2")
		must(t, err)
		must(t, tool.Close())
	}
}

// A file that was overwritten under a running program has its log refused, though it
// is the same file.
func TestALogNoLongerFits(t *testing.T) {
	d := open(t, madeWith(t, t.TempDir(), 1), true)
	adds(t, d, 2)
	copyFile(t, madeWith(t, t.TempDir(), 50), d.Path())
	if err := d.Close(); err == nil {
		t.Fatal("it is not noticed")
	}
	if _, err := Open(t.Context(), d.Path(), schemaOf(0), Options{}); err == nil || !strings.Contains(err.Error(), "no longer matches it") {
		t.Errorf("got %v", err)
	}
	must(t, os.Rename(d.Path()+"-wal", d.Path()+"-wal.away"))
	must(t, os.Remove(d.Path()+"-shm"))
	if got, ok := says(t, "read", d.Path()); got != "50" || !ok {
		t.Errorf("without it: %s", got)
	}
}
