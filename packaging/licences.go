// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// module is one of which the programs contain code.
type module struct {
	Path, Version, Dir string
	Main               bool
	Replace            *module
}

// modules are those of both programs on a platform, sorted by path.
func (r Release) modules(ctx context.Context, p Platform) ([]module, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./cmd/carbon_exporter", "./cmd/carbontool")
	cmd.Dir, cmd.Env = r.Root, r.environment(p)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	paths := slices.Compact(slices.Sorted(slices.Values(strings.Fields(string(out)))))
	cmd = exec.CommandContext(ctx, "go", append([]string{"list", "-m", "-json"}, paths...)...)
	cmd.Dir, cmd.Env = r.Root, r.environment(p)
	if out, err = cmd.Output(); err != nil {
		return nil, fmt.Errorf("list modules: %w", err)
	}
	var all []module
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var m module
		if err := d.Decode(&m); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("list modules: %w", err)
		}
		if m.Replace != nil {
			m.Dir = m.Replace.Dir
		}
		if !m.Main {
			all = append(all, m)
		}
	}
}

// legal are the files whose text a copy of a module must come with.
var legal = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|copyright|notice|patents|authors)([-._].*)?$`)

// needed is a file without which the terms are not known.
var needed = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying)`)

// thirdParty is the text of the licences of everything in the programs, Go's own among them. A
// module without one is an error: it must not be passed on.
func (r Release) thirdParty(ctx context.Context, p Platform) ([]byte, error) {
	modules, err := r.modules(ctx, p)
	if err != nil {
		return nil, err
	}
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return nil, err
	}
	goes := strings.Fields(string(root))
	modules = append(modules, module{Path: "Go, its runtime and standard library,", Version: goes[1], Dir: goes[0]})
	var b bytes.Buffer
	b.WriteString("carbon_exporter and carbontool contain code of these, under the licences that follow.\n")
	for _, m := range modules {
		fmt.Fprintf(&b, "\n%s\n%s %s\n", strings.Repeat("=", 80), m.Path, m.Version)
		if err := licence(&b, os.DirFS(m.Dir)); err != nil {
			return nil, fmt.Errorf("%s in %s: %w", m.Path, filepath.Clean(m.Dir), err)
		}
	}
	return b.Bytes(), nil
}

// licence writes the legal files of a module.
func licence(w *bytes.Buffer, dir fs.FS) error {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		if e.IsDir() || !legal.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		text, err := fs.ReadFile(dir, e.Name())
		if err != nil {
			return err
		}
		found = found || needed.MatchString(e.Name())
		fmt.Fprintf(w, "\n--- %s\n\n%s\n", e.Name(), bytes.TrimSpace(bytes.ReplaceAll(text, []byte("\r"), nil)))
	}
	if !found {
		return errors.New("there is no licence")
	}
	return nil
}
