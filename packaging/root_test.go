// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the lists of testdata")

// into is where the release of these tests is.
var into string

func TestMain(m *testing.M) {
	flag.Parse()
	var err error
	if into, err = os.MkdirTemp("", "carbon-release-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(into)
	os.Exit(code)
}

// root is an empty system in a folder.
type root struct {
	t   *testing.T
	dir string
}

func newRoot(t *testing.T) root {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("packages have files of several users: run this test as root, as `make packages` does by sudo")
	}
	r := root{t, t.TempDir()}
	for _, d := range []string{"etc", "dev", "tmp", "var/lib", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers"} {
		if err := os.MkdirAll(r.path(d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r.write("var/lib/dpkg/status", "")
	r.write("var/lib/dpkg/available", "")
	return r
}

func (r root) path(name string) string { return filepath.Join(r.dir, name) }

func (r root) write(name, text string) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Dir(r.path(name)), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(r.path(name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// dpkg runs maintainer scripts as they are, with $DPKG_ROOT: there is no shell in the root.
func (r root) dpkg(args ...string) string {
	r.t.Helper()
	return must(r.t, "dpkg", append([]string{"--root=" + r.dir, "--force-script-chrootless", "--force-depends", "--force-confold", "--log=/dev/null"}, args...)...).run()
}

// rpm runs scripts in the root, so it needs a shell there, and what the scripts call.
func (r root) rpm(args ...string) string {
	r.t.Helper()
	return must(r.t, "rpm", append([]string{"--root=" + r.dir, "--dbpath=/var/lib/rpm", "--force-debian", "--nodeps", "--nosignature"}, args...)...).run()
}

var library = regexp.MustCompile(`/[^ ]+\.so[^ ]*`)

// populate copies programs of this machine and their libraries into the root.
func (r root) populate(programs ...string) {
	r.t.Helper()
	for _, program := range programs {
		all := append(library.FindAllString(must(r.t, "ldd", program).run(), -1), program)
		for _, path := range all {
			data, err := os.ReadFile(path)
			if err == nil {
				err = os.MkdirAll(filepath.Dir(r.path(path)), 0o755)
			}
			if err == nil {
				err = os.WriteFile(r.path(path), data, 0o755)
			}
			if err != nil {
				r.t.Fatal(err)
			}
		}
	}
}

// ids are the names of an /etc/passwd or /etc/group.
func (r root) ids(name string) map[uint32]string {
	all := map[uint32]string{0: "root"}
	for line := range strings.Lines(read(r.t, r.path(name))) {
		f := strings.Split(line, ":")
		var id uint32
		if _, err := fmt.Sscan(f[2], &id); err != nil {
			r.t.Fatal(err)
		}
		all[id] = f[0]
	}
	return all
}

// list is every file with its mode and owner, but those that were there before.
func (r root) list(before map[string]bool) string {
	r.t.Helper()
	users, groups := r.ids("etc/passwd"), r.ids("etc/group")
	var b strings.Builder
	r.walk(func(name string, info fs.FileInfo) {
		if before[name] {
			return
		}
		s := info.Sys().(*syscall.Stat_t)
		fmt.Fprintf(&b, "%v %s:%s %s\n", info.Mode(), users[s.Uid], groups[s.Gid], name)
	})
	return b.String()
}

// names are those of what is there.
func (r root) names() map[string]bool {
	all := map[string]bool{}
	r.walk(func(name string, _ fs.FileInfo) { all[name] = true })
	return all
}

// walk leaves out folders that any package may have, and what dpkg and rpm keep.
func (r root) walk(f func(name string, info fs.FileInfo)) {
	r.t.Helper()
	err := filepath.WalkDir(r.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, r.dir)
		info, err := d.Info()
		switch {
		case err != nil:
			return err
		case name == "/var/lib/dpkg", name == "/var/lib/rpm", strings.HasPrefix(name, "/var/cache"):
			return fs.SkipDir
		case d.IsDir() && !strings.Contains(name, "carbon"):
			return nil
		case accounts.MatchString(name):
			return nil
		}
		f(name, info)
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

var accounts = regexp.MustCompile(`^/etc/(passwd|group|shadow|gshadow)-?$|^/etc/\.(pwd|#)`)

// golden compares with a file of testdata, or rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := read(t, path); got != want {
		t.Errorf("%s is no longer what is installed; if that is meant, go test -update rewrites it. Got\n%s", path, got)
	}
}
