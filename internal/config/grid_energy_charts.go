// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// EnergyCharts is the API of Energy-Charts: what generates in a country of Europe.
type EnergyCharts struct {
	Endpoint `yaml:",inline"`
	Country  string `yaml:"country"` // two letters, such as de
}

// UnmarshalYAML sets the section's defaults first.
func (e *EnergyCharts) UnmarshalYAML(section *yaml.Node) error {
	*e = EnergyCharts{Endpoint: endpointAt("https", "api.energy-charts.info")}
	type plain EnergyCharts
	return section.Decode((*plain)(e))
}

// countryCode is how the API's codes look: two letters, or three, such as all and eu.
var countryCode = regexp.MustCompile(`^[A-Za-z]{2,3}$`)

func (e *EnergyCharts) validate(f *faults, path string) {
	e.Endpoint.validate(f, path)
	if !countryCode.MatchString(e.Country) {
		f.key(path+".country", "must be the code of a country, such as de or fr, is %q", e.Country)
	}
}

func (e *EnergyCharts) grid() string { return strings.ToUpper(e.Country) }
