// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package newfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func inside(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func reserve(t *testing.T, target string) (partial string) {
	t.Helper()
	partial, err := Reserve(target, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(partial, []byte("whole"), 0o600); err != nil {
		t.Fatal(err)
	}
	return partial
}

func TestAFileIsThereWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "a file?")
	partial := reserve(t, target)
	if got := inside(t, dir); !strings.HasPrefix(got, "a file?.partial-") {
		t.Errorf("meanwhile there is %s", got)
	}
	if size, err := Finish(partial, target); err != nil || size != 5 {
		t.Errorf("%d bytes, %v", size, err)
	}
	if text, err := os.ReadFile(target); err != nil || string(text) != "whole" || inside(t, dir) != "a file?" {
		t.Errorf("%s, %v; there is %s", text, err, inside(t, dir))
	}
	if info, err := os.Stat(target); err != nil || info.Mode().Perm()&0o137 != 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestWhatIsAbandonedIsGone(t *testing.T) {
	dir := t.TempDir()
	partial := reserve(t, filepath.Join(dir, "file"))
	if err := os.WriteFile(partial+"-journal", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	Abandon(partial)
	if got := inside(t, dir); got != "" {
		t.Errorf("there is %s", got)
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "file")
	partial := reserve(t, target)
	if err := os.WriteFile(target, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Finish(partial, target); !errors.Is(err, ErrExists) {
		t.Errorf("the name was taken meanwhile: %v", err)
	}
	if _, err := Reserve(target, 0o600); !errors.Is(err, ErrExists) {
		t.Errorf("it is there: %v", err)
	}
	if text, err := os.ReadFile(target); err != nil || string(text) != "precious" || inside(t, dir) != "file" {
		t.Errorf("%s, %v; there is %s", text, err, inside(t, dir))
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "nowhere"), link); err != nil {
		t.Fatal(err)
	}
	if _, err := Reserve(link, 0o600); !errors.Is(err, ErrExists) {
		t.Errorf("it is a link to nothing: %v", err)
	}
}

func TestWhereNoFileCanBe(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none", "file"): "directory " + filepath.Join(dir, "none") + " does not exist",
		filepath.Join(file, "file"):        "not a directory",
		dir:                                ErrExists.Error(),
	} {
		if _, err := Reserve(path, 0o600); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	if _, err := Finish(filepath.Join(dir, "lost"), filepath.Join(dir, "new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
}
