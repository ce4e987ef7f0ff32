// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Platform is a system and an architecture, as Go names them.
type Platform struct{ OS, Arch string }

func (p Platform) String() string { return p.OS + "-" + p.Arch }

// Release is what is released: everything that its bytes depend on beside the source and Go.
type Release struct {
	Root, Into                      string
	Version, Revision, Branch, User string
	Date                            time.Time
	Platforms                       []Platform
}

// Make writes the release into a folder, and returns the names of its files.
func (r Release) Make(ctx context.Context) (names []string, err error) {
	if err := errors.Join(os.RemoveAll(r.Into), os.MkdirAll(r.Into, 0o755)); err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp("", "release-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	// The programs write their own manual pages and completions.
	docs, err := r.documents(ctx, work)
	if err != nil {
		return nil, err
	}
	for _, p := range r.Platforms {
		made, err := r.platform(ctx, filepath.Join(work, p.String()), p, docs)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		names = append(names, made...)
	}
	slices.Sort(names)
	return append(names, sums), r.checksums(names)
}

const sums = "sha256sums.txt"

// platform writes the archive, the bill of materials and, for Linux, the packages.
func (r Release) platform(ctx context.Context, work string, p Platform, docs []File) ([]string, error) {
	programs, err := r.build(ctx, work, p)
	if err != nil {
		return nil, err
	}
	licences, err := r.thirdParty(ctx, p)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("carbon_exporter-%s.%s", r.Version, p)
	bom, err := r.bill(programs)
	if err != nil {
		return nil, err
	}
	names := []string{name + ".cdx.json"}
	if err := os.WriteFile(filepath.Join(r.Into, names[0]), bom, 0o644); err != nil {
		return nil, err
	}
	contents, err := r.archived(programs, licences, docs)
	if err != nil {
		return nil, err
	}
	archive, err := r.archive(name, p, contents)
	if err != nil {
		return nil, err
	}
	names = append(names, archive)
	if p.OS != "linux" {
		return names, nil
	}
	installed, err := r.installed(programs, licences, docs)
	if err != nil {
		return nil, err
	}
	packages, err := r.packages(filepath.Join(work, "packages"), p, installed)
	return append(names, packages...), err
}

func (r Release) checksums(names []string) error {
	var b strings.Builder
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(r.Into, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(data), name)
	}
	return os.WriteFile(filepath.Join(r.Into, sums), []byte(b.String()), 0o644)
}
