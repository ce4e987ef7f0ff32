// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// aStore is the path of a closed store with some intervals.
func aStore(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "carbon.db")
	s := openStore(t, path, Options{Interval: half})
	for n := range 20 {
		commit(t, s, withPrice(threeKeys(at(n)), 200, usage.Provisional))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func database(t *testing.T, path string, queries ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	for _, query := range queries {
		execute(t, db, query)
	}
	return db
}

func change(t *testing.T, path string, f func(b []byte) []byte) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, f(b), 0o640); err != nil {
		t.Fatal(err)
	}
	return path
}

// hash is that of a file and of its write-ahead log, which is part of it.
func hash(t *testing.T, path string) string {
	t.Helper()
	var all []byte
	for _, name := range []string{path, path + "-wal"} {
		b, err := os.ReadFile(name)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return fmt.Sprintf("%x", sha256.Sum256(all))
}

func TestWhatCannotBeOpened(t *testing.T) {
	const page = 4096
	for _, c := range []struct {
		name string
		make func(t *testing.T) string
		want string
	}{
		{"garbage", func(t *testing.T) string {
			return change(t, newFile(t, filepath.Join(t.TempDir(), "carbon.db")), func([]byte) []byte { return []byte("interval: 30m\nlookback: 24h\n") })
		}, "is not a SQLite database; nothing was changed"},
		{"a few bytes", func(t *testing.T) string {
			return change(t, newFile(t, filepath.Join(t.TempDir(), "carbon.db")), func([]byte) []byte { return []byte("SQLite") })
		}, "is not a SQLite database; nothing was changed"},
		{"read-only", func(t *testing.T) string {
			path := aStore(t)
			if err := os.Chmod(path, 0o444); err != nil {
				t.Fatal(err)
			}
			return path
		}, "is read-only (mode -r--r--r--); the exporter must be able to write it"},
		{"a directory", func(t *testing.T) string { return t.TempDir() }, "is not a regular file"},
		{"truncated", func(t *testing.T) string {
			return change(t, aStore(t), func(b []byte) []byte { return b[:len(b)/2/page*page] })
		}, "is damaged"},
		{"truncated inside a page", func(t *testing.T) string {
			return change(t, aStore(t), func(b []byte) []byte { return b[:len(b)-page-100] })
		}, "is damaged"},
		{"truncated inside its header", func(t *testing.T) string {
			return change(t, aStore(t), func(b []byte) []byte { return b[:60] })
		}, "is damaged"},
		{"its first page only", func(t *testing.T) string {
			return change(t, aStore(t), func(b []byte) []byte { return b[:page] })
		}, "is damaged"},
		{"a page in the middle overwritten", func(t *testing.T) string {
			return change(t, aStore(t), func(b []byte) []byte {
				copy(b[len(b)/2/page*page:], strings.Repeat("\xa5", page))
				return b
			})
		}, "is damaged"},
		{"another program's database", func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "grafana.db")
			database(t, path, "CREATE TABLE dashboard(id)", "INSERT INTO dashboard VALUES (1)").Close()
			return path
		}, "is a SQLite database of another program; nothing was changed"},
		{"another program's, marked and without tables", func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "other.gpkg")
			database(t, path, "PRAGMA application_id=1196444487").Close()
			return path
		}, "is a SQLite database of another program; nothing was changed"},
		{"another program's that crashed and left its log", func(t *testing.T) string {
			path, copied := filepath.Join(t.TempDir(), "other.db"), filepath.Join(t.TempDir(), "copied.db")
			database(t, path, "PRAGMA journal_mode=WAL", "CREATE TABLE t(x)", "INSERT INTO t VALUES (1)")
			for _, suffix := range []string{"", "-wal"} {
				b, err := os.ReadFile(path + suffix)
				if err != nil {
					t.Fatal(err)
				}
				change(t, newFile(t, copied+suffix), func([]byte) []byte { return b })
			}
			return copied
		}, "is a SQLite database of another program; nothing was changed"},
		{"a newer store", func(t *testing.T) string {
			path := aStore(t)
			database(t, path, "PRAGMA user_version=99").Close()
			return path
		}, "was written by a newer carbon_exporter (schema 99, this program knows "},
		{"a version that nobody writes", func(t *testing.T) string {
			path := aStore(t)
			database(t, path, "PRAGMA user_version=-1").Close()
			return path
		}, "has schema -1, which no carbon_exporter writes; nothing was changed"},
		{"a store of hours", func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "carbon.db")
			openStore(t, path, Options{Interval: time.Hour}).Close()
			return path
		}, "has intervals of 1h0m0s, but the configuration says interval: 30m0s; use another --storage.path for the new interval"},
		{"a second exporter", func(t *testing.T) string {
			path := aStore(t)
			openStore(t, path, Options{Exclusive: true})
			return path
		}, "is in use by another carbon_exporter; give each its own --storage.path"},
		{"a second exporter, through a link", func(t *testing.T) string {
			path, link := aStore(t), filepath.Join(t.TempDir(), "link.db")
			openStore(t, path, Options{Exclusive: true})
			if err := os.Symlink(path, link); err != nil {
				t.Fatal(err)
			}
			return link
		}, "is in use by another carbon_exporter; give each its own --storage.path"},
		{"a second exporter, through a hard link", func(t *testing.T) string {
			path := aStore(t)
			openStore(t, path, Options{Exclusive: true})
			if err := os.Link(path, path+".link"); err != nil {
				t.Fatal(err)
			}
			return path + ".link"
		}, "is in use by another carbon_exporter under another name (a hard link or a mount); give each its own --storage.path"},
		{"another store's log", func(t *testing.T) string {
			path, running := aStore(t), openStore(t, aStore(t), Options{Exclusive: true})
			commit(t, running, threeKeys(at(1)))
			copyFile(t, running.path+"-wal", path+"-wal")
			return path
		}, "that was not written for it: move it away"},
		{"a link to nowhere", func(t *testing.T) string {
			link := filepath.Join(t.TempDir(), "link.db")
			if err := os.Symlink(filepath.Join(t.TempDir(), "gone", "carbon.db"), link); err != nil {
				t.Fatal(err)
			}
			return link
		}, "no such file or directory"},
		{"a directory that cannot be made", func(t *testing.T) string {
			return filepath.Join(newFile(t, filepath.Join(t.TempDir(), "file")), "below", "carbon.db")
		}, "not a directory"},
		{"locked by another program", func(t *testing.T) string {
			path := aStore(t)
			db := database(t, path, "BEGIN EXCLUSIVE")
			t.Cleanup(func() { execute(t, db, "ROLLBACK") })
			return path
		}, "is locked by another program"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := c.make(t)
			before := ""
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				before = hash(t, path)
			}
			s, err := Open(context.Background(), path, Options{Exclusive: true, Interval: half})
			if err == nil {
				s.Close()
				t.Fatal("was opened")
			}
			if text := err.Error(); !strings.HasPrefix(text, "open store "+path+": ") || !strings.Contains(text, c.want) || strings.Contains(text, "\n") {
				t.Errorf("says %q, want one line with %q", text, c.want)
			}
			if before != "" && hash(t, path) != before {
				t.Error("was changed")
			}
		})
	}
}

func TestWhatIsANewStore(t *testing.T) {
	for _, c := range []struct{ name, path string }{
		{"no file", filepath.Join(t.TempDir(), "carbon.db")},
		{"no directory", filepath.Join(t.TempDir(), "a", "b", "carbon.db")},
		{"a file of no length", newFile(t, filepath.Join(t.TempDir(), "carbon.db"))},
		{"a name with odd letters", filepath.Join(t.TempDir(), "50% off? #1 ö.db")},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := c.path
			s := openStore(t, path, Options{Exclusive: true, Interval: half})
			commit(t, s, threeKeys(at(1)))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if size, err := s.SizeBytes(); err != nil || size == 0 {
				t.Errorf("%d bytes, %v", size, err)
			}
			if again := openStore(t, path, Options{Exclusive: true, Interval: half}); len(summary(t, again).Totals) != 3 {
				t.Error("what was committed is not there")
			}
		})
	}
}

func TestAStoreWhoseMakingWasCutShort(t *testing.T) {
	dir := t.TempDir()
	half, path := filepath.Join(dir, "half.db"), filepath.Join(dir, "carbon.db")
	// A cache of one page makes SQLite write into the file before it commits.
	database(t, half, "CREATE TABLE a(x)", "DROP TABLE a", "PRAGMA cache_size=1", "BEGIN", "CREATE TABLE dim_group(x)",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) INSERT INTO dim_group SELECT randomblob(3000) FROM n")
	for _, suffix := range []string{"", "-journal"} {
		b, err := os.ReadFile(half + suffix)
		if err != nil || len(b) == 0 {
			t.Fatalf("%s: %d bytes, %v", half+suffix, len(b), err)
		}
		change(t, newFile(t, path+suffix), func([]byte) []byte { return b })
	}
	s := openStore(t, path, Options{Exclusive: true, Interval: usage.SlotLength})
	commit(t, s, threeKeys(at(1)))
	holdTotals(t, s)
}

func TestTheLockEndsWithTheStore(t *testing.T) {
	path := aStore(t)
	for range 3 {
		s := openStore(t, path, Options{Exclusive: true, Interval: half})
		if beside := openStore(t, path, Options{}); len(summary(t, beside).Totals) != 3 {
			t.Error("a program beside the exporter sees something else")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnOlderStoreIsMigrated(t *testing.T) {
	all, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	for have := range all {
		path := filepath.Join(t.TempDir(), "carbon.db")
		queries := []string{"BEGIN"}
		for _, m := range all[:have] {
			queries = append(queries, m.SQL)
		}
		if have > 0 {
			queries = append(queries, fmt.Sprintf("PRAGMA application_id=%d", applicationID), fmt.Sprintf("PRAGMA user_version=%d", have),
				"INSERT INTO dim_project(cloud_project_name) VALUES ('kept')")
		}
		database(t, path, append(queries, "COMMIT")...).Close()
		s := openStore(t, path, Options{Exclusive: true, Interval: half})
		if version := readRows(t, s.reader, "PRAGMA user_version")[0][0]; version != int64(len(all)) {
			t.Errorf("from schema %d to %v, want %d", have, version, len(all))
		}
		if n := len(readRows(t, s.reader, "SELECT 1 FROM schema_migration")); n != len(all)-have {
			t.Errorf("from schema %d: %d migrations noted, want %d", have, n, len(all)-have)
		}
		if n := len(readRows(t, s.reader, "SELECT 1 FROM dim_project")); n != min(have, 1) {
			t.Errorf("from schema %d: %d projects", have, n)
		}
		commit(t, s, threeKeys(at(1)))
	}
}
