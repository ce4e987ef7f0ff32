// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import "reflect"

// Kinds are what a source can be; exactly one is not nil. Each has a file of its own.
type Kinds struct {
	UK              *UK              `yaml:"uk,omitempty"`
	Static          *Static          `yaml:"static,omitempty"`
	Prometheus      *GridPrometheus  `yaml:"prometheus,omitempty"`
	ElectricityMaps *ElectricityMaps `yaml:"electricity_maps,omitempty"`
	WattTime        *WattTime        `yaml:"watttime,omitempty"`
	EnergyCharts    *EnergyCharts    `yaml:"energy_charts,omitempty"`
	ENTSOE          *ENTSOE          `yaml:"entsoe,omitempty"`
	RTE             *RTE             `yaml:"rte,omitempty"`
	Energinet       *Energinet       `yaml:"energinet,omitempty"`
	OpenElectricity *OpenElectricity `yaml:"openelectricity,omitempty"`
	EIA             *EIA             `yaml:"eia,omitempty"`
	Table           *Table           `yaml:"table,omitempty"`
}

var kindsType = reflect.TypeFor[Kinds]()

// kind is what all sources have.
type kind interface {
	validate(f *faults, path string)
	// grid is the name of its grid; empty: the source itself knows better.
	grid() string
}

// Kind is the name of the kind of a source, as the configuration has it.
func (k Kinds) Kind() string {
	for name := range k.all() {
		return name
	}
	return ""
}

// Endpoint is where a source is asked; empty: nowhere.
func (k Kinds) Endpoint() Endpoint {
	for _, one := range k.all() {
		if at, ok := one.(asked); ok {
			return *at.endpoint()
		}
	}
	return Endpoint{}
}

// NeedsKey reports whether a source has the key of an API.
func (k Kinds) NeedsKey() bool {
	for _, one := range k.all() {
		if _, ok := one.(interface{ tokenFile() *string }); ok {
			return true
		}
	}
	return false
}

// all lists the kinds that are set, by name.
func (k Kinds) all() map[string]kind {
	found := map[string]kind{}
	v := reflect.ValueOf(k)
	for _, field := range keyFields(v.Type()) {
		if p := v.Field(field.index); !p.IsNil() {
			found[field.name], _ = reflect.TypeAssert[kind](p)
		}
	}
	return found
}

// copied is the kinds with a value of its own for the one that is set.
func (k Kinds) copied() Kinds {
	v := reflect.ValueOf(&k).Elem()
	for _, p := range v.Fields() {
		if !p.IsNil() {
			fresh := reflect.New(p.Type().Elem())
			fresh.Elem().Set(p.Elem())
			p.Set(fresh)
		}
	}
	return k
}
