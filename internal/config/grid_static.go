// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"

	"go.yaml.in/yaml/v3"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Static is one intensity for all time. It is written as a mapping or as the number alone.
type Static struct {
	GCO2eqPerKWh *float64 `yaml:"gco2eq_per_kwh,omitempty"` // never nil where it is used
	Grid         string   `yaml:"grid"`
	Source       string   `yaml:"source,omitempty"` // where the value is from, for people
}

// staticKeys is a Static that is a mapping.
type staticKeys Static

func (Static) form(kind string) (reflect.Type, string) {
	switch kind {
	case mapping:
		return reflect.TypeFor[staticKeys](), ""
	case scalar:
		return reflect.TypeFor[float64](), ""
	}
	return nil, "a number, or a mapping with gco2eq_per_kwh"
}

// UnmarshalYAML sets the section's defaults first. The value itself has none: whose it would be
// is not known.
func (s *Static) UnmarshalYAML(section *yaml.Node) error {
	*s = Static{Grid: usage.Unknown}
	if kindOf(section) == scalar {
		return section.Decode(&s.GCO2eqPerKWh)
	}
	return section.Decode((*staticKeys)(s))
}

func (s *Static) grid() string { return s.Grid }
