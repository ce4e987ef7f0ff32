// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/embodied"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Embodied returns the hardware under machine types; nil if the configuration has none.
func Embodied(c config.Embodied) *embodied.Fleet {
	if c.Default == nil && len(c.Machines) == 0 {
		return nil
	}
	fleet := &embodied.Fleet{Machines: map[string]embodied.Hardware{}}
	for name, h := range c.Machines {
		fleet.Machines[name] = hardware(h)
	}
	if c.Default != nil {
		fleet.Default = new(hardware(*c.Default))
	}
	return fleet
}

func hardware(c config.Hardware) embodied.Hardware {
	h := embodied.Hardware{Life: embodied.Years(c.Years), Cores: c.Cores}
	if c.KgCO2eq != nil {
		h.Made = usage.Grams(*c.KgCO2eq * 1000)
	}
	if day, known := c.BoughtOn(); known {
		h.Bought = day
	}
	return h
}
