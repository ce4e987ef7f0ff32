// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The types of the OCI image specification, as far as a runtime reads them. They are not those
// of the library that writes, so that a fault of it would show.
type (
	descriptor struct {
		MediaType   string
		Digest      string
		Size        int64
		Platform    struct{ OS, Architecture string }
		Annotations map[string]string
	}
	index struct {
		SchemaVersion int
		MediaType     string
		Manifests     []descriptor
		Annotations   map[string]string
	}
	manifest struct {
		SchemaVersion int
		MediaType     string
		Config        descriptor
		Layers        []descriptor
	}
	configuration struct {
		Created, OS, Architecture string
		Config                    struct {
			User            string
			ExposedPorts    map[string]struct{}
			Volumes         map[string]struct{}
			Entrypoint, Cmd []string
			Env             []string
			WorkingDir      string
			Labels          map[string]string
		}
		RootFS struct {
			Type    string
			DiffIDs []string `json:"diff_ids"`
		}
		History []struct{ Created string }
	}
	entry struct {
		tar.Header
		content []byte
	}
)

// container is an image for one platform.
type container struct {
	configuration
	files map[string]entry
}

// readLayout follows the digests from index.json, and checks each.
func readLayout(t *testing.T, dir string) (top descriptor, platforms index, containers map[string]container) {
	t.Helper()
	if got := file(t, dir, "oci-layout"); !bytes.Contains(got, []byte(`"imageLayoutVersion":`)) {
		t.Fatalf("oci-layout: %s", got)
	}
	var outer index
	decode(t, file(t, dir, "index.json"), &outer)
	if len(outer.Manifests) != 1 {
		t.Fatalf("%d images in the layout", len(outer.Manifests))
	}
	top = outer.Manifests[0]
	decode(t, blob(t, dir, top, "application/vnd.oci.image.index.v1+json"), &platforms)
	containers = map[string]container{}
	for _, d := range platforms.Manifests {
		var m manifest
		decode(t, blob(t, dir, d, "application/vnd.oci.image.manifest.v1+json"), &m)
		c := container{files: map[string]entry{}}
		decode(t, blob(t, dir, m.Config, "application/vnd.oci.image.config.v1+json"), &c.configuration)
		if len(m.Layers) != len(c.RootFS.DiffIDs) || len(m.Layers) != len(c.History) || c.RootFS.Type != "layers" {
			t.Fatalf("%d layers, %d of them named", len(m.Layers), len(c.RootFS.DiffIDs))
		}
		for i, l := range m.Layers {
			c.unpack(t, blob(t, dir, l, "application/vnd.oci.image.layer.v1.tar+gzip"), c.RootFS.DiffIDs[i])
		}
		if d.Platform.OS != c.OS || d.Platform.Architecture != c.Architecture {
			t.Errorf("the index says %v, the image %s/%s", d.Platform, c.OS, c.Architecture)
		}
		containers[c.OS+"/"+c.Architecture] = c
	}
	return top, platforms, containers
}

func (c container) unpack(t *testing.T, layer []byte, diffID string) {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(layer))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	if got := digest(plain); got != diffID {
		t.Errorf("a layer is %s, not %s", got, diffID)
	}
	files := tar.NewReader(bytes.NewReader(plain))
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := c.files[h.Name]; twice {
			t.Errorf("%s is there twice", h.Name)
		}
		c.files[h.Name] = entry{*h, content}
	}
}

func blob(t *testing.T, dir string, d descriptor, mediaType string) []byte {
	t.Helper()
	if d.MediaType != mediaType {
		t.Errorf("%s is a %s, not a %s", d.Digest, d.MediaType, mediaType)
	}
	algorithm, hash, _ := strings.Cut(d.Digest, ":")
	content := file(t, dir, "blobs", algorithm, hash)
	if digest(content) != d.Digest || int64(len(content)) != d.Size {
		t.Fatalf("%s has %d bytes, not %d, or other ones", d.Digest, len(content), d.Size)
	}
	return content
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func file(t *testing.T, path ...string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}
