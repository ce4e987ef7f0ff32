// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"regexp"

	"go.yaml.in/yaml/v3"
)

// EIA is the API of the Energy Information Administration: what generated in a part of the USA.
type EIA struct {
	Endpoint   `yaml:",inline"`
	Token      `yaml:",inline"`
	Respondent string `yaml:"respondent"` // a balancing authority or region, such as CISO or US48
}

// UnmarshalYAML sets the section's defaults first.
func (e *EIA) UnmarshalYAML(section *yaml.Node) error {
	*e = EIA{Endpoint: endpointAt("https", "api.eia.gov")}
	type plain EIA
	return section.Decode((*plain)(e))
}

func (e *EIA) grid() string { return e.Respondent }

// respondentCode is how EIA's codes of respondents look.
var respondentCode = regexp.MustCompile(`^[A-Z0-9]{1,8}$`)

func (e *EIA) validate(f *faults, path string) {
	e.Endpoint.validate(f, path)
	e.Token.validate(f, path)
	if !respondentCode.MatchString(e.Respondent) {
		f.key(path+".respondent", "must be the code of a balancing authority or region, such as CISO or US48, is %q", e.Respondent)
	}
}
