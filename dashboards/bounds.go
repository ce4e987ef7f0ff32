// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// What energy is between two times in three. Bounds are of all energy since the first stored
// interval, and so is what stands beside them: errors of one machine type go in one direction
// at all times, so that the bounds of a range are not what the bounds have grown by.

const (
	energyLow, siteLow   = "carbon_energy_low_kwh", "carbon_site_energy_low_kwh"
	energyHigh, siteHigh = "carbon_energy_high_kwh", "carbon_site_energy_high_kwh"
)

const noBounds = "not known: watts that the configuration sets need an error (power.error)"

// withSite is a metric by project, with the site in a row of its own.
func withSite(ofProjects, ofSite string) string {
	return fmt.Sprintf(`(%s or label_replace(%s, "project", "%s", "", ""))`, sumBy("project", ofProjects), sum(ofSite), entireSite)
}

func bounds() panel {
	low, high := withSite(energyLow, siteLow), withSite(energyHigh, siteHigh)
	return tables("Energy, low to high", "Energy since the first stored interval, and what the true energy is between two times in three. ± is half of low to high over the middle. Errors of machine types cancel out in part, so projects do not add up to the whole site. Projects without a known error are not listed. Low and high include users and machine types that have left /metrics, Energy does not. The time range does not matter: bounds of a part of the time cannot be told from these. Watts that the configuration sets need an error: power.error.",
		rows(low),
		rows(withSite(energy, energy)+" and on (project) "+low),
		rows(high),
		rows(halfWidth(low, high)),
	).then("merge", map[string]any{}).
		columns([2]string{"project", "Project"}, [2]string{"Value #A", "Low"}, [2]string{"Value #B", "Energy"}, [2]string{"Value #C", "High"}, [2]string{"Value #D", "±"}).
		field("Project", worded(entireSite, "whole site")).field("/^(Low|Energy|High)$/", unit(kWh), decimals(1)).field("±", unit(share), decimals(0), wide(80)).
		ordered("High").empty(noBounds)
}

// halfWidth is how far the bounds are from their middle, as a part of it.
func halfWidth(low, high string) string {
	return fmt.Sprintf("(%[2]s - %[1]s) / (%[2]s + %[1]s > 0)", low, high)
}

func boundsWidth() panel {
	return lines("Width of the bounds", "Half of low to high over the middle, of all energy since the first stored interval: the ± of the table over time. It narrows as soon as watts are better known, and slowly, because older energy keeps its error. Watts that the configuration sets need an error: power.error.",
		share,
		over(halfWidth(sumBy("project", energyLow), sumBy("project", energyHigh)), "{{project}}"),
		over(halfWidth(sum(siteLow), sum(siteHigh)), "whole site"),
	).decimals(0).fromZero().field("whole site", painted(busyColour), set{Id: "custom.lineWidth", Value: 3}).leadsNowhere("whole site").empty(noBounds)
}

// band fills what lies between two series.
func (p panel) band(low, high, colour string) panel {
	edge := func(more ...set) []set { return append([]set{painted(colour), thin()}, more...) }
	return p.field(low, edge()...).field(high, edge(set{Id: "custom.fillBelowTo", Value: low}, set{Id: "custom.fillOpacity", Value: 25})...)
}

func energyBand() panel {
	return lines("Energy of the site and its bounds", "All energy since the first stored interval, and around it what the true energy is between two times in three. The band is of one account: it widens as energy is added, and its ± in the table narrows as watts become better known. Watts that the configuration sets need an error: power.error.",
		kWh,
		over(sum(siteLow), "low"), over(sum(energy)+" and "+sum(siteLow), "energy"), over(sum(siteHigh), "high"),
	).band("low", "high", measuredColour).field("energy", painted(busyColour)).empty(noBounds)
}
