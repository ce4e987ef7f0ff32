// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

//go:embed files
var embedded embed.FS

// File is a file of a package or an archive.
type File struct {
	Path  string
	Data  []byte
	Mode  fs.FileMode // 0: 0644
	Group string      // empty: root
	// Config is kept as the operator has it when a new version comes.
	Config bool
	// For is the kind of package that has it, deb or rpm; empty: both.
	For string
}

const doc = "/usr/share/doc/carbon-exporter/"

// installed is the one list of what the packages install.
func (r Release) installed(programs []string, licences []byte, docs []File) ([]File, error) {
	all := append([]File(nil), docs...)
	for i, name := range programNames {
		data, err := os.ReadFile(programs[i])
		if err != nil {
			return nil, err
		}
		all = append(all, File{Path: "/usr/bin/" + name, Data: data, Mode: 0o755})
	}
	all = append(all,
		File{Path: "/etc/carbon_exporter/carbon.yml", Data: own("carbon.yml"), Mode: 0o640, Group: "carbon_exporter", Config: true},
		File{Path: "/etc/default/carbon_exporter", Data: own("default"), Config: true},
		File{Path: "/usr/lib/sysusers.d/carbon_exporter.conf", Data: own("sysusers.conf")},
		File{Path: "/usr/lib/tmpfiles.d/carbon_exporter.conf", Data: own("tmpfiles.conf")},
		File{Path: doc + "copyright", Data: own("copyright"), For: "deb"},
		File{Path: doc + "THIRD_PARTY.gz", Data: gzipped(licences), For: "deb"},
		File{Path: "/usr/share/licenses/carbon-exporter/THIRD_PARTY", Data: licences, For: "rpm"},
	)
	changes, err := r.debianChangelog()
	if err != nil {
		return nil, err
	}
	all = append(all, File{Path: doc + "changelog.gz", Data: gzipped(changes), For: "deb"})
	for _, from := range []struct{ path, to, kind string }{
		{"NOTICE", doc, "deb"},
		{"NOTICE", "/usr/share/licenses/carbon-exporter/", "rpm"},
		{"LICENSE", "/usr/share/licenses/carbon-exporter/", "rpm"},
		{"CHANGELOG.md", doc, "rpm"},
		{"README.md", doc, ""},
		{"examples/carbon.yml", doc + "examples/", ""},
		{"examples/tls/web.yml", doc + "examples/", ""},
		{"examples/prometheus/rules/*.yml", "/usr/share/carbon_exporter/rules/", ""},
		{"dashboards/*.json", "/usr/share/carbon_exporter/dashboards/", ""},
		{"examples/systemd/*", "/usr/lib/systemd/system/", ""},
	} {
		found, err := r.source(from.path)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			f.Path, f.For = from.to+path.Base(f.Path), from.kind
			if strings.HasPrefix(from.path, "examples/systemd/") {
				if f.Data, err = unit(f.Path, f.Data); err != nil {
					return nil, err
				}
			}
			all = append(all, f)
		}
	}
	return all, nil
}

// archived is what the archives contain.
func (r Release) archived(programs []string, licences []byte, docs []File) ([]File, error) {
	all := []File{{Path: "THIRD_PARTY", Data: licences}}
	for _, program := range programs {
		data, err := os.ReadFile(program)
		if err != nil {
			return nil, err
		}
		all = append(all, File{Path: filepath.Base(program), Data: data, Mode: 0o755})
	}
	for _, d := range docs {
		all = append(all, File{Path: archivePath(d.Path), Data: d.Data})
	}
	for _, pattern := range []string{"LICENSE", "NOTICE", "README.md", "CHANGELOG.md", "dashboards/*.json"} {
		found, err := r.source(pattern)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	examples := os.DirFS(r.Root)
	err := fs.WalkDir(examples, "examples", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(examples, name)
		all = append(all, File{Path: name, Data: data})
		return err
	})
	return all, err
}

// archivePath is where an archive has a manual page or a completion: man/NAME.1.gz, fish/NAME.fish.
func archivePath(installed string) string {
	return strings.Split(strings.TrimPrefix(installed, "/usr/share/"), "/")[0] + "/" + path.Base(installed)
}

// source reads files of the repository.
func (r Release) source(pattern string) ([]File, error) {
	paths, err := fs.Glob(os.DirFS(r.Root), pattern)
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("%s: there is none", pattern)
	}
	var all []File
	for _, p := range paths {
		data, err := os.ReadFile(filepath.Join(r.Root, p))
		if err != nil {
			return nil, err
		}
		all = append(all, File{Path: p, Data: data})
	}
	return all, err
}

// own is a file of this package.
func own(name string) []byte {
	data, err := embedded.ReadFile("files/" + name)
	if err != nil {
		panic(err) // it was compiled in
	}
	return data
}
