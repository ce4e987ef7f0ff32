// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import "go.yaml.in/yaml/v3"

// RTE is what France generates, as its grid operator publishes it. There is nothing to choose.
type RTE struct {
	Endpoint `yaml:",inline"`
}

// UnmarshalYAML sets the section's defaults first.
func (r *RTE) UnmarshalYAML(section *yaml.Node) error {
	*r = RTE{Endpoint: endpointAt("https", "odre.opendatasoft.com")}
	type plain RTE
	return section.Decode((*plain)(r))
}

func (r *RTE) validate(f *faults, path string) { r.Endpoint.validate(f, path) }

func (r *RTE) grid() string { return "FR" }
