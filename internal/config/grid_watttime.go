// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"regexp"

	"go.yaml.in/yaml/v3"
)

// WattTime is version 3 of the API of WattTime. Its account is basic_auth of the endpoint.
type WattTime struct {
	Endpoint `yaml:",inline"`
	Region   string `yaml:"region"`
	Signal   string `yaml:"signal"` // one of those below
}

// The signals of WattTime that are emissions of a kWh.
const (
	SignalAverage  = "co2_aoer" // of all plants
	SignalMarginal = "co2_moer" // of one more kWh
)

// wattTimeRegion is the name of a region at WattTime.
var wattTimeRegion = regexp.MustCompile(`^[A-Z0-9_-]+$`)

// UnmarshalYAML sets the section's defaults first.
func (w *WattTime) UnmarshalYAML(section *yaml.Node) error {
	*w = WattTime{Endpoint: endpointAt("https", "api.watttime.org"), Signal: SignalAverage}
	type plain WattTime
	return section.Decode((*plain)(w))
}

func (w *WattTime) grid() string { return w.Region }

func (w *WattTime) validate(f *faults, path string) {
	w.Endpoint.validate(f, path)
	if !wattTimeRegion.MatchString(w.Region) {
		f.key(path+".region", "must be a region of WattTime, such as CAISO_NORTH, is %q", w.Region)
	}
	validateOneOf(f, path+".signal", w.Signal, SignalAverage, SignalMarginal)
	a := w.HTTPClientConfig.BasicAuth
	if a == nil || a.Username == "" && a.UsernameFile == "" || a.Password == "" && a.PasswordFile == "" {
		f.key(path+".basic_auth", "must have username and password_file (or password), those of the account at WattTime")
	}
}
