// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nobody owns the store in the image, and is who the exporter runs as.
const nobody = 65534

// baseLayer is what the programs find in the image.
func baseLayer(root string, at time.Time) (v1.Layer, error) {
	tree := newTree(at)
	for _, dir := range []string{"etc", "etc/ssl", "etc/ssl/certs"} {
		tree.dir(dir)
	}
	tree.file("etc/ssl/certs/ca-certificates.crt", 0o644, certificates())
	tree.entry(tar.Header{Name: "data/", Typeflag: tar.TypeDir, Mode: 0o755, Uid: nobody, Gid: nobody}, nil)
	tree.dir("licenses")
	for _, name := range []string{"LICENSE", "NOTICE"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil, err
		}
		tree.file("licenses/"+name, 0o644, text)
	}
	return tree.layer()
}

// certificates are the roots that Mozilla trusts, as the pinned module has them and not as the
// machine does that builds: the same commit trusts the same. Roots that Mozilla trusts for old
// certificates only are left out, since a file of certificates can't say until when.
func certificates() []byte {
	var file bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			file.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return file.Bytes()
}

// tree is the files of a layer, as they are written.
type tree struct {
	at   time.Time
	out  bytes.Buffer
	tar  *tar.Writer
	errs []error
}

func newTree(at time.Time) *tree {
	t := &tree{at: at}
	t.tar = tar.NewWriter(&t.out)
	return t
}

func (t *tree) dir(name string) {
	t.entry(tar.Header{Name: name + "/", Typeflag: tar.TypeDir, Mode: 0o755}, nil)
}

func (t *tree) file(name string, mode int64, content []byte) {
	t.entry(tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(content))}, content)
}

func (t *tree) entry(h tar.Header, content []byte) {
	h.ModTime = t.at
	if err := t.tar.WriteHeader(&h); err != nil {
		t.errs = append(t.errs, err)
		return
	}
	_, err := t.tar.Write(content)
	t.errs = append(t.errs, err)
}

func (t *tree) layer() (v1.Layer, error) {
	if err := errors.Join(append(t.errs, t.tar.Close())...); err != nil {
		return nil, err
	}
	opener := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(t.out.Bytes())), nil }
	return tarball.LayerFromOpener(opener, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
}
