// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/rules"
)

const name = "carbon-exporter"

// sourceVersion is what Chart.yaml has in the place of a version.
const sourceVersion = "0.0.0"

// someGrafana is what the template of the rules puts a site's Grafana in the place of.
const someGrafana = "https://grafana.example.org"

// chart is a Helm chart: its files by their paths, with slashes.
type chart struct {
	version string
	files   map[string][]byte
}

// assemble reads the chart in the repository root, gives it the repository's version, and adds
// the rules and dashboards where its templates look for them.
func assemble(root string) (chart, error) {
	version, err := os.ReadFile(filepath.Join(root, "VERSION"))
	if err != nil {
		return chart{}, err
	}
	c := chart{version: strings.TrimSpace(string(version)), files: map[string][]byte{}}
	for _, part := range []func(root string) error{c.addSource, c.addRules, c.addDashboards, c.addLicence} {
		if err := part(root); err != nil {
			return chart{}, err
		}
	}
	return c, nil
}

func (c chart) addSource(root string) error {
	source := os.DirFS(filepath.Join(root, "charts", name))
	err := fs.WalkDir(source, ".", func(at string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			c.files[at], err = fs.ReadFile(source, at)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read the chart: %w", err)
	}
	about := string(c.files["Chart.yaml"])
	if n := strings.Count(about, sourceVersion); n != 2 {
		return fmt.Errorf("the version %s is in Chart.yaml %d times, and has to be there twice: as version and appVersion", sourceVersion, n)
	}
	c.files["Chart.yaml"] = []byte(strings.ReplaceAll(about, sourceVersion, c.version))
	return nil
}

func (c chart) addRules(string) error {
	files, err := rules.Files(rules.Links{Grafana: someGrafana})
	if err != nil {
		return fmt.Errorf("read the rules: %w", err)
	}
	c.files["files/rules.yml"] = []byte(rules.Joined(files))
	return nil
}

func (c chart) addDashboards(root string) error {
	paths, err := filepath.Glob(filepath.Join(root, "dashboards", "*.json"))
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("there are none in %s", filepath.Join(root, "dashboards"))
	}
	for _, p := range paths {
		if err == nil {
			c.files["files/dashboards/"+filepath.Base(p)], err = os.ReadFile(p)
		}
	}
	if err != nil {
		return fmt.Errorf("read the dashboards: %w", err)
	}
	return nil
}

func (c chart) addLicence(root string) (err error) {
	c.files["LICENSE"], err = os.ReadFile(filepath.Join(root, "LICENSE"))
	return err
}

// archive returns the chart as helm package would, but always the same bytes for the same files.
func (c chart) archive(at time.Time) ([]byte, error) {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	files := tar.NewWriter(zip)
	for _, p := range slices.Sorted(maps.Keys(c.files)) {
		h := &tar.Header{Name: path.Join(name, p), Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(c.files[p])), ModTime: at.UTC()}
		if err := files.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := files.Write(c.files[p]); err != nil {
			return nil, err
		}
	}
	if err := files.Close(); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
