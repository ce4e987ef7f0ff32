// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// Which machines do nothing, and what that costs: energy of idle cores, its emissions and its
// price, in the time range.

// noWorkspaces is what panels of single machines need.
const noWorkspaces = "not shown: single machines need the flag --collector.workspace"

// costVariables are what a kWh costs, and in what. Grafana puts no variable into a unit, so the
// currency is in titles.
func costVariables() []dashboard.VariableModel {
	return []dashboard.VariableModel{
		entry("price", "Price per kWh", "Price of electricity, for the cost of idle machines. British businesses pay about 0.25 pounds.", "0.25"),
		entry("currency", "Currency", "What the price is in, such as £, € or GBP.", "£"),
	}
}

func (s selection) inRange(metric string, more ...string) string {
	return sum(grownOver(s.of(metric, more...), "$__range"))
}

func idleSection(s selection) section {
	return section{title: "Which machines idle, and what that costs, in the selected time range", panels: []panel{
		idleShare(s), idleEnergy(s), idleEmissions(s), idleMoney(s), idleTypes(s).size(24, 6), idleWorkspaces(s),
	}}
}

func idleShare(s selection) panel {
	return stats("Idle share", "Share of the energy in the time range used by idle cores. Yellow from 30 %, red from 50 %, where every second kWh is used by machines that do nothing.",
		share, now(ratio(s.inRange(energy, idle), s.inRange(energy)), "idle")).
		decimals(0).steps(goodColour, step{0.3, noteColour}, step{0.5, badColour}).size(6, 3)
}

func idleEnergy(s selection) panel {
	return stats("Idle energy", "Energy in the time range used by idle cores.", kWh, now(s.inRange(energy, idle), "idle")).
		decimals(2).colour(idleColour).size(6, 3)
}

func idleEmissions(s selection) panel {
	return stats("Idle emissions", "Emissions in the time range caused by idle cores: what returning unused machines would have saved.", grams, now(s.inRange(emissions, idle), "idle")).
		decimals(2).colour(idleColour).size(6, 3)
}

func idleMoney(s selection) panel {
	return stats("Idle cost, $currency", "Idle energy in the time range x the price per kWh, in the currency that is set at the top.", "none", now(s.inRange(energy, idle)+" * $price", "idle")).
		decimals(2).colour(idleColour).size(6, 3)
}

// idleColumns are what idle cores used, emitted and cost, and their share of the energy.
func (p panel) idleColumns(names ...[2]string) panel {
	return p.then("merge", map[string]any{}).
		columns(append(names, [2]string{"Value #A", "Idle energy"}, [2]string{"Value #B", "Emissions"}, [2]string{"Value #C", "Cost"}, [2]string{"Value #D", "Idle"})...).
		field("Idle energy", unit(kWh), decimals(2), wide(115)).field("Emissions", unit(grams), decimals(1), wide(85)).
		field("Cost", decimals(2), wide(75), titled("Cost, $currency")).
		field("Idle", append(inWords(goodColour, step{0.3, noteColour}, step{0.5, badColour}), unit(share), decimals(0), wide(50))...).
		ordered("Idle energy")
}

func idleTypes(s selection) panel {
	of := func(metric string, more ...string) string {
		return sumBy("machine", grownOver(s.of(metric, more...), "$__range"))
	}
	return tables("Idle by machine type", "Energy, emissions and cost of idle cores of each machine type in the time range, and their share of the energy of the type. Yellow from 30 %, red from 50 %, where every second kWh is used by machines that do nothing.",
		rows(of(energy, idle)), rows(of(emissions, idle)), rows(of(energy, idle)+" * $price"),
		rows(of(energy, idle)+" / ("+of(energy)+" > 0)"),
	).idleColumns([2]string{"machine", "Machine"})
}

// idleWorkspaces are those of the fifty that idle most.
func idleWorkspaces(s selection) panel {
	by := "host, machine, project, user"
	named := func(expr string) string {
		return "max by (" + by + ") ((" + expr + ") * on (" + eachHost + ") group_left (machine, project, user) " + s.of(workspaceInfo) + ")"
	}
	wasted := ofWorkspaces(workspaceEnergy, idle)
	worst := " and on (" + by + ") " + top(50, named(wasted))
	return tables("Idle workspaces", "The 50 active workspaces whose idle cores used most energy in the time range, what that emitted and cost, and its share of the energy of the workspace. Give back what idles, or choose a smaller machine. Yellow from 30 %, red from 50 %. Needs --collector.workspace.",
		rows(top(50, named(wasted))), rows(named(ofWorkspaces(workspaceEmissions, idle))+worst), rows(named("("+wasted+") * $price")+worst),
		rows(named("("+wasted+") / ("+ofWorkspaces(workspaceEnergy)+" > 0)")+worst),
	).idleColumns([2]string{"host", "Host"}, [2]string{"machine", "Machine"}, [2]string{"project", "Project"}, [2]string{"user", "User"}).
		field("Host", wide(140)).empty(noWorkspaces).size(24, 9)
}

const eachHost = eachExporter + ", host"

// ofWorkspaces is what each workspace used in the time range: all of one that began within it,
// as its gauge began at 0 then, where that of the workspace before it on the host had ended.
func ofWorkspaces(metric string, more ...string) string {
	gauge := site.of(metric, more...)
	return sumBy(eachHost, gauge) + " and on (" + eachHost + ") (carbon_workspace_start_timestamp_seconds >= time() - $__range_s) or " +
		sumBy(eachHost, grownOver(gauge, "$__range"))
}
