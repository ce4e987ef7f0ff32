// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command manifests writes the rules and dashboards of this repository as Kubernetes objects for
// kube-prometheus-stack. It must not know what is in them; internal/manifests has their form.
// `make kubernetes` runs it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/manifests"
	"github.com/carbon-exporter/carbon_exporter/internal/rules"
)

func main() {
	into := flag.String("into", ".", "directory of the files")
	dashboards := flag.String("dashboards", "dashboards", "directory of the dashboards' JSON")
	release := flag.String("release", "kube-prometheus-stack", "name of the Helm release of kube-prometheus-stack")
	flag.Parse()
	if err := write(*into, *dashboards, *release); err != nil {
		fmt.Fprintln(os.Stderr, "manifests:", err)
		os.Exit(1)
	}
}

func write(into, dashboards, release string) error {
	files, err := rules.Files(rules.Links{})
	if err != nil {
		return fmt.Errorf("read the rules: %w", err)
	}
	boards, err := boards(dashboards)
	if err != nil {
		return fmt.Errorf("read the dashboards: %w", err)
	}
	if err := os.MkdirAll(into, 0o755); err != nil {
		return err
	}
	for name, text := range map[string]string{
		"rules.yml":      manifests.Rules(rules.Joined(files), release),
		"dashboards.yml": strings.Join(boards, "---\n"),
	} {
		path := filepath.Join(into, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
		fmt.Println(path)
	}
	return nil
}

// boards is a ConfigMap for each dashboard.
func boards(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err == nil && len(paths) == 0 {
		err = errors.New("there are none in " + dir)
	}
	if err != nil {
		return nil, err
	}
	all := make([]string, len(paths))
	for i, path := range paths {
		json, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		all[i] = manifests.Dashboard(filepath.Base(path), string(json))
	}
	return all, nil
}
