// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

// The watts that energy is made of: what they are, and where they come from.

const machinePower = "carbon_machine_power_watts"

// bySource is the power of each key and mode with the source of its watts as a label. A
// machine type has one source at a time; of two, as where a series has just ended, one counts.
// Devices with meters of their own have no watts of a type and are left out.
const bySource = power + ` * on (` + ofType + `) group_left (source) (topk by (` + ofType + `) (1, ` + machinePower + `) ^ 0)`

const ofType = eachExporter + ", machine, mode"

func wattsTable() panel {
	by := "machine, mode, source"
	return tables("Watts of machine types", "Watts per core, without PUE, that CPU time is multiplied by: the typical value, what the true one is between two times in three, where it comes from, and the power that it stands for now. No bounds where the error is not known: watts that the configuration sets need power.error or an error of their own.",
		rows("max by ("+by+") ("+machinePower+")"),
		rows("min by ("+by+") (carbon_machine_power_low_watts)"),
		rows("max by ("+by+") (carbon_machine_power_high_watts)"),
		rows(sumBy(by, bySource)),
	).then("merge", map[string]any{}).
		columns([2]string{"machine", "Machine type"}, [2]string{"mode", "Mode"},
			[2]string{"Value #B", "Low"}, [2]string{"Value #A", "Typical"}, [2]string{"Value #C", "High"},
			[2]string{"source", "Source"}, [2]string{"Value #D", "Power now"}).
		field("/^(Low|Typical|High)$/", unit(watts), decimals(2), wide(90)).
		field("Mode", wide(80)).field("Power now", unit(watts), decimals(0), wide(110)).
		ordered("Power now")
}

// sources colours where watts come from, from what is measured to what is assumed.
func (p panel) sources() panel {
	for _, s := range [][2]string{
		{"calibrated", goodColour}, {"config", busyColour}, {"processor", "semi-dark-purple"}, {"default", noteColour}, {"devices", measuredColour},
	} {
		p = p.field(s[0], painted(s[1]))
	}
	return p
}

func typesBySource() panel {
	return ranking("Machine types by source", "Number of machine types whose watts come from each source. Calibrated: learned from measured power. Config: power.machines. Processor: what servers with the processors of these hosts draw. Default: watts of no machine type in particular.",
		whole, now("sort_desc(count by (source) (count by (machine, source) ("+machinePower+")))", "{{source}}")).decimals(0).sources()
}

func powerBySource() panel {
	return areas("Power by source of its watts", "Mean power of each half hour by where the watts of its machine type come from. Devices have meters of their own. CarbonPowerByDefault fires if more than half is by default for a day.",
		watts, over("sum by (source) ("+bySource+")", "{{source}}"), over(sum(site.of(power, `mode="measured"`)), "devices")).fromZero().sources()
}
