// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"bytes"
	"database/sql"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/store"
)

// The store's file is lost under the running program: it ends, says so once, and
// leaves what is there as it is.
func TestAStoreThatIsLost(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, path string)
		want string
	}{
		{"deleted", func(_ *testing.T, path string) { os.Remove(path) }, " was deleted or moved"},
		{"renamed", func(_ *testing.T, path string) { os.Rename(path, path+".old") }, " was deleted or moved"},
		{"replaced", func(t *testing.T, path string) {
			write(t, path+".new", strings.Repeat("precious", 1000))
			os.Rename(path+".new", path)
		}, " was replaced by another file"},
		{"emptied", func(_ *testing.T, path string) { os.Truncate(path, 0) }, " was truncated"},
		{"overwritten", func(t *testing.T, path string) { write(t, path, strings.Repeat("precious", 10_000)) }, " was overwritten"},
		{"made unreadable", func(_ *testing.T, path string) { os.Chmod(path, 0) }, " was made unreadable"},
	} {
		for _, told := range []bool{false, true} {
			name := c.name
			if told {
				name += ", and told to end"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "carbon.db")
				p := start(t, "--storage.path="+path, "--config.file="+configFile(t, ""))
				c.do(t, path)
				is, _ := os.ReadFile(path)
				if told {
					http.Post(p.url+"/-/quit", "", nil) // it may have ended by itself
				}
				if code := p.end(t); code != exitStore {
					t.Errorf("exit code %d, want %d", code, exitStore)
				}
				var said []string
				for line := range strings.Lines(p.stderr.String()) {
					// SQLite itself may find out first that a file makes no sense.
					sqlite := strings.Contains(line, "not a database") || strings.Contains(line, "malformed") || strings.Contains(line, "disk I/O error")
					other := strings.Contains(line, "refused") && !strings.Contains(line, "carbon.db")
					if strings.HasPrefix(line, "carbon_exporter: ") || strings.Contains(line, "level=ERROR") && !sqlite && !other {
						said = append(said, line)
					}
				}
				if len(said) != 1 || !strings.HasPrefix(said[0], "carbon_exporter: store "+path+c.want) {
					t.Errorf("it says %q, want one line of %q", said, c.want)
				}
				if now, _ := os.ReadFile(path); !bytes.Equal(is, now) && c.name != "made unreadable" {
					t.Errorf("the file was changed: %d bytes, %d bytes", len(is), len(now))
				}
			})
		}
	}
}

// A disk that is full when the program starts says nothing against the store.
func TestADiskThatIsFullAtTheStart(t *testing.T) {
	dir := t.TempDir()
	if exec.Command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", dir).Run() != nil {
		return // internal/sqlite has the law for where nothing may be mounted
	}
	t.Cleanup(func() { exec.Command("umount", dir).Run() })
	for {
		f, err := os.OpenFile(filepath.Join(dir, "filler"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Write(make([]byte, 4096))
		f.Close()
		if err != nil {
			break
		}
	}
	path := filepath.Join(dir, "carbon.db")
	var stderr bytes.Buffer
	code := Run([]string{"--config.file=" + configFile(t, ""), "--web.listen-address=127.0.0.1:0", "--storage.path=" + path, "--log.level=error"}, io.Discard, &stderr)
	want := "carbon_exporter: open store " + path + ": the disk that holds " + dir + " is full; free some space and start again"
	if said := stderr.String(); code != exitFailed || !strings.HasPrefix(said, want) || strings.Count(said, "\n") != 1 {
		t.Errorf("exit code %d: %q, want %d: %q", code, said, exitFailed, want)
	}
}

// Damage in a large store is found while it is in use, and ends the program as damage found at the
// start would: a restart cannot help.
func TestDamageThatIsFoundLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.db")
	s, err := store.Open(t.Context(), path, store.Options{Interval: 30 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	var root, page int64
	for _, step := range []string{"CREATE TABLE filler(b)", "INSERT INTO filler VALUES (zeroblob(70000000))", "DROP TABLE filler", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := db.Exec(step); err != nil {
			t.Fatal(step, err)
		}
	}
	if err := db.QueryRow("SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size WHERE name = 'interval_doubt'").Scan(&root, &page); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, int(page)), (root-1)*page); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	defer func(was time.Duration) { checkAfter = was }(checkAfter)
	checkAfter = time.Millisecond
	var stderr bytes.Buffer
	code := Run([]string{"--config.file=" + configFile(t, ""), "--web.listen-address=127.0.0.1:0", "--storage.path=" + path, "--log.level=error"}, io.Discard, &stderr)
	if said := stderr.String(); code != exitStore || !strings.Contains(said, path+": is damaged; restore a backup") {
		t.Errorf("exit code %d, want %d: %s", code, exitStore, said)
	}
}
