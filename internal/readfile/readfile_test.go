// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package readfile

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/readfile/readfiletest"
)

func TestRegularFilesOnly(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(path("file"), []byte("12345678"), 0o600))
	must(os.WriteFile(path("empty"), nil, 0o600))
	must(os.Symlink(path("file"), path("link")))
	must(os.Symlink(path("nowhere"), path("broken")))
	must(readfiletest.Pipe(path("pipe")))
	must(os.Symlink(path("pipe"), path("link to a pipe")))
	socket, err := net.Listen("unix", path("socket"))
	must(err)
	defer socket.Close()

	for _, test := range []struct{ name, want, fault string }{
		{"file", "12345678", ""},
		{"empty", "", ""},
		{"link", "12345678", ""},
		{"absent", "", "open FILE: no such file or directory"},
		{"broken", "", "open FILE: no such file or directory"},
		{"file/inside", "", "open FILE: not a directory"},
		{".", "", "read FILE: is a directory"},
		{"pipe", "", "read FILE: is a pipe, must be a regular file"},
		{"link to a pipe", "", "read FILE: is a pipe, must be a regular file"},
		{"socket", "", "read FILE: is a socket, must be a regular file"},
		{"/dev/zero", "", "read FILE: is a device, must be a regular file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			name := path(test.name)
			if test.name[0] == '/' {
				name = test.name
			}
			want := strings.ReplaceAll(test.fault, "FILE", name)
			text, err := All(name, 8)
			if got := said(err); got != want || string(text) != test.want {
				t.Errorf("All: %q, %s; want %q, %s", text, got, test.want, want)
			}
			size, err := Check(name)
			if got := said(err); got != want || size != int64(len(test.want)) {
				t.Errorf("Check: %d, %s; want %d, %s", size, got, len(test.want), want)
			}
			if _, ok := errors.AsType[*fs.PathError](err); err != nil && !ok {
				t.Errorf("%T is no *fs.PathError", err)
			}
		})
	}
	if _, err := All(path("absent"), 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
	if _, err := All(path("file"), 7); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a byte too many: %v", err)
	}
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestAPipeThatTookTheFilesPlace is opened where Stat has still seen a file.
func TestAPipeThatTookTheFilesPlace(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := readfiletest.Pipe(pipe); err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	go func() {
		file, err := os.OpenFile(pipe, flags, 0)
		if err == nil {
			err = file.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("waits for somebody to write")
	}
}

func TestADiskThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		hang := make(chan struct{})
		defer close(hang)
		_, err := within(patience, "/mnt/file", func() ([]byte, error) { <-hang; return nil, nil })
		if want := "read /mnt/file: could not be read within 3s; is its disk hanging?"; said(err) != want {
			t.Errorf("got %s, want %s", said(err), want)
		}
		if took := time.Since(began); took != patience {
			t.Errorf("took %s", took)
		}
	})
}
