// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
)

// watts is where watts come from: a line for the usual way, and one for each that is configured
// beside it.
func watts(c *config.Config) []string {
	p := c.Power
	pue := fmt.Sprint(p.PUE.Ratio)
	if p.PUE.Query != "" {
		pue = "by a query, otherwise " + pue
	}
	all := []string{fmt.Sprintf("power: %v W busy and %v W idle per core%s, PUE %s, machine types with their own watts: %d",
		p.BusyWatts, p.IdleWatts, unlessKnown(c), pue, len(p.Machines))}
	add := func(what string, some []string) {
		if len(some) > 0 {
			all = append(all, "power "+what+": "+strings.Join(some, ", "))
		}
	}
	var measured, devices, zones []string
	for _, m := range p.Measured {
		measured = append(measured, fmt.Sprintf("%s (hosts by %s)", m.Name, m.Hosts))
	}
	for _, d := range p.Devices {
		devices = append(devices, fmt.Sprintf("%s (%s)", d.Name, d.Unit))
	}
	for _, m := range p.Reconcile {
		zones = append(zones, zone(m))
	}
	add("meters of hosts, which count where they measure", measured)
	add("of devices, on top", devices)
	if p.MemoryWattsPerGiB > 0 {
		all = append(all, fmt.Sprintf("power of memory, on top: %v W per GiB", p.MemoryWattsPerGiB))
	}
	add("compared with what is booked", zones)
	if p.Calibrate != config.CalibrateOff {
		all = append(all, "watts are learned "+p.Calibrate+" from measured hosts")
	}
	if e := c.Embodied; e.Default != nil || len(e.Machines) > 0 {
		line := fmt.Sprintf("embodied: hardware of %d machine types", len(e.Machines))
		if e.Default != nil {
			line += ", and one for all others"
		}
		all = append(all, line)
	}
	return all
}

// unlessKnown says which cores have the default watts.
func unlessKnown(c *config.Config) string {
	if why, _ := parts.WhyNoProcessors(c); why != "" {
		return ""
	}
	return " where the processor is not known"
}

// zone is a meter of the site or of a part of it.
func zone(m config.Meter) string {
	of := "the whole site"
	if len(m.Projects) > 0 {
		of = "projects " + strings.Join(m.Projects, ", ")
	}
	if m.Cooling {
		of += ", with cooling"
	}
	return fmt.Sprintf("%s (%s)", m.Zone, of)
}
