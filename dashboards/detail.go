// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/carbon-exporter/carbon_exporter/internal/report"
)

// detail is for people responsible for a project, a group or their own usage: the same
// numbers for a selection, and where to save.
func detail() frame {
	return frame{
		uid: "carbon-detail", title: "Carbon / Project, group, user", from: "now-7d", to: "now",
		about: "Energy and emissions of a project, group, user or machine type: over time, busy and idle, with equivalents.",
		variables: []dashboard.VariableModel{
			labelVariable("project", "Project", "", energy),
			labelVariable("group", "Group", "", energy+`{project=~"$project"}`),
			labelVariable("user", "User", "", energy+`{project=~"$project",group=~"$group"}`),
			labelVariable("machine", "Machine type", "", energy+`{project=~"$project",group=~"$group",user=~"$user"}`),
			periodVariable(),
			entry("price", "Price per kWh", "Price of electricity in pounds, for the cost of idle machines. British businesses pay about 0.25.", "0.25"),
		},
		sections: []section{
			{title: "Now and to date, in $timezone", panels: []panel{
				powerNow(chosen), rateNow(chosen), idleNow(chosen),
				emissionsToDate(chosen, "day", "Today"), emissionsToDate(chosen, "month", "This month"), againstLastMonth(chosen),
			}},
			{title: "Over time", panels: []panel{
				byMachine(power, "Power by machine type", "Mean power of each half hour, including PUE.", watts),
				byMachine(rate, "Emissions by machine type", "Mean emission rate of each half hour, with the carbon intensity first known.", gramsPerHour),
				dailyEnergy(chosen), dailyEmissions(chosen, "31d"),
			}},
			{title: "Idle usage and its cost in the selected time range", panels: []panel{
				idleShare(), idleEnergy().below(), idleEmissions(), idleMoney().below(), idleByMachine().size(16, 8),
			}},
			{title: "Who, ${period:text}", panels: []panel{keys()}},
			embodiedSection(chosen),
			{title: "Equivalents of the emissions of the last 30 days", panels: equivalents()},
			{title: "Active workspaces", panels: []panel{workspaces()}},
		},
	}
}

func byMachine(metric, title, about, unit string) panel {
	return areas(title, about,
		unit, over(sumBy("machine", chosen.of(metric)), "{{machine}}")).fromZero()
}

const daysAbout = " Today is incomplete. Restatements count on the day they were made, so that days add up to the total."

func dailyEnergy(s selection) panel {
	return columnsOf("Energy by the day", "Energy per day: of busy and idle cores, and of devices with meters of their own, if there are any."+daysAbout,
		kWh, over(sumBy("mode", grownInDay(s.of(energy))), "{{mode}}").every("1d")).modes().the("31d").points(400)
}

func dailyEmissions(s selection, last string) panel {
	return columnsOf("Emissions by the day", "Emissions per day: of busy and idle cores, and of devices with meters of their own, if there are any."+daysAbout,
		grams, over(sumBy("mode", grownInDay(s.of(emissions))), "{{mode}}").every("1d")).modes().the(last).points(400)
}

func inRange(metric string, more ...string) string {
	return sum(grownOver(chosen.of(metric, more...), "$__range"))
}

func idleShare() panel {
	return stats("Idle share", "Share of the energy in the time range used by idle cores. Yellow from 30 %, red from 50 %, where every second kWh is used by machines that do nothing.",
		share, now(ratio(inRange(energy, idle), inRange(energy)), "idle")).
		decimals(0).steps(goodColour, step{0.3, noteColour}, step{0.5, badColour})
}

func idleEnergy() panel {
	return stats("Idle energy", "Energy in the time range used by idle cores.", kWh, now(inRange(energy, idle), "idle")).
		decimals(2).colour(idleColour)
}

func idleEmissions() panel {
	return stats("Idle emissions", "Emissions in the time range caused by idle cores: what returning unused machines would have saved.", grams, now(inRange(emissions, idle), "idle")).
		decimals(2).colour(idleColour)
}

func idleMoney() panel {
	return stats("Idle cost", "Idle energy in the time range x the price per kWh set above.", "currencyGBP", now(inRange(energy, idle)+" * $price", "idle")).
		decimals(2).colour(idleColour)
}

func idleByMachine() panel {
	return ranking("Idle share by machine type", "Share of the energy in the time range used by idle cores. Yellow from 30 %, red from 50 %.",
		share, now(fmt.Sprintf("%s / %s", sumBy("machine", grownOver(chosen.of(energy, idle), "$__range")), sumBy("machine", grownOver(chosen.of(energy), "$__range"))), "{{machine}}")).
		decimals(0).between(0, 1).steps(goodColour, step{0.3, noteColour}, step{0.5, badColour})
}

func keys() panel {
	by := "project, group, user, machine"
	return tables("Usage by key", "The 100 keys with the highest emissions, ${period:text}. g/kWh is low for usage at times when the grid is clean.",
		rows(top(100, sumBy(by, chosen.of(toDate(chosenPeriod, emissionsGCO2eq))))),
		rows(sumBy(by, chosen.of(toDate(chosenPeriod, energyKWh)))),
		rows(fmt.Sprintf("%s / (%s > 0)", sumBy(by, chosen.of(toDate(chosenPeriod, emissionsGCO2eq))), sumBy(by, chosen.of(toDate(chosenPeriod, energyKWh))))),
	).then("merge", map[string]any{}).
		columns([2]string{"project", "Project"}, [2]string{"group", "Group"}, [2]string{"user", "User"}, [2]string{"machine", "Machine type"},
			[2]string{"Value #A", "Emissions"}, [2]string{"Value #B", "Energy"}, [2]string{"Value #C", "Intensity"}).
		field("Emissions", unit(grams), decimals(1)).field("Energy", unit(kWh), decimals(2)).field("Intensity", unit(gramsPerKWh), decimals(0)).
		ordered("Emissions").size(24, 9)
}

// equivalents are small panels about the emissions of 30 days. The factors are those of
// `carbontool report --equivalents`.
func equivalents() []panel {
	all := sum(grownOver(chosen.of(emissions), "30d"))
	var list []panel
	for _, e := range report.Equivalents() {
		switch e.Name {
		case "car_miles", "smartphone_charges", "kettle_litres", "hd_streaming_hours", "tree_days", "petrol_litres":
		default:
			continue
		}
		title := strings.ReplaceAll(strings.ReplaceAll(e.Name, "_", " "), "hd ", "HD ")
		title = strings.ToUpper(title[:1]) + title[1:]
		about := fmt.Sprintf("Emissions of the last 30 days as %s, %v g each (%s). For illustration only.", e.What, e.Each, e.Source)
		list = append(list, stats(title, about, whole, now(fmt.Sprintf("%s / %v", all, float64(e.Each)), e.What)))
	}
	return list
}

func workspaces() panel {
	info := chosen.of("carbon_workspace_info")
	each := eachExporter + ", host"
	join := " * on (" + each + ") group_left (project, machine, user, group) " + info
	return tables("Workspaces", "Each active workspace, its usage since its start, and the share estimated for time without data. Requires --collector.workspace.",
		rows("max by (host, project, machine, user, group) (carbon_workspace_start_timestamp_seconds * 1000"+join+")"),
		rows("sum by (host, project, machine, user, group) ("+sumBy(each, "carbon_workspace_energy_kwh")+join+")"),
		rows("sum by (host, project, machine, user, group) ("+sumBy(each, "carbon_workspace_emissions_gco2eq")+join+")"),
		rows("max by (host, project, machine, user, group) (("+sumBy(each, `carbon_workspace_energy_kwh{mode="idle"}`)+" / ("+sumBy(each, "carbon_workspace_energy_kwh")+" > 0))"+join+")"),
		rows("max by (host, project, machine, user, group) (carbon_workspace_estimated_ratio"+join+")"),
	).then("merge", map[string]any{}).
		columns([2]string{"host", "Host"}, [2]string{"project", "Project"}, [2]string{"group", "Group"}, [2]string{"user", "User"}, [2]string{"machine", "Machine type"},
			[2]string{"Value #A", "Started"}, [2]string{"Value #B", "Energy"}, [2]string{"Value #C", "Emissions"}, [2]string{"Value #D", "Idle"}, [2]string{"Value #E", "Estimated"}).
		field("Host", wide(165)).field("Group", wide(100)).
		field("Started", unit("dateTimeFromNow"), wide(120)).field("Energy", unit(kWh), decimals(2), wide(110)).field("Emissions", unit(grams), decimals(1), wide(110)).
		field("Idle", append(gauged(1, goodColour, step{0.3, noteColour}, step{0.5, badColour}), unit(share), decimals(0))...).
		field("Estimated", unit(share), decimals(0), wide(100)).
		ordered("Emissions").size(24, 9)
}
