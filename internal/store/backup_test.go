// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// inside lists what is in a directory.
func inside(tb testing.TB, dir string) string {
	tb.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestACopyIsTheStoreAtOneMoment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.db")
	s := openStore(t, path, Options{Exclusive: true, Interval: half})
	r := rand.New(rand.NewSource(1))
	for n := range 40 {
		commit(t, s, randomRecord(r, at(n)))
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	want, dir := dump(t, s), t.TempDir()
	still := filepath.Join(dir, "still.db")
	told := 0
	size, err := Backup(t.Context(), path, still, func(done, about int64) {
		if told++; done < 0 || done > about || about <= 0 {
			t.Errorf("%d of %d bytes", done, about)
		}
	})
	if err != nil || told == 0 {
		t.Fatalf("%v, told %d times", err, told)
	}
	if info, err := os.Stat(still); err != nil || info.Size() != size || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v, said to be %d bytes", info, err, size)
	}

	// Others are made while it is written.
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		for n := 0; ctx.Err() == nil; n++ {
			if _, err := commitAll(context.WithoutCancel(ctx), s, randomRecord(r, at(n)), randomRecord(r, at(n/2))); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for n := range 5 {
		moving := filepath.Join(dir, fmt.Sprintf("moving%d.db", n))
		if _, err := Backup(t.Context(), path, moving, nil); err != nil {
			t.Error(err)
		} else if failed := verify(t, moving, later); failed != nil {
			t.Errorf("%q", failed)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := inside(t, dir); got != "moving0.db moving1.db moving2.db moving3.db moving4.db still.db" {
		t.Errorf("left are %s", got)
	}
	restored := openStore(t, still, Options{Exclusive: true, Interval: half})
	if got := dump(t, restored); got != want {
		t.Errorf("restored it is\n%s\nnot\n%s", got, want)
	}
	commit(t, restored, randomRecord(r, at(50)))
}

func TestAnOlderStoreIsCopiedAsItIs(t *testing.T) {
	path := versionTwo(t)
	before := hash(t, path)
	target := filepath.Join(t.TempDir(), "copy.db")
	if _, err := Backup(t.Context(), path, target, nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, target} {
		if rows := readRows(t, database(t, name), "PRAGMA user_version"); rows[0][0] != int64(2) {
			t.Errorf("%s is of version %v", name, rows[0][0])
		}
	}
	if hash(t, path) != before {
		t.Error("the store was changed")
	}
}

func TestACopyThatIsRefused(t *testing.T) {
	for _, tc := range []struct {
		name   string
		source func(*testing.T) string
		target func(t *testing.T, dir, source string) string
		want   string
		left   string
	}{
		{name: "of no store", source: func(t *testing.T) string { return filepath.Join(t.TempDir(), "none.db") }, want: "copy store: there is no such file"},
		{
			name: "of another program's database",
			source: func(t *testing.T) string {
				path := filepath.Join(t.TempDir(), "other.db")
				database(t, path, "CREATE TABLE t (x)")
				return path
			},
			want: "copy store: is a SQLite database of another program",
		},
		{
			name: "of a damaged store",
			source: func(t *testing.T) string {
				return change(t, aStore(t), func(b []byte) []byte { return b[:len(b)/2/4096*4096] })
			},
			want: "is damaged",
		},
		{
			name: "onto a file",
			target: func(t *testing.T, dir, _ string) string {
				path := filepath.Join(dir, "copy.db")
				if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
					t.Fatal(err)
				}
				return path
			},
			want: "copy.db: already exists; nothing was changed", left: "copy.db",
		},
		{
			name: "onto a link to nothing",
			target: func(t *testing.T, dir, _ string) string {
				path := filepath.Join(dir, "copy.db")
				if err := os.Symlink(filepath.Join(dir, "elsewhere"), path); err != nil {
					t.Fatal(err)
				}
				return path
			},
			want: "copy.db: already exists; nothing was changed", left: "copy.db",
		},
		{name: "onto a directory", target: func(_ *testing.T, dir, _ string) string { return dir }, want: ": already exists; nothing was changed"},
		{name: "onto itself", target: func(_ *testing.T, _, source string) string { return source }, want: "carbon.db: already exists; nothing was changed"},
		{
			name: "into a directory that is not there", target: func(_ *testing.T, dir, _ string) string { return filepath.Join(dir, "none", "copy.db") },
			want: " does not exist",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.source == nil {
				tc.source = aStore
			}
			source, dir := tc.source(t), t.TempDir()
			target := filepath.Join(dir, "copy.db")
			if tc.target != nil {
				target = tc.target(t, dir, source)
			}
			_, err := Backup(t.Context(), source, target, nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
			if got := inside(t, dir); got != tc.left {
				t.Errorf("left are %q, want %q", got, tc.left)
			}
			if text, err := os.ReadFile(filepath.Join(dir, "copy.db")); err == nil && string(text) != "precious" {
				t.Errorf("the file is now %.40q", text)
			}
		})
	}
}

func TestACopyThatIsCutShortLeavesNothing(t *testing.T) {
	source, dir := oldStore(t), t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	_, err := Backup(ctx, source, filepath.Join(dir, "copy.db"), func(_, _ int64) {
		stop()
	})
	if err == nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := inside(t, dir); got != "" {
		t.Errorf("left are %s", got)
	}
}

// copyOnce copies the store of a path to the path beside it that a blank separates.
func copyOnce(both string) error {
	fmt.Println("begun")
	from, to, _ := strings.Cut(both, " ")
	_, err := Backup(context.Background(), from, to, nil)
	return err
}

// copySmall does the same where a file may not be larger than a megabyte.
func copySmall(both string) error {
	if err := limitFiles(1 << 20); err != nil {
		return err
	}
	err := copyOnce(both)
	if err == nil || errors.Is(err, os.ErrExist) {
		return fmt.Errorf("it was copied: %w", err)
	}
	return nil
}

func TestACopyForWhichThereIsNoRoomLeavesNothing(t *testing.T) {
	source, dir := oldStore(t), t.TempDir()
	if !killing(t, "copy small", source+" "+filepath.Join(dir, "copy.db"), false, time.Minute) {
		t.Error("it was killed")
	}
	if got := inside(t, dir); got != "" {
		t.Errorf("left are %s", got)
	}
}

func TestKilledAsItCopies(t *testing.T) {
	r := rand.New(rand.NewSource(5))
	source := oldStore(t)
	s := wholeAgain(t, source)
	want := dump(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := hash(t, source)
	began := time.Now()
	if _, err := Backup(t.Context(), source, filepath.Join(t.TempDir(), "copy.db"), nil); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	halfway, whole := 0, 0
	for n := range 16 {
		dir := t.TempDir()
		target := filepath.Join(dir, "copy.db")
		ended := killing(t, "copy", source+" "+target, false, time.Duration(r.Int63n(int64(took)*3/2)))
		switch _, err := os.Stat(target); {
		case err != nil && ended:
			t.Fatalf("kill %d: %v", n, err)
		case err != nil:
			if inside(t, dir) != "" {
				halfway++
			}
		default:
			// Under its name there is a whole copy, and nothing else.
			whole++
			copied := wholeAgain(t, target)
			if got := dump(t, copied); got != want {
				t.Errorf("kill %d: the copy is not the store", n)
			}
			if err := copied.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if hash(t, source) != before {
		t.Error("the store was changed")
	}
	if halfway == 0 {
		t.Errorf("no kill hit a copy that was written; %d were whole", whole)
	}
	// What a kill has left is in nobody's way.
	dir := t.TempDir()
	target := filepath.Join(dir, "copy.db")
	for killing(t, "copy", source+" "+target, false, 10*time.Millisecond) {
		if err := os.Remove(target); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(target); err == nil {
		return // it was just whole
	}
	if _, err := Backup(t.Context(), source, target, nil); err != nil {
		t.Error(err)
	}
}
