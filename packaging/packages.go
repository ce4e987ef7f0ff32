// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	"github.com/goreleaser/nfpm/v2/rpm"
)

const (
	packageName = "carbon-exporter"
	website     = "https://github.com/carbon-exporter/carbon_exporter"
	// There is no address for mail: MAINTAINERS.md and SECURITY.md say how to reach people there.
	maintainer  = "The carbon_exporter Authors <" + website + ">"
	description = `energy and carbon of a research cloud, for Prometheus
carbon_exporter asks a Prometheus for the CPU seconds of each machine and
makes energy and emissions of them, by project, machine type, user and
group, with the carbon intensity of the grid in each half hour. It keeps them
in one SQLite file and serves them to Prometheus. carbontool checks, reports,
fills and exports what is kept.`
)

// packages writes the Debian and the RPM package of a platform.
func (r Release) packages(work string, p Platform, contents []File) ([]string, error) {
	var names []string
	for _, kind := range []struct {
		name     string
		packager nfpm.Packager
	}{{"deb", deb.Default}, {"rpm", rpm.DefaultRPM}} {
		info, err := r.info(filepath.Join(work, kind.name), kind.name, p, contents)
		if err != nil {
			return nil, err
		}
		if err := nfpm.PrepareForPackager(info, kind.name); err != nil {
			return nil, fmt.Errorf("%s: %w", kind.name, err)
		}
		name := kind.packager.ConventionalFileName(info)
		f, err := os.Create(filepath.Join(r.Into, name))
		if err != nil {
			return nil, err
		}
		if err := errors.Join(kind.packager.Package(info, f), f.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", kind.name, err)
		}
		names = append(names, name)
	}
	return names, nil
}

// info describes a package whose files are put into a folder first.
func (r Release) info(work, kind string, p Platform, contents []File) (*nfpm.Info, error) {
	info := &nfpm.Info{
		Name: packageName, Arch: p.Arch, Platform: p.OS, Version: r.Version, Section: "net", Priority: "optional",
		Maintainer: maintainer, Homepage: website, License: "Apache-2.0", Description: description, MTime: r.Date,
		DisableGlobbing: true,
	}
	script := func(name string) (path string, err error) {
		path = filepath.Join(work, name)
		return path, errors.Join(os.MkdirAll(work, 0o755), os.WriteFile(path, own(name), 0o755))
	}
	var errs [4]error
	switch kind {
	case "deb":
		info.Deb.Compression = "gzip"
		info.Depends = []string{
			"systemd | systemd-standalone-sysusers | systemd-sysusers",
			"systemd | systemd-standalone-tmpfiles | systemd-tmpfiles",
		}
		info.Recommends = []string{"ca-certificates", "tzdata"}
		info.Scripts.PostInstall, errs[0] = script("deb-postinst")
		info.Scripts.PreRemove, errs[1] = script("deb-prerm")
		info.Scripts.PostRemove, errs[2] = script("deb-postrm")
	case "rpm":
		info.Release = "1"
		info.RPM.Compression = "gzip"
		info.RPM.BuildHost = "localhost" // the name of this machine is nobody's concern
		info.RPM.Group = "Applications/System"
		info.RPM.Summary, _, _ = strings.Cut(description, "\n")
		info.RPM.Packager = maintainer
		info.Vendor = "The carbon_exporter Authors"
		info.Depends = []string{"systemd"}
		info.Recommends = []string{"ca-certificates", "tzdata"}
		info.Scripts.PreInstall, errs[0] = script("rpm-pre")
		info.Scripts.PostInstall, errs[1] = script("rpm-post")
		info.Scripts.PreRemove, errs[2] = script("rpm-preun")
		info.Scripts.PostRemove, errs[3] = script("rpm-postun")
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	var err error
	info.Contents, err = r.contents(filepath.Join(work, "root"), kind, contents)
	return nfpm.WithDefaults(info), err
}

// contents writes the files of a package into a folder for nfpm, which reads them there.
func (r Release) contents(root, kind string, all []File) (files.Contents, error) {
	group := map[string]string{"deb": "root", "rpm": "carbon_exporter"}[kind] // of Debian, postinst gives it
	dir := func(path string, mode fs.FileMode, group string) *files.Content {
		return &files.Content{Destination: path, Type: "dir", FileInfo: r.fileInfo(mode, group)}
	}
	list := files.Contents{
		dir("/etc/carbon_exporter", 0o750, group),
		dir("/usr/share/carbon_exporter", 0o755, "root"),
		dir("/usr/share/carbon_exporter/rules", 0o755, "root"),
		dir("/usr/share/carbon_exporter/dashboards", 0o755, "root"),
		dir(strings.TrimSuffix(doc, "/"), 0o755, "root"),
		dir(doc+"examples", 0o755, "root"),
	}
	if kind == "rpm" { // of Debian, postinst makes it by tmpfiles.d
		state := dir("/var/lib/carbon_exporter", 0o750, group)
		state.FileInfo.Owner = "carbon_exporter"
		list = append(list, state)
	}
	for _, f := range all {
		if f.For != "" && f.For != kind {
			continue
		}
		if kind == "rpm" {
			f.Path = strings.Replace(f.Path, "/zsh/vendor-completions/", "/zsh/site-functions/", 1)
		}
		path := filepath.Join(root, f.Path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, f.Data, 0o644)); err != nil {
			return nil, err
		}
		c := &files.Content{Source: path, Destination: f.Path, FileInfo: r.fileInfo(f.mode(), "root")}
		if f.Group != "" {
			c.FileInfo.Group = group
		}
		if f.Config {
			c.Type = "config|noreplace"
		}
		list = append(list, c)
	}
	return list, nil
}

func (f File) mode() fs.FileMode {
	if f.Mode == 0 {
		return 0o644
	}
	return f.Mode
}

func (r Release) fileInfo(mode fs.FileMode, group string) *files.ContentFileInfo {
	return &files.ContentFileInfo{Owner: "root", Group: group, Mode: mode, MTime: r.Date}
}
