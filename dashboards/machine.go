// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// ofMachine is the usage of a machine type.
const ofMachine selection = `machine=~"$machine"`

// machine is for whoever chooses machine types, or their watts: what one draws and how that is
// known, who uses it, and how much of it does nothing.
func machine() frame {
	s := ofMachine
	return frame{
		uid: "carbon-machine", title: "Carbon / Machine", from: "now-7d", to: "now",
		about: "A machine type: power, watts in force and their bounds, cores busy and idle, who uses it, and embodied emissions.",
		variables: append([]dashboard.VariableModel{
			labelVariable("machine", "Machine type", "", energy), periodVariable(),
		}, costVariables()...),
		sections: []section{
			{title: "Now and to date, in $timezone", panels: []panel{
				powerNow(s), rateNow(s), idleNow(s), emissionsToDate(s, "month", "This month"), coresNow(s), workspacesNow(s),
			}},
			{title: "Watts in force", panels: []panel{wattsTable(s).size(24, 5), wattsBand(s).size(24, 7)}},
			{title: "Busy and idle", panels: []panel{powerByMode(s), cores(s), dailyEnergy(s), dailyEmissions(s, "31d")}},
			{title: "Who uses it, ${period:text}", panels: []panel{
				most(s, "project", "Projects").size(8, 8), most(s, "group", "Groups").size(8, 8), most(s, "user", "Users").size(8, 8),
			}},
			idleSection(s),
			shareSection(s),
			embodiedSection(s),
			{title: "Active workspaces", panels: []panel{workspaces(s)}},
		},
	}
}

const cpuSeconds = "carbon_cpu_seconds"

// ofCores is how many cores used so many CPU seconds within an hour. It looks at each half hour, a
// little after its end, as grownInDay does: usage comes in steps, and of a window between two
// steps one would be lost.
func (s selection) ofCores() string {
	return "delta((" + s.of(cpuSeconds) + " offset -4m)[1h1ms:30m]) / 3600"
}

func coresNow(s selection) panel {
	return stats("Cores", "Mean number of cores over the last hour, busy and idle: CPU seconds over the length of the hour.",
		whole, now(sum(s.ofCores()), "cores")).decimals(0)
}

func cores(s selection) panel {
	return areas("Cores, busy and idle", "Mean number of cores in the hour before each time: CPU seconds over the length of the hour.",
		whole, over(sumBy("mode", s.ofCores()), "{{mode}}").every("30m")).decimals(0).modes().fromZero()
}

func workspacesNow(s selection) panel {
	return stats("Workspaces", "Number of active workspaces, each a machine that somebody has or that waits in a pool. Needs --collector.workspace.",
		whole, now("count("+s.of(workspaceInfo)+")", "workspaces")).decimals(0).empty("needs --collector.workspace")
}
