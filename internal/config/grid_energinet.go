// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import "go.yaml.in/yaml/v3"

// Energinet is a price area of Denmark, as its grid operator publishes it.
type Energinet struct {
	Endpoint `yaml:",inline"`
	Area     string `yaml:"area"` // DK1, in the west, or DK2
}

// UnmarshalYAML sets the section's defaults first.
func (e *Energinet) UnmarshalYAML(section *yaml.Node) error {
	*e = Energinet{Endpoint: endpointAt("https", "api.energidataservice.dk")}
	type plain Energinet
	return section.Decode((*plain)(e))
}

func (e *Energinet) validate(f *faults, path string) {
	e.Endpoint.validate(f, path)
	validateOneOf(f, path+".area", e.Area, "DK1", "DK2")
}

func (e *Energinet) grid() string { return e.Area }
