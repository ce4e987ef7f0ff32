// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"regexp"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// ElectricityMaps is the API of Electricity Maps.
type ElectricityMaps struct {
	Endpoint    `yaml:",inline"`
	Token       `yaml:",inline"`
	Zone        string         `yaml:"zone"`
	Granularity string         `yaml:"granularity"` // one of those below
	Estimates   bool           `yaml:"estimates"`   // whether values that are not measured count
	Horizon     model.Duration `yaml:"horizon"`     // of forecasts; 0: none
}

// The granularities of Electricity Maps, in its own words.
const (
	GranularityFive    = "5_minutes"
	GranularityQuarter = "15_minutes"
	GranularityHour    = "hourly"
)

// emZone is the name of a zone at Electricity Maps.
var emZone = regexp.MustCompile(`^[A-Z0-9]+(-[A-Z0-9]+)*$`)

// UnmarshalYAML sets the section's defaults first.
func (e *ElectricityMaps) UnmarshalYAML(section *yaml.Node) error {
	*e = ElectricityMaps{
		Endpoint: endpointAt("https", "api.electricitymaps.com"), Granularity: GranularityHour,
		Estimates: true, Horizon: model.Duration(48 * time.Hour),
	}
	e.URL.Path = "/v4"
	type plain ElectricityMaps
	return section.Decode((*plain)(e))
}

func (e *ElectricityMaps) grid() string { return e.Zone }

func (e *ElectricityMaps) validate(f *faults, path string) {
	e.Endpoint.validate(f, path)
	e.Token.validate(f, path)
	if !emZone.MatchString(e.Zone) {
		f.key(path+".zone", "must be a zone of Electricity Maps, such as FR or US-CAL-CISO, is %q", e.Zone)
	}
	validateOneOf(f, path+".granularity", e.Granularity, GranularityFive, GranularityQuarter, GranularityHour)
	switch hours := time.Duration(e.Horizon).Hours(); hours {
	case 0, 6, 24, 48, 72:
	default:
		f.key(path+".horizon", "must be 6h, 24h, 48h or 72h, or 0s for no forecasts, is %s", e.Horizon)
	}
}
