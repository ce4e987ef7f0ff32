// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"slices"
)

// archive writes a .tar.gz, or a .zip for Windows, and returns its name.
func (r Release) archive(name string, p Platform, contents []File) (string, error) {
	contents = slices.SortedFunc(slices.Values(contents), func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	pack, file := r.tarball, name+".tar.gz"
	if p.OS == "windows" {
		pack, file = r.zip, name+".zip"
	}
	data, err := pack(name, contents)
	if err != nil {
		return "", err
	}
	return file, os.WriteFile(filepath.Join(r.Into, file), data, 0o644)
}

func (r Release) tarball(name string, contents []File) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.DefaultCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(z)
	for _, f := range contents {
		h := &tar.Header{Name: name + "/" + f.Path, Mode: int64(f.mode()), Size: int64(len(f.Data)), ModTime: r.Date, Format: tar.FormatUSTAR}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, err
		}
	}
	err = errors.Join(w.Close(), z.Close())
	return b.Bytes(), err
}

func (r Release) zip(name string, contents []File) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range contents {
		h := &zip.FileHeader{Name: name + "/" + f.Path, Method: zip.Deflate, Modified: r.Date}
		h.SetMode(f.mode())
		to, err := w.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := to.Write(f.Data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}
