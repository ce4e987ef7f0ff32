// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// DefaultProfile is the profile of a file that names none.
const DefaultProfile = "node_exporter"

//go:embed profiles/*.yml
var profiles embed.FS

// Profiles lists the names of all profiles, the default first.
func Profiles() []string {
	files, err := profiles.ReadDir("profiles")
	if err != nil {
		return nil // the directory is part of the program
	}
	names := []string{DefaultProfile}
	for _, f := range files {
		if name := strings.TrimSuffix(f.Name(), ".yml"); name != DefaultProfile {
			names = append(names, name)
		}
	}
	return names
}

// ProfileText returns the file of a profile: what a prometheus section would have to say
// without it. It is fs.ErrNotExist if there is none.
func ProfileText(name string) ([]byte, error) {
	if !slices.Contains(Profiles(), name) {
		return nil, fmt.Errorf("profile %q: %w", name, fs.ErrNotExist)
	}
	return profiles.ReadFile("profiles/" + name + ".yml")
}

// useProfile sets what a profile says, before the file itself is decoded: every key of the file
// wins.
func (p *Prometheus) useProfile(f *faults, name string) error {
	text, err := ProfileText(name)
	if errors.Is(err, fs.ErrNotExist) {
		f.key("prometheus.profile", "must be one of %s, is %q", strings.Join(Profiles(), ", "), name)
		return f.err()
	}
	if err != nil {
		return err
	}
	var section struct {
		Prometheus *Prometheus `yaml:"prometheus"`
	}
	section.Prometheus = p
	strict := yaml.NewDecoder(strings.NewReader(string(text)))
	strict.KnownFields(true)
	if err := strict.Decode(&section); err != nil {
		return fmt.Errorf("profile %s: %w", name, err)
	}
	return nil
}

// profileOf returns the profile that a file names.
func profileOf(root *yaml.Node) string {
	if name := valueOf(valueOf(root, "prometheus"), "profile"); name != nil {
		return name.Value
	}
	return DefaultProfile
}

// valueOf returns the value of a key of a mapping; nil: it has none.
func valueOf(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
