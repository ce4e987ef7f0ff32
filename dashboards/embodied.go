// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

// Embodied emissions stand beside operational ones. No panel adds the two: one is of the
// electricity, and falls with the load and the grid; the other is of making the machines, and
// passes with time whatever they do.

const (
	embodied    = "carbon_embodied_emissions_gco2eq"
	notEmbodied = "not configured: embodied says what making the machines has emitted"
)

func embodiedTable(s selection) panel {
	return tables("Operational and embodied", "Emissions in the time range. Operational: of the electricity, as on all other panels. Embodied: the share of what making the machines has emitted, for each core and hour of their life; it is in no other panel. Needs the section embodied.",
		rows(sumBy("project", grownOver(s.of(emissions), "$__range"))+" and on () "+s.of(embodied)),
		rows(sumBy("project", grownOver(s.of(embodied), "$__range"))),
	).then("merge", map[string]any{}).
		columns([2]string{"project", "Project"}, [2]string{"Value #A", "Operational"}, [2]string{"Value #B", "Embodied"}).
		field("/^(Operational|Embodied)$/", unit(grams), decimals(1)).ordered("Embodied").empty(notEmbodied)
}

func embodiedDaily(s selection) panel {
	each := func(metric string) string { return sum(grownInDay(s.of(metric))) }
	return lines("By the day, operational and embodied", "Emissions per day of the electricity, and beside them what making the machines has emitted, spread over their life."+daysAbout+" Needs the section embodied.",
		grams,
		over(each(emissions)+" and "+each(embodied), "operational").every("1d"),
		over(each(embodied), "embodied").every("1d"),
	).decimals(1).fromZero().field("operational", painted("semi-dark-purple")).field("embodied", painted("semi-dark-orange"), dashed()).
		the("31d").points(400).empty(notEmbodied)
}

// embodiedSection is the same row on each dashboard that has emissions of a selection.
func embodiedSection(s selection) section {
	return section{title: "Embodied emissions, beside operational ones", panels: []panel{
		embodiedTable(s).size(12, 8), embodiedDaily(s).size(12, 8),
	}}
}
