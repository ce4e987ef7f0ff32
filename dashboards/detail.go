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
		variables: append([]dashboard.VariableModel{
			labelVariable("project", "Project", "", energy),
			labelVariable("group", "Group", "", energy+`{project=~"$project"}`),
			labelVariable("user", "User", "", energy+`{project=~"$project",group=~"$group"}`),
			labelVariable("machine", "Machine type", "", energy+`{project=~"$project",group=~"$group",user=~"$user"}`),
			periodVariable(),
		}, costVariables()...),
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
			idleSection(chosen),
			shareSection(chosen),
			{title: "Who, ${period:text}", panels: []panel{keys()}},
			embodiedSection(chosen),
			{title: "Equivalents of the emissions of the last 30 days", panels: equivalents()},
			{title: "Active workspaces", panels: []panel{workspaces(chosen)}},
		},
	}
}

func byMachine(metric, title, about, unit string) panel {
	return areas(title, about,
		unit, over(overTime(chosen, "machine", metric), "{{machine}}")).fromZero()
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

func keys() panel {
	by := "project, group, user, machine"
	return tables("Usage by key", "The 100 keys with the highest emissions, ${period:text}. g/kWh is low for usage at times when the grid is clean.",
		rows(top(100, sumBy(by, chosen.of(toDate(chosenPeriod, emissionsGCO2eq))))),
		rows(sumBy(by, chosen.of(toDate(chosenPeriod, energyKWh)))),
		rows(fmt.Sprintf("%s / (%s > 0)", sumBy(by, chosen.of(toDate(chosenPeriod, emissionsGCO2eq))), sumBy(by, chosen.of(toDate(chosenPeriod, energyKWh))))),
	).then("merge", map[string]any{}).
		columns([2]string{"project", "Project"}, [2]string{"group", "Group"}, [2]string{"user", "User"}, [2]string{"machine", "Machine"},
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
		list = append(list, stats(title, about, whole, now(twoDigits(fmt.Sprintf("%s / %v", all, float64(e.Each))), e.What)).empty("no data yet"))
	}
	return list
}

const (
	workspaceInfo      = "carbon_workspace_info"
	workspaceEnergy    = "carbon_workspace_energy_kwh"
	workspaceEmissions = "carbon_workspace_emissions_gco2eq"
)

func workspaces(s selection) panel {
	info := s.of(workspaceInfo)
	join := " * on (" + eachHost + ") group_left (project, machine, user) " + info
	return tables("Workspaces", "Each active workspace, its usage since its start, and the share of that by idle cores. Yellow from 30 %, red from 50 %. Needs --collector.workspace.",
		rows("max by (host, project, machine, user) (carbon_workspace_start_timestamp_seconds * 1000"+join+")"),
		rows("sum by (host, project, machine, user) ("+sumBy(eachHost, workspaceEnergy)+join+")"),
		rows("sum by (host, project, machine, user) ("+sumBy(eachHost, workspaceEmissions)+join+")"),
		rows("max by (host, project, machine, user) (("+sumBy(eachHost, site.of(workspaceEnergy, idle))+" / ("+sumBy(eachHost, workspaceEnergy)+" > 0))"+join+")"),
	).then("merge", map[string]any{}).
		columns([2]string{"host", "Host"}, [2]string{"project", "Project"}, [2]string{"user", "User"}, [2]string{"machine", "Machine"},
			[2]string{"Value #A", "Started"}, [2]string{"Value #B", "Energy"}, [2]string{"Value #C", "Emissions"}, [2]string{"Value #D", "Idle"}).
		field("Host", wide(140)).
		field("Started", unit("dateTimeFromNow"), wide(100)).field("Energy", unit(kWh), decimals(2), wide(90)).field("Emissions", unit(grams), decimals(1), wide(105)).
		field("Idle", append(inWords(goodColour, step{0.3, noteColour}, step{0.5, badColour}), unit(share), decimals(0), wide(50))...).
		ordered("Emissions").empty(noWorkspaces).size(24, 9)
}
