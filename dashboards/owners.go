// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

// Projects and groups over time, and what part of the site a selection is.

func ownersSection() section {
	return section{title: "Projects and groups, by the day", panels: []panel{
		daily("project", "Energy by project", energy, kWh), daily("project", "Emissions by project", emissions, grams),
		daily("group", "Energy by group", energy, kWh), daily("group", "Emissions by group", emissions, grams),
	}}
}

func daily(label, title, metric, unit string) panel {
	return columnsOf(title, "By day, of each "+label+" that used anything."+daysAbout,
		unit, over(sumBy(label, grownInDay(site.of(metric))), "{{"+label+"}}").every("1d")).the("14d").points(400)
}

// shareSection says how much of the site the chosen are.
func shareSection(s selection) section {
	return section{title: "Share of the whole site", panels: []panel{
		shareOf(s, energy, "Share of energy"), shareOf(s, emissions, "Share of emissions").below(), shareOverTime(s).size(17, 8),
	}}
}

func shareOf(s selection, metric, title string) panel {
	return stats(title, "What is chosen at the top, as a share of the whole site, in the time range.",
		share, now(ratio(s.inRange(metric), site.inRange(metric)), "share")).decimals(1).size(7, 4)
}

func shareOverTime(s selection) panel {
	return lines("Share of the site over time", "What is chosen at the top, as a share of the power and of the emissions of the whole site in each half hour. The two differ if it works at other hours than the others, when the grid is cleaner or dirtier.",
		share, over(ratio(sum(s.of(power)), sum(power)), "power"), over(ratio(sum(s.of(rate)), sum(rate)), "emissions")).
		decimals(0).fromZero().field("power", painted(busyColour)).field("emissions", painted("semi-dark-purple"))
}
