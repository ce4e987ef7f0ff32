// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"regexp"

	"go.yaml.in/yaml/v3"
)

// OpenElectricity is a network of Australia, or one of its regions.
type OpenElectricity struct {
	Endpoint `yaml:",inline"`
	Token    `yaml:",inline"`
	Network  string `yaml:"network"` // NEM, in the east, or WEM
	Region   string `yaml:"region"`  // such as NSW1; empty: the whole network
}

// UnmarshalYAML sets the section's defaults first.
func (o *OpenElectricity) UnmarshalYAML(section *yaml.Node) error {
	*o = OpenElectricity{Endpoint: endpointAt("https", "api.openelectricity.org.au"), Network: "NEM"}
	type plain OpenElectricity
	return section.Decode((*plain)(o))
}

// australianRegion is how the codes of regions look.
var australianRegion = regexp.MustCompile(`^[A-Z]{2,4}[0-9]?$`)

func (o *OpenElectricity) validate(f *faults, path string) {
	o.Endpoint.validate(f, path)
	o.Token.validate(f, path)
	validateOneOf(f, path+".network", o.Network, "NEM", "WEM")
	if o.Region != "" && !australianRegion.MatchString(o.Region) {
		f.key(path+".region", "must be the code of a region of the network, such as NSW1, is %q", o.Region)
	}
}

func (o *OpenElectricity) grid() string {
	if o.Region != "" {
		return o.Region
	}
	return o.Network
}
