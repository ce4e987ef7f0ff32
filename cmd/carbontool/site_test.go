// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestAStoreIsNeverMade(t *testing.T) {
	c := config.Default()
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.db")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other.db")
	if err := os.WriteFile(other, []byte("not a store"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, path, want string }{
		{"nothing is there", filepath.Join(dir, "none", "carbon.db"), "there is no such file"},
		{"an empty file", empty, "is empty"},
		{"another file", other, "is not a SQLite database"},
		{"a directory", dir, "is not a regular file"},
		{"a file for a directory", filepath.Join(other, "carbon.db"), "not a directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := site{storagePath: test.path}
			st, err := s.open(t.Context(), &c)
			if err == nil {
				st.Close()
			}
			if err == nil || !strings.HasPrefix(err.Error(), "open store") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("%v are left, %v", left, err)
	}
	if info, err := os.Stat(empty); err != nil || info.Size() != 0 {
		t.Errorf("the empty file was written, %v", err)
	}
}

// Without a configuration, what is read goes by the store's own intervals.
func TestAStoreOfOtherIntervalsIsReadAsItIs(t *testing.T) {
	t.Chdir(t.TempDir())
	st, err := store.Open(t.Context(), "quarters.db", store.Options{Interval: 15 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{
		"intervals", "report --from=2026-01-01", "export csv --from=2026-01-01", "export openmetrics --from=2026-01-01",
		"check store", "check store --config.file=carbon.yml", "backup copy.db", "backup other.db --config.file=carbon.yml",
	} {
		if got := call(append(strings.Fields(command), "--storage.path=quarters.db")...); got.code != exitDone {
			t.Errorf("%s: %+v", command, got)
		}
	}
}

// Days are those of the store where no configuration was named, from the first moment
// that it is one there, and so are the times that the clocks leave out.
func TestADayThatHasOnlyBegunWhereTheStoreIs(t *testing.T) {
	t.Chdir(t.TempDir())
	east := time.FixedZone("", 14*60*60)
	kiritimati, err := time.LoadLocation("Pacific/Kiritimati")
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), "east.db", store.Options{Interval: usage.SlotLength, Timezone: kiritimati})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	today := time.Now().In(east).Format(time.DateOnly)
	future := time.Now().In(east).Add(time.Hour).Format("2006-01-02T15:04")
	for _, c := range []struct {
		args string
		code int
	}{
		{"report --from=" + today, exitDone},
		{"export csv --from=" + today, exitDone},
		{"intervals --from=" + today, exitDone},
		{"report --from=2026-03-29T01:30 --to=2026-03-29T02:00", exitDone}, // not in London
		{"report --from=" + future, exitUsage},
		{"export csv --from=" + future, exitUsage},
		{"intervals --from=" + future, exitUsage},
		{"explain --project=x --ts=" + future, exitUsage},
	} {
		if got := call(append(strings.Fields(c.args), "--storage.path=east.db")...); got.code != c.code {
			t.Errorf("%s: %+v", c.args, got)
		}
	}
}

func TestTheConfigurationOfASite(t *testing.T) {
	t.Chdir(t.TempDir())
	s := site{configFile: "carbon.yml"}
	if c, err := s.config(); err != nil || time.Duration(c.Interval) != 30*time.Minute {
		t.Errorf("without a file: %v", err)
	}
	s.configGiven = true
	if _, err := s.config(); err == nil {
		t.Error("a file that was asked for and is not there is none")
	}
	s.configGiven = false
	if err := os.WriteFile("carbon.yml", []byte("interval: 1h\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := s.config(); err != nil || time.Duration(c.Interval) != time.Hour {
		t.Errorf("with a file: %v", err)
	}
}

// reading are the commands that only read the store.
var reading = []string{
	"report --from=2025-01-03 --to=2025-01-04 --scope=user --names",
	"explain --ts=2025-01-03T09:00 --project=CLF",
	"intervals --format=json",
	"export csv --from=2025-01-03 --to=2025-01-04",
	"export openmetrics --from=2025-01-03 --to=2025-01-04",
	"forecast",
}

// They answer while another program writes, without waiting for it, where nothing can be written, and
// although a page that they do not need is damaged.
func TestReadingAsksForNoMoreThanToRead(t *testing.T) {
	answers := func(s *newSite) (all []called) {
		for _, command := range reading {
			all = append(all, s.call(strings.Fields(command)...))
		}
		return all
	}
	for _, c := range []struct {
		name string
		do   func(t *testing.T, path string)
	}{
		{"another program writes", func(t *testing.T, path string) {
			db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
			if err != nil {
				t.Fatal(err)
			}
			tx, err := db.Begin()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec("DELETE FROM usage_fact"); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { tx.Rollback(); db.Close() })
		}},
		{"a carbon_exporter owns it", func(t *testing.T, path string) {
			st, err := store.Open(t.Context(), path, store.Options{Exclusive: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { st.Close() })
		}},
		{"nothing can be written", func(t *testing.T, path string) {
			// A directory in its place cannot be made a log, whoever asks.
			if err := errors.Join(os.RemoveAll(path+"-wal"), os.RemoveAll(path+"-shm"), os.Mkdir(path+"-wal", 0o700), os.Chmod(path, 0o400)); err != nil {
				t.Fatal(err)
			}
		}},
		{"what they do not ask for is damaged", func(t *testing.T, path string) {
			db, err := sql.Open("sqlite", "file:"+path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			var page, size int64
			if err := db.QueryRow("SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_schema WHERE name = 'map_project_machine'").Scan(&page, &size); err != nil {
				t.Fatal(err)
			}
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.WriteAt(bytes.Repeat([]byte{0xa5}, int(size)), (page-1)*size)
			if err := errors.Join(err, f.Close()); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := ledger(t)
			want := answers(s)
			for i, w := range want {
				// There are no slots to forecast from; so the store says.
				if forecast := strings.HasPrefix(reading[i], "forecast"); w.code != exitDone && !forecast {
					t.Errorf("%s: %+v", reading[i], w)
				}
			}
			c.do(t, s.store)
			for i, got := range answers(s) {
				if got != want[i] {
					t.Errorf("%s: %+v, want %+v", reading[i], got, want[i])
				}
			}
		})
	}
}

func TestReadingAnOlderStoreSaysWhatToDo(t *testing.T) {
	s := ledger(t)
	db, err := sql.Open("sqlite", "file:"+s.store)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA user_version=6"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(s.store)
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range reading {
		got := s.call(strings.Fields(command)...)
		if got.code != exitFailed || !strings.Contains(got.stderr, "has schema 6, but this program reads schema 15: start carbon_exporter once to migrate it\n") {
			t.Errorf("%s: %+v", command, got)
		}
	}
	if after, err := os.ReadFile(s.store); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the store was changed, %v", err)
	}
}
