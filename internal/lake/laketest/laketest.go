// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package laketest publishes real stores to a directory, for the tests of those who read lakes. It
// knows the publisher and files. Start with Dir.Publish.
package laketest

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/thanos-io/objstore"

	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/lake/bucket"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Dir is the directory of a bucket.
type Dir struct {
	testing.TB
	Path string
}

// New returns an empty bucket.
func New(tb testing.TB) Dir {
	tb.Helper()
	return Dir{tb, filepath.Join(tb.TempDir(), "bucket")}
}

// Config writes a configuration file of the bucket beside it, and returns its name.
func (d Dir) Config() string {
	d.Helper()
	name := d.Path + ".yml"
	if err := os.WriteFile(name, []byte("type: FILESYSTEM\nconfig: {directory: "+d.Path+"}\n"), 0o600); err != nil {
		d.Fatal(err)
	}
	return name
}

// Bucket opens the bucket.
func (d Dir) Bucket() objstore.Bucket {
	d.Helper()
	b, _, err := d.open()
	if err != nil {
		d.Fatal(err)
	}
	return b
}

func (d Dir) open() (b objstore.Bucket, place string, err error) {
	c, err := bucket.Parse([]byte("type: FILESYSTEM\nconfig: {directory: "+d.Path+"}"), "test")
	if err != nil {
		return nil, "", err
	}
	b, err = c.Open()
	return b, c.Place, err
}

// Publish publishes all that a store has to publish, at a time.
func (d Dir) Publish(st lake.Store, site string, zone *time.Location, at time.Time) {
	d.Helper()
	p := &lake.Publisher{
		Store: st, Open: d.open, Site: site, Timezone: zone.String(), Spool: d.TempDir(),
		Now: func() time.Time { return at }, Log: slog.New(slog.DiscardHandler),
	}
	if err := errors.Join(p.Publish(d.Context(), func(usage.LakeState) {}), p.Close()); err != nil {
		d.Fatal(err)
	}
}

// Manifest reads a manifest; nil: there is none.
func (d Dir) Manifest(site string, day lake.Day) *lake.Manifest {
	d.Helper()
	text, err := os.ReadFile(filepath.Join(d.Path, lake.ManifestPath(site, day)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		d.Fatal(err)
	}
	m, err := lake.DecodeManifest(text, site, day)
	if err != nil {
		d.Fatal(err)
	}
	return m
}

// Commit writes a manifest as it is, with another generation.
func (d Dir) Commit(m *lake.Manifest) {
	d.Helper()
	m.Generation++
	text, err := m.Encode()
	if err != nil {
		d.Fatal(err)
	}
	d.Write(lake.ManifestPath(m.Site, m.Day), text)
}

// Read returns an object.
func (d Dir) Read(name string) []byte {
	d.Helper()
	text, err := os.ReadFile(filepath.Join(d.Path, name))
	if err != nil {
		d.Fatal(err)
	}
	return text
}

// Write writes an object.
func (d Dir) Write(name string, text []byte) {
	d.Helper()
	name = filepath.Join(d.Path, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		d.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o600); err != nil {
		d.Fatal(err)
	}
}

// Remove deletes an object.
func (d Dir) Remove(name string) {
	d.Helper()
	if err := os.Remove(filepath.Join(d.Path, name)); err != nil {
		d.Fatal(err)
	}
}

// Rows are the rows of an object.
func Rows[T lake.Row](d Dir, name string) (rows []T) {
	d.Helper()
	text := d.Read(name)
	if err := lake.Read(bytes.NewReader(text), int64(len(text)), func(row T) error {
		rows = append(rows, row)
		return nil
	}); err != nil {
		d.Fatal(err)
	}
	return rows
}

// Replace writes an object with other rows, and returns what it is now.
func Replace[T lake.Row](d Dir, name string, rows []T) lake.Object {
	d.Helper()
	var out bytes.Buffer
	w := lake.NewWriter[T](&out)
	if err := w.Write(rows); err != nil {
		d.Fatal(err)
	}
	o, err := w.Close()
	if err != nil {
		d.Fatal(err)
	}
	d.Write(name, out.Bytes())
	o.Path = name
	return o
}
