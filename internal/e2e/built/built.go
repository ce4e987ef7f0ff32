// Package built finds the programs that `make tools` builds into bin/. It must not
// know what they do. Start with Program.
package built

import (
	"os"
	"path/filepath"
	"testing"
)

// Program returns the path of one of them, for a test in a directory of this module.
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
	path, err := filepath.Abs(filepath.Join("..", "..", "..", "bin", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v; run `%s`, which builds it", err, by)
	}
	return path
}
