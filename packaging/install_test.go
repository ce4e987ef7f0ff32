// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// next is the package of a later version, with a configuration that has changed.
func next(t *testing.T, kind string) string {
	t.Helper()
	r := release(t)
	r.Into, r.Version = t.TempDir(), "0.2.0"
	contents := []File{
		{Path: "/etc/carbon_exporter/carbon.yml", Data: []byte("# new\n"), Mode: 0o640, Group: "carbon_exporter", Config: true},
		{Path: "/usr/lib/sysusers.d/carbon_exporter.conf", Data: own("sysusers.conf")},
		{Path: "/usr/lib/tmpfiles.d/carbon_exporter.conf", Data: own("tmpfiles.conf")},
	}
	names, err := r.packages(t.TempDir(), r.Platforms[0], contents)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, kind) {
			return filepath.Join(r.Into, name)
		}
	}
	t.Fatalf("no %s among %q", kind, names)
	return ""
}

const (
	config = "/etc/carbon_exporter/carbon.yml"
	store  = "/var/lib/carbon_exporter/carbon.db"
	backup = "/var/lib/carbon_exporter-backup/carbon.db"
)

func TestDebian(t *testing.T) {
	r := newRoot(t)
	before := r.names()
	r.dpkg("-i", filepath.Join(release(t).Into, "carbon-exporter_0.1.0_amd64.deb"))
	golden(t, "deb.txt", r.list(before))
	works(t, r)

	// What an operator and the program have written.
	r.write(config, "# mine\n")
	r.write("/etc/carbon_exporter/password", "secret")
	r.write(store, "data")
	r.write(backup, "data")
	if err := os.Chmod(r.path(config), 0o644); err != nil {
		t.Fatal(err)
	}
	r.dpkg("-i", next(t, ".deb"))
	for name, want := range map[string]string{config: "# mine\n", store: "data"} {
		if got := read(t, r.path(name)); got != want {
			t.Errorf("after an upgrade %s has %q", name, got)
		}
	}
	if got := r.list(nil); !strings.Contains(got, "-rw-r--r-- root:carbon_exporter "+config+"\n") {
		t.Errorf("after an upgrade the configuration has another mode:\n%s", got)
	}
	r.dpkg("--remove", packageName)
	for _, name := range []string{config, store, backup} {
		if _, err := os.Stat(r.path(name)); err != nil {
			t.Errorf("after the removal: %v", err)
		}
	}
	r.dpkg("--purge", packageName)
	if got := strings.Join(names(r.list(before)), " "); got != "/var/lib/carbon_exporter-backup "+backup {
		t.Errorf("a purge has left %s", got)
	}
}

func TestRPM(t *testing.T) {
	r := newRoot(t)
	r.populate("/bin/sh", "/usr/bin/systemd-sysusers")
	before := r.names()
	r.rpm("-i", filepath.Join(release(t).Into, "carbon-exporter-0.1.0-1.x86_64.rpm"))
	golden(t, "rpm.txt", r.list(before))
	if said := r.rpm("--verify", packageName); said != "" {
		t.Errorf("rpm says of what it has installed:\n%s", said)
	}
	works(t, r)

	r.write(config, "# mine\n")
	r.write(store, "data")
	r.write(backup, "data")
	r.rpm("-U", next(t, ".rpm"))
	for name, want := range map[string]string{config: "# mine\n", config + ".rpmnew": "# new\n", store: "data"} {
		if got := read(t, r.path(name)); got != want {
			t.Errorf("after an upgrade %s has %q", name, got)
		}
	}
	r.rpm("-e", packageName)
	for name, want := range map[string]string{config + ".rpmsave": "# mine\n", store: "data", backup: "data"} {
		if got := read(t, r.path(name)); got != want {
			t.Errorf("after the removal %s has %q", name, got)
		}
	}
}

// names are the last words of lines.
func names(list string) []string {
	var all []string
	for line := range strings.Lines(list) {
		f := strings.Fields(line)
		all = append(all, f[len(f)-1])
	}
	return all
}

// works looks at what is installed as an operator uses it.
func works(t *testing.T, r root) {
	t.Helper()
	if said := must(t, r.path("usr/bin/carbontool"), "check", "config", r.path(config)).run(); !strings.Contains(said, "http://localhost:9090") {
		t.Errorf("check config says\n%s", said)
	}
	units(t, r)
	for _, program := range programNames {
		if said := must(t, "mandoc", "-T", "lint", "-W", "warning", r.path("usr/share/man/man1/"+program+".1.gz")).run(); said != "" {
			t.Errorf("mandoc says\n%s", said)
		}
	}
	completes(t, r)
}

// units wants systemd to accept the units and find the programs.
func units(t *testing.T, r root) {
	t.Helper()
	dir := t.TempDir()
	args := []string{"verify", "--man=no"}
	for _, name := range []string{"carbon_exporter.service", "carbon_exporter-backup.service", "carbon_exporter-backup.timer"} {
		text := strings.ReplaceAll(read(t, r.path("usr/lib/systemd/system/"+name)), "/usr/bin/carbon", r.path("usr/bin/carbon"))
		unit := filepath.Join(dir, name)
		if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, unit)
	}
	c := must(t, "systemd-analyze", args...)
	if said, err := c.cmd.CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("systemd says %v\n%s", err, said)
	}
}

// completes asks the shells themselves.
func completes(t *testing.T, r root) {
	t.Helper()
	zsh := filepath.Dir(first(t, r, "usr/share/zsh/*/_carbontool"))
	for _, c := range []struct{ shell, script string }{
		{"bash", `source "$ROOT/usr/share/bash-completion/completions/carbontool"
			COMP_WORDS=(carbontool ex); COMP_CWORD=1; _carbontool_bash_autocomplete; echo "${COMPREPLY[@]}"`},
		{"zsh", `compadd() { print -- ${(P)2} }; typeset -A compstate=(nmatches 1); compdef() { : }
			words=(carbontool ex); CURRENT=2; source "` + zsh + `/_carbontool"; _carbontool`},
		{"fish", `source "$ROOT/usr/share/fish/vendor_completions.d/carbontool.fish"; complete -C "carbontool ex"`},
	} {
		args := map[string][]string{"bash": {"--norc", "-c"}, "zsh": {"-f", "-c"}, "fish": {"--no-config", "-c"}}[c.shell]
		said := must(t, c.shell, append(args, c.script)...).
			with("ROOT="+r.dir, "PATH="+r.path("usr/bin")+":"+os.Getenv("PATH"), "HOME="+t.TempDir()).run()
		for _, want := range []string{"explain", "export"} {
			if !strings.Contains(said, want) {
				t.Errorf("%s completes ex to %q", c.shell, said)
			}
		}
	}
}

func first(t *testing.T, r root, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(r.path(pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %q, %v", pattern, found, err)
	}
	return found[0]
}
