// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
)

// Instruments is what Prometheus is asked for beside CPU time, and which of it.
func Instruments(c *config.Config) (source.Instruments, ingest.Asked) {
	p, from := c.Power, c.Prometheus
	var is source.Instruments
	var asked ingest.Asked
	if p.CPUModels == config.CPUModelsAuto && from.Processors.Query != "" {
		l := from.Processors.Labels
		is.Processors = source.Processors{Query: from.Processors.Query, Host: l.Host, Model: l.Model, Package: l.Package}
		asked.Models = true
	}
	for _, m := range p.Measured {
		is.Meters = append(is.Meters, source.Meter{Name: m.Name, Query: m.Query, Host: m.Hosts, Error: m.Error, Includes: m.Includes})
	}
	for _, d := range p.Devices {
		is.Devices = append(is.Devices, source.Device{
			Name: d.Name, Query: d.Query, Project: d.Labels.Project, User: d.Labels.User, Host: d.Labels.Host, Unit: joulesIn[d.Unit], Error: d.Error,
		})
	}
	if p.MemoryWattsPerGiB > 0 {
		is.Memory = source.Memory{Query: from.Memory.Query, Host: from.Memory.Labels.Host}
	}
	is.PUE = p.PUE.Query
	for _, m := range p.Reconcile {
		is.Zones = append(is.Zones, source.Zone{Name: m.Zone, Query: m.Query})
	}
	asked.Rest = len(is.Meters) > 0 || len(is.Devices) > 0 || is.Memory.Query != "" || is.PUE != "" || len(is.Zones) > 0
	return is, asked
}

func meterNames(p config.Power) (names []string) {
	for _, m := range p.Measured {
		names = append(names, m.Name)
	}
	return names
}

// joulesIn are units of energy as the configuration names them. A gauge of watts has none.
var joulesIn = map[string]float64{config.UnitJoule: 1, config.UnitMillijoule: 1e-3, config.UnitKilowattHour: 3.6e6, config.UnitWatt: 0}
