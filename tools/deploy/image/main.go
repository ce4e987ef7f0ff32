// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command image writes the container image of this repository as an OCI layout: no daemon, no
// root and no base image are needed, and the same commit gives the same bytes. It must not know
// how the programs are built; `make image` builds them and runs it. Start with build.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

func main() {
	root := flag.String("root", ".", "directory of the repository")
	programs := flag.String("programs", "bin", "directory with the programs, in linux-amd64 and linux-arm64")
	into := flag.String("into", "bin/image", "directory of the layout, which must not exist")
	revision := flag.String("revision", "", "commit of the programs")
	date := flag.String("date", "", "time of the image and of its files, as RFC 3339: that of the commit")
	flag.Parse()
	digest, err := write(*root, *programs, *into, *revision, *date)
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
	fmt.Println(*into, digest)
}

// write returns the digest of the image of all platforms, which a registry will show.
func write(root, programs, into, revision, date string) (digest v1.Hash, err error) {
	created, err := time.Parse(time.RFC3339, date)
	if err != nil {
		return digest, fmt.Errorf("-date: %w", err)
	}
	if _, err := os.Lstat(into); err == nil {
		return digest, fmt.Errorf("%s exists: remove it first", into)
	}
	version, err := os.ReadFile(filepath.Join(root, "VERSION"))
	if err != nil {
		return digest, err
	}
	about := about{version: strings.TrimSpace(string(version)), revision: revision, created: created.UTC()}
	index, err := build(root, programs, about)
	if err != nil {
		return digest, err
	}
	target, err := layout.Write(into, empty.Index)
	if err != nil {
		return digest, err
	}
	// The name in `skopeo copy oci:bin/image:0.1.0` and `podman pull oci:bin/image:0.1.0`.
	if err := target.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": about.version})); err != nil {
		return digest, err
	}
	return index.Digest()
}
