// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var made = sync.OnceValues(func() (Release, error) {
	r := Release{
		Root: "..", Into: into, Version: "0.1.0", Revision: "0123456", Branch: "main", User: "somebody",
		Date: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), Platforms: []Platform{{"linux", "amd64"}},
	}
	_, err := r.Make(context.Background())
	return r, err
})

// release is one for Linux on amd64, made once for all tests.
func release(t *testing.T) Release {
	t.Helper()
	r, err := made()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestTheSameBytesElsewhere makes the release again, of a copy of the source in another folder.
func TestTheSameBytesElsewhere(t *testing.T) {
	r := release(t)
	again := r
	again.Root, again.Into = copyOfSource(t), t.TempDir()
	if _, err := again.Make(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, got := read(t, filepath.Join(r.Into, sums)), read(t, filepath.Join(again.Into, sums))
	if want != got {
		t.Errorf("the first time\n%sthe second\n%s", want, got)
	}
	if n := strings.Count(got, "\n"); n != 4 {
		t.Errorf("%d files, want an archive, two packages and a bill of materials:\n%s", n, got)
	}
	must(t, "sha256sum", "--strict", "-c", sums).in(r.Into).run()
}

// copyOfSource copies what git knows or would add.
func copyOfSource(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	names := must(t, "git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard").in("..").run()
	for name := range strings.SplitSeq(strings.Trim(names, "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join("..", name))
		if os.IsNotExist(err) { // removed and not committed
			continue
		}
		to := filepath.Join(dir, name)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o755)
		}
		if err == nil {
			err = os.WriteFile(to, data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheArchive(t *testing.T) {
	r := release(t)
	dir := t.TempDir()
	must(t, "tar", "-xzf", filepath.Join(r.Into, "carbon_exporter-0.1.0.linux-amd64.tar.gz"), "-C", dir).run()
	dir = filepath.Join(dir, "carbon_exporter-0.1.0.linux-amd64")
	for _, name := range []string{
		"LICENSE", "NOTICE", "README.md", "CHANGELOG.md", "examples/carbon.yml", "examples/systemd/carbon_exporter.service",
		"dashboards/carbon-overview.json", "man/carbontool.1.gz", "zsh/_carbontool", "fish/carbontool.fish", "bash-completion/carbontool",
	} {
		if read(t, filepath.Join(dir, name)) == "" {
			t.Errorf("%s is empty", name)
		}
	}
	for _, program := range programNames {
		said := must(t, filepath.Join(dir, program), "--version").run()
		for _, want := range []string{program + ", version 0.1.0 (branch: main, revision: 0123456)", "somebody", "20261101-12:00:00"} {
			if !strings.Contains(said, want) {
				t.Errorf("%s --version does not say %q:\n%s", program, want, said)
			}
		}
	}
	licences := read(t, filepath.Join(dir, "THIRD_PARTY"))
	for _, want := range []string{"modernc.org/sqlite v", "github.com/prometheus/client_golang v", "Go, its runtime", "MIT", "Redistribution and use"} {
		if !strings.Contains(licences, want) {
			t.Errorf("THIRD_PARTY does not have %q", want)
		}
	}
	bill := read(t, filepath.Join(r.Into, "carbon_exporter-0.1.0.linux-amd64.cdx.json"))
	for module := range strings.SplitSeq(must(t, "go", "version", "-m", filepath.Join(dir, "carbontool")).run(), "\n") {
		if f := strings.Fields(module); len(f) > 2 && f[0] == "dep" && !strings.Contains(bill, `"pkg:golang/`+f[1]+"@"+f[2]+`"`) {
			t.Errorf("%s %s is not in the bill of materials", f[1], f[2])
		}
	}
}

// call is a command that a test expects to end well.
type call struct {
	t   testing.TB
	cmd *exec.Cmd
}

func must(t testing.TB, name string, args ...string) call {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("there is no %s; as root on Debian .ci/packages installs what the tests need, elsewhere install it", name)
	}
	return call{t, exec.Command(path, args...)}
}

func (c call) in(dir string) call { c.cmd.Dir = dir; return c }

func (c call) with(variables ...string) call {
	c.cmd.Env = append(os.Environ(), variables...)
	return c
}

// run returns what the command writes to stdout.
func (c call) run() string {
	c.t.Helper()
	var out, said bytes.Buffer
	c.cmd.Stdout, c.cmd.Stderr = &out, &said
	if err := c.cmd.Run(); err != nil {
		c.t.Fatalf("%s: %v\n%s%s", c.cmd, err, out.String(), said.String())
	}
	return out.String()
}

func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
