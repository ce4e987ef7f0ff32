// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import "go.yaml.in/yaml/v3"

// UK is the UK Carbon Intensity API: for a region, a postcode or, if neither is set, the
// nation.
type UK struct {
	Endpoint `yaml:",inline"`
	RegionID int    `yaml:"region_id"` // 1 to 17; 0: none
	Postcode string `yaml:"postcode"`  // outward code, such as OX11
}

func defaultUK() UK { return UK{Endpoint: endpointAt("https", "api.carbonintensity.org.uk")} }

// UnmarshalYAML sets the section's defaults first.
func (u *UK) UnmarshalYAML(section *yaml.Node) error {
	*u = defaultUK()
	type plain UK
	return section.Decode((*plain)(u))
}

func (u *UK) grid() string { return "" }
