// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package built has the programs that the tests run: those of this repository, as they are now,
// and those that `make tools` builds into bin/. It must not know what they do. Start with Main
// and Program.
package built

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// root is the repository, seen from a directory of tests in this module.
var root = filepath.Join("..", "..", "..")

// Main runs the tests of a package with programs of this repository, built into a directory of
// its own, which dir is set to. It returns the exit code for TestMain.
func Main(m *testing.M, dir *string, programs ...string) int {
	var err error
	if *dir, err = os.MkdirTemp("", "built"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(*dir)
	args := []string{"build", "-ldflags", "-s -w", "-o", *dir} // no debugger looks at them
	for _, name := range programs {
		args = append(args, "./cmd/"+name)
	}
	build := exec.Command("go", args...)
	build.Dir = root // a module of its own, with its own versions
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build %v: %v\n%s", programs, err, out)
		return 1
	}
	return m.Run()
}

// Program returns the path of a program in bin/.
func Program(t testing.TB, name string) string {
	t.Helper()
	return program(t, name, "make tools")
}

// Upstream is Program for those that only `make upstreams` builds, since it takes minutes.
func Upstream(t testing.TB, name string) string {
	t.Helper()
	return program(t, name, "make upstreams")
}

func program(t testing.TB, name, by string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, "bin", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v; run `%s`, which builds it", err, by)
	}
	return path
}
