// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

var programNames = []string{"carbon_exporter", "carbontool"}

// build builds both programs for a platform into a folder, unless they are there, and returns
// their paths.
func (r Release) build(ctx context.Context, into string, p Platform) ([]string, error) {
	const v = "github.com/prometheus/common/version."
	flags := "-s -w -buildid=" +
		" -X " + v + "Version=" + r.Version +
		" -X " + v + "Revision=" + r.Revision +
		" -X " + v + "Branch=" + r.Branch +
		" -X " + v + "BuildUser=" + r.User +
		" -X " + v + "BuildDate=" + r.Date.Format("20060102-15:04:05")
	suffix := ""
	if p.OS == "windows" {
		suffix = ".exe"
	}
	var paths []string
	for _, name := range programNames {
		path := filepath.Join(into, name+suffix)
		paths = append(paths, path)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags", flags, "-o", path, "./cmd/"+name)
		cmd.Dir = r.Root
		cmd.Env = r.environment(p)
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	return paths, nil
}

// environment is that of go for a platform: no C, and no workspace or flags of this machine. The
// Makefile compiles in the same way, so that packages are compiled once for all.
func (r Release) environment(p Platform) []string {
	return append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.OS, "GOARCH="+p.Arch, "GOFLAGS=-trimpath", "GOWORK=off",
		"GOAMD64=v1", "GOARM64=v8.0")
}

// documents are the manual pages and completions, which the programs write of themselves.
func (r Release) documents(ctx context.Context, work string) ([]File, error) {
	p := Platform{runtime.GOOS, runtime.GOARCH}
	here, err := r.build(ctx, filepath.Join(work, p.String()), p)
	if err != nil {
		return nil, err
	}
	var all []File
	for i, name := range programNames {
		for _, d := range []struct{ flag, path string }{
			{"--help-man", "/usr/share/man/man1/" + name + ".1.gz"},
			{"--completion-script-bash", "/usr/share/bash-completion/completions/" + name},
			{"--completion-script-zsh", "/usr/share/zsh/vendor-completions/_" + name},
			{"--completion-script-fish", "/usr/share/fish/vendor_completions.d/" + name + ".fish"},
		} {
			text, err := exec.CommandContext(ctx, here[i], d.flag).Output()
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", name, d.flag, err)
			}
			if filepath.Ext(d.path) == ".gz" {
				text = gzipped(text)
			}
			all = append(all, File{Path: d.path, Data: text})
		}
	}
	return all, nil
}

// gzipped has no time and no name in it.
func gzipped(text []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is one
	}
	z.Write(text) //nolint:errcheck // a buffer takes everything
	z.Close()     //nolint:errcheck // the same
	return b.Bytes()
}
