// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	root     = "../../.."
	revision = "0123456789abcdef0123456789abcdef01234567"
	date     = "2026-01-02T03:04:05Z"
)

// programs is a directory as `make image` has it: the programs of `make build` for this machine,
// and the least of a program for the other.
func programs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range platforms {
		for _, name := range []string{"carbon_exporter", "carbontool"} {
			program := header(p.machine)
			if p.arch == runtime.GOARCH {
				var err error
				if program, err = os.ReadFile(filepath.Join(root, "bin", name)); err != nil {
					t.Fatalf("%v; run `make build`, which builds it", err)
				}
			}
			put(t, filepath.Join(dir, "linux-"+p.arch, name), program)
		}
	}
	return dir
}

// header is a program of no parts for a machine.
func header(machine elf.Machine, parts ...elf.ProgType) []byte {
	var out bytes.Buffer
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: uint16(len(parts))}
	copy(h.Ident[:], []byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)})
	// A buffer takes everything.
	_ = binary.Write(&out, binary.LittleEndian, h)
	for _, part := range parts {
		_ = binary.Write(&out, binary.LittleEndian, elf.Prog64{Type: uint32(part)})
	}
	return out.Bytes()
}

func put(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestTheImage(t *testing.T) {
	from, dir := programs(t), filepath.Join(t.TempDir(), "image")
	said, err := write(root, from, dir, revision, date)
	if err != nil {
		t.Fatal(err)
	}
	top, all, containers := readLayout(t, dir)
	version := strings.TrimSpace(string(file(t, root, "VERSION")))
	if top.Digest != said.String() || top.Annotations["org.opencontainers.image.ref.name"] != version {
		t.Errorf("%s was written, as it said; the layout has %+v", said, top)
	}
	if got := slices.Sorted(maps.Keys(containers)); !slices.Equal(got, []string{"linux/amd64", "linux/arm64"}) {
		t.Fatalf("platforms %q", got)
	}
	for platform, c := range containers {
		t.Run(platform, func(t *testing.T) {
			labelled(t, c.Config.Labels, version)
			labelled(t, all.Annotations, version)
			if c.Created != date {
				t.Errorf("created %s", c.Created)
			}
			hasFiles(t, c, filepath.Join(from, strings.ReplaceAll(platform, "/", "-")))
		})
	}

	t.Run("its programs run", func(t *testing.T) {
		runs(t, containers["linux/"+runtime.GOARCH], version)
	})
	t.Run("it is that of the Dockerfile", func(t *testing.T) {
		for _, c := range containers {
			asInDockerfile(t, c)
		}
	})
}

func TestTheSameCommitIsTheSameImage(t *testing.T) {
	dir := t.TempDir()
	for _, p := range platforms {
		for _, name := range []string{"carbon_exporter", "carbontool"} {
			put(t, filepath.Join(dir, "linux-"+p.arch, name), header(p.machine))
		}
	}
	said := map[string][]string{}
	for _, c := range []struct{ name, revision, date string }{
		{"one", revision, date},
		{"the same again", revision, date},
		{"a second later", revision, "2026-01-02T03:04:06Z"},
		{"another commit of the same second", revision[1:] + "0", date},
	} {
		digest, err := write(root, dir, filepath.Join(t.TempDir(), "image"), c.revision, c.date)
		if err != nil {
			t.Fatal(err)
		}
		said[digest.String()] = append(said[digest.String()], c.name)
	}
	if len(said) != 3 {
		t.Errorf("the images are %v", said)
	}
}

func labelled(t *testing.T, labels map[string]string, version string) {
	t.Helper()
	for label, want := range map[string]string{
		"title": "carbon_exporter", "licenses": "Apache-2.0", "version": version, "revision": revision, "created": date,
		"source": "https://github.com/carbon-exporter/carbon_exporter",
	} {
		if got := labels["org.opencontainers.image."+label]; got != want {
			t.Errorf("label %s is %q, not %q", label, got, want)
		}
	}
}

func hasFiles(t *testing.T, c container, programs string) {
	t.Helper()
	want := map[string]struct {
		mode  int64
		owner int
	}{
		"etc/": {0o755, 0}, "etc/ssl/": {0o755, 0}, "etc/ssl/certs/": {0o755, 0}, "etc/ssl/certs/ca-certificates.crt": {0o644, 0},
		"data/": {0o755, nobody}, "bin/": {0o755, 0}, "bin/carbon_exporter": {0o755, 0}, "bin/carbontool": {0o755, 0},
		"licenses/": {0o755, 0}, "licenses/LICENSE": {0o644, 0}, "licenses/NOTICE": {0o644, 0},
	}
	for name, f := range c.files {
		w, ok := want[name]
		if !ok || f.Mode != w.mode || f.Uid != w.owner || f.Gid != w.owner || f.FileInfo().Mode()&fs.ModeType&^fs.ModeDir != 0 {
			t.Errorf("%s: mode %o, owner %d:%d", name, f.Mode, f.Uid, f.Gid)
		}
		if got := f.ModTime.UTC().Format(time.RFC3339); got != date {
			t.Errorf("%s is of %s", name, got)
		}
		if f.Uname+f.Gname != "" {
			t.Errorf("%s: a name of the machine that built it, %s:%s", name, f.Uname, f.Gname)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("missing: %q", slices.Sorted(maps.Keys(want)))
	}
	for _, name := range []string{"carbon_exporter", "carbontool"} {
		if !bytes.Equal(c.files["bin/"+name].content, file(t, programs, name)) {
			t.Errorf("%s is another program", name)
		}
	}
	trusted(t, c.files["etc/ssl/certs/ca-certificates.crt"].content)
}

// trusted wants what Go reads at that path to be the certificates of authorities.
func trusted(t *testing.T, rest []byte) {
	t.Helper()
	n := 0
	for block, rest := pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil || !cert.IsCA {
			t.Errorf("%v: %v", cert.Subject, err)
		}
		n++
	}
	if n < 100 {
		t.Errorf("only %d authorities are trusted", n)
	}
}

func runs(t *testing.T, c container, version string) {
	t.Helper()
	for _, name := range []string{"carbon_exporter", "carbontool"} {
		program := c.files["bin/"+name].content
		path := filepath.Join(t.TempDir(), name)
		put(t, path, program)
		out, err := exec.Command(path, "--version").CombinedOutput()
		if err != nil || !strings.Contains(string(out), name+", version "+version) {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		// Nothing else in the image knows when it is noon where.
		if !bytes.Contains(program, []byte("Antarctica/DumontDUrville")) {
			t.Errorf("%s has no time zones in it", name)
		}
	}
}

func asInDockerfile(t *testing.T, c container) {
	t.Helper()
	_, final, _ := strings.Cut(string(file(t, root, "Dockerfile")), "\nFROM scratch\n")
	said := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^([A-Z]+) (.*)$`).FindAllStringSubmatch(final, -1) {
		if m[1] != "COPY" {
			said[m[1]] = m[2]
		}
	}
	entrypoint, err := json.Marshal(c.Config.Entrypoint)
	if err != nil {
		t.Fatal(err)
	}
	cmd, err := json.Marshal(c.Config.Cmd)
	if err != nil {
		t.Fatal(err)
	}
	is := map[string]string{
		"ENTRYPOINT": string(entrypoint), "CMD": strings.ReplaceAll(string(cmd), ",", ", "), "USER": c.Config.User,
		"VOLUME": only(t, c.Config.Volumes), "EXPOSE": strings.TrimSuffix(only(t, c.Config.ExposedPorts), "/tcp"),
	}
	if !reflect.DeepEqual(said, is) {
		t.Errorf("the Dockerfile says %q, the image is %q", said, is)
	}
	for name, f := range c.files {
		if f.Typeflag != tar.TypeDir && !strings.Contains(final, " /"+strings.TrimSuffix(name, filepath.Base(name))+"\n") {
			t.Errorf("the Dockerfile copies nothing to /%s", name)
		}
	}
	if !strings.Contains(final, "--chown=65534:65534 /data /data\n") {
		t.Error("the Dockerfile gives /data to another")
	}
}

func only(t *testing.T, set map[string]struct{}) string {
	t.Helper()
	if len(set) != 1 {
		t.Fatalf("%v is not one", set)
	}
	return slices.Collect(maps.Keys(set))[0]
}

func TestProgramsThatCouldNotRunAreRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		program []byte
		says    string
	}{
		{"none", nil, "`make image` builds it"},
		{"a script", []byte("#!/bin/sh\n"), "is no program for Linux"},
		{"for another machine", header(elf.EM_AARCH64), "is for EM_AARCH64, not EM_X86_64"},
		{"with libraries", header(elf.EM_X86_64, elf.PT_INTERP), "is dynamically linked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if c.program != nil {
				put(t, filepath.Join(dir, "linux-amd64", "carbon_exporter"), c.program)
			}
			if _, err := build(root, dir, about{}); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q is not in %v", c.says, err)
			}
		})
	}
}

func TestWriteRefuses(t *testing.T) {
	for _, c := range []struct{ name, into, date, says string }{
		{"a date that is none", filepath.Join(t.TempDir(), "image"), "yesterday", "-date"},
		{"a layout that exists", t.TempDir(), date, "remove it first"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := write(root, t.TempDir(), c.into, revision, c.date); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q is not in %v", c.says, err)
			}
		})
	}
}
