// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"net/url"

	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"
)

// ENTSOE is the Transparency Platform of ENTSO-E: what generated in a zone of Europe.
type ENTSOE struct {
	Endpoint `yaml:",inline"`
	Token    `yaml:",inline"`
	Zone     string `yaml:"zone"` // a bidding zone, a country, or the EIC of an area
}

// UnmarshalYAML sets the section's defaults first.
func (e *ENTSOE) UnmarshalYAML(section *yaml.Node) error {
	*e = ENTSOE{Endpoint: endpointAt("https", "web-api.tp.entsoe.eu")}
	e.URL = config.URL{URL: &url.URL{Scheme: "https", Host: "web-api.tp.entsoe.eu", Path: "/api"}}
	type plain ENTSOE
	return section.Decode((*plain)(e))
}

func (e *ENTSOE) grid() string { return e.Zone }

func (e *ENTSOE) validate(f *faults, path string) {
	e.Endpoint.validate(f, path)
	e.Token.validate(f, path)
	if e.Zone == "" {
		f.key(path+".zone", "must be given: a bidding zone or country such as DE-LU or FR, or the EIC of an area")
	}
}
