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
	return tables("Energy, low to high", "What the true energy since the first stored interval is between two times in three. Middle is halfway from low to high, and ± is how far they are from it. Errors of machine types cancel out in part, so projects do not add up to the whole site. Projects without a known error are not listed. The energy itself is not shown here: bounds include users and machine types that have left /metrics. The time range does not matter: bounds of a part of the time cannot be told from these. Watts that the configuration sets need an error: power.error.",
		rows(low),
		rows(middle(low, high)),
		rows(high),
		rows(halfWidth(low, high)),
	).then("merge", map[string]any{}).
		columns([2]string{"project", "Project"}, [2]string{"Value #A", "Low"}, [2]string{"Value #B", "Middle"}, [2]string{"Value #C", "High"}, [2]string{"Value #D", "±"}).
		field("Project", worded(entireSite, "whole site")).field("/^(Low|Middle|High)$/", unit(kWh), decimals(1)).field("±", unit(share), decimals(0), wide(80)).
		ordered("High").empty(noBounds)
}

// middle is halfway between the bounds. The energy itself has users who have left /metrics in the
// store, and so in its bounds, but not on /metrics.
func middle(low, high string) string { return fmt.Sprintf("(%s + %s) / 2", low, high) }

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
	return lines("Bounds of the energy of the site", "What the true energy since the first stored interval is between two times in three, and the middle of that. The band is of one account: it widens as energy is added, and its ± in the table narrows as watts become better known. Watts that the configuration sets need an error: power.error.",
		kWh,
		over(sum(siteLow), "low"), over(middle(sum(siteLow), sum(siteHigh)), "middle"), over(sum(siteHigh), "high"),
	).band("low", "high", measuredColour).field("middle", painted(busyColour), dashed()).empty(noBounds)
}
