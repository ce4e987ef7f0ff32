// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// GridPrometheus is a series of carbon intensity that a Prometheus has.
type GridPrometheus struct {
	Endpoint `yaml:",inline"` // without URL: the server of the section prometheus, with its client
	Query    string           `yaml:"query"` // PromQL that returns one series
	Unit     string           `yaml:"unit"`
	Hold     model.Duration   `yaml:"hold"` // how long a value counts until the next
}

// UnmarshalYAML sets the section's defaults first.
func (p *GridPrometheus) UnmarshalYAML(section *yaml.Node) error {
	*p = GridPrometheus{Endpoint: Endpoint{HTTPClientConfig: config.DefaultHTTPClientConfig}, Unit: "g/kWh", Hold: model.Duration(time.Hour)}
	type plain GridPrometheus
	return section.Decode((*plain)(p))
}

// maxGridHold is half a day: what is older says nothing of now.
const maxGridHold = 12 * time.Hour

func (p *GridPrometheus) validate(f *faults, path string) {
	switch own := !reflect.DeepEqual(p.HTTPClientConfig, config.DefaultHTTPClientConfig); {
	case p.URL.URL != nil:
		p.Endpoint.validate(f, path)
	case own:
		f.key(path, "must have a url of its own to have credentials and other settings of a client of its own")
	}
	validateQuery(f, path+".query", p.Query)
	validateOneOf(f, path+".unit", p.Unit, slices.Sorted(maps.Keys(usage.IntensityUnits))...)
	if hold := time.Duration(p.Hold); hold > maxGridHold || hold%time.Minute != 0 {
		f.key(path+".hold", "must be whole minutes, at most %s, is %s", model.Duration(maxGridHold), p.Hold)
	}
}

// The operator knows the grid, not the series.
func (p *GridPrometheus) grid() string { return usage.Unknown }
