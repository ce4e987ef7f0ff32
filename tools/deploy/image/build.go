// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// about is what the labels of an image say.
type about struct {
	version, revision string
	created           time.Time
}

func (a about) labels() map[string]string {
	const project = "https://github.com/carbon-exporter/carbon_exporter"
	return map[string]string{
		"org.opencontainers.image.title":         "carbon_exporter",
		"org.opencontainers.image.description":   "Energy and carbon emissions of a cloud, for Prometheus",
		"org.opencontainers.image.licenses":      "Apache-2.0",
		"org.opencontainers.image.vendor":        "The carbon_exporter Authors",
		"org.opencontainers.image.source":        project,
		"org.opencontainers.image.url":           project,
		"org.opencontainers.image.documentation": project + "/blob/main/README.md",
		"org.opencontainers.image.version":       a.version,
		"org.opencontainers.image.revision":      a.revision,
		"org.opencontainers.image.created":       a.created.Format(time.RFC3339),
	}
}

// platforms are those of the image, each with the machine that its programs are for.
var platforms = []struct {
	arch    string
	machine elf.Machine
}{
	{"amd64", elf.EM_X86_64},
	{"arm64", elf.EM_AARCH64},
}

// build makes the image of all platforms out of the directories linux-ARCH in programs.
func build(root, programs string, a about) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	base, err := baseLayer(root, a.created)
	if err != nil {
		return nil, err
	}
	for _, p := range platforms {
		tree := newTree(a.created)
		tree.dir("bin")
		for _, name := range []string{"carbon_exporter", "carbontool"} {
			program, err := readProgram(filepath.Join(programs, "linux-"+p.arch, name), p.machine)
			if err != nil {
				return nil, err
			}
			tree.file("bin/"+name, 0o755, program)
		}
		layer, err := tree.layer()
		if err != nil {
			return nil, err
		}
		image, err := platformImage(p.arch, a, base, layer)
		if err != nil {
			return nil, fmt.Errorf("image for %s: %w", p.arch, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: p.arch}},
		})
	}
	annotated, ok := mutate.Annotations(index, a.labels()).(v1.ImageIndex)
	if !ok {
		return nil, fmt.Errorf("an index with annotations is a %T", annotated)
	}
	return annotated, nil
}

// platformImage is the same container as that of the Dockerfile: a test compares them.
func platformImage(arch string, a about, base, programs v1.Layer) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	created := v1.Time{Time: a.created}
	image, err := mutate.Append(image,
		mutate.Addendum{Layer: base, History: v1.History{Created: created, CreatedBy: "make image", Comment: "certificates, /data, licence"}},
		mutate.Addendum{Layer: programs, History: v1.History{Created: created, CreatedBy: "make image", Comment: "carbon_exporter, carbontool"}},
	)
	if err != nil {
		return nil, err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Created = "linux", arch, created
	file.Config = v1.Config{
		User:         "65534:65534",
		ExposedPorts: map[string]struct{}{"9977/tcp": {}},
		Volumes:      map[string]struct{}{"/data": {}},
		Entrypoint:   []string{"/bin/carbon_exporter"},
		Cmd:          []string{"--config.file=/etc/carbon_exporter/carbon.yml", "--storage.path=/data/carbon.db"},
		Env:          []string{"PATH=/bin"},
		WorkingDir:   "/",
		Labels:       a.labels(),
	}
	return mutate.ConfigFile(image, file)
}

// readProgram refuses what could not run in the image: a program for another machine, or one
// that wants a loader and libraries.
func readProgram(path string, machine elf.Machine) ([]byte, error) {
	program, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w; `make image` builds it", err)
	}
	file, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return nil, fmt.Errorf("%s is no program for Linux: %w", path, err)
	}
	if file.Machine != machine {
		return nil, fmt.Errorf("%s is for %v, not %v", path, file.Machine, machine)
	}
	for _, part := range file.Progs {
		if part.Type == elf.PT_INTERP {
			return nil, fmt.Errorf("%s is dynamically linked, and the image has no libraries: build it with CGO_ENABLED=0", path)
		}
	}
	return program, nil
}
