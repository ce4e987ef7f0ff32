// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

// The watts that energy is made of: what they are, and where they come from.

const (
	machinePower     = "carbon_machine_power_watts"
	machinePowerLow  = "carbon_machine_power_low_watts"
	machinePowerHigh = "carbon_machine_power_high_watts"
)

// bySource is the power of each key and mode with the source of its watts as a label. A
// machine type has one source at a time; of two, as where a series has just ended, one counts.
// Devices with meters of their own have no watts of a type and are left out.
func (s selection) bySource() string { return "(" + current(s.of(power)) + ")" + withSource }

const ofType = eachExporter + ", machine, mode"

const withSource = ` * on (` + ofType + `) group_left (source) (topk by (` + ofType + `) (1, ` + machinePower + `) ^ 0)`

func wattsTable(s selection) panel {
	by := "machine, mode, source"
	return tables("Watts of machine types", "Watts per core, without PUE, that CPU time is multiplied by: the typical value, what the true one is between two times in three, where it comes from, and the power that it stands for now. No bounds where the error is not known: watts that the configuration sets need power.error or an error of their own.",
		rows("max by ("+by+") ("+s.of(machinePower)+")"),
		rows("min by ("+by+") ("+s.of(machinePowerLow)+")"),
		rows("max by ("+by+") ("+s.of(machinePowerHigh)+")"),
		rows(sumBy(by, s.bySource())),
	).then("merge", map[string]any{}).
		columns([2]string{"machine", "Machine"}, [2]string{"mode", "Mode"},
			[2]string{"Value #B", "Low"}, [2]string{"Value #A", "Typical"}, [2]string{"Value #C", "High"},
			[2]string{"source", "Source"}, [2]string{"Value #D", "Power now"}).
		field("/^(Low|Typical|High)$/", unit(watts), decimals(2), wide(75)).
		field("Mode", wide(70)).field("Power now", unit(watts), decimals(0), wide(100)).
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
		watts, over("sum by (source) ("+site.bySource()+")", "{{source}}"), over(sum(current(site.of(power, `mode="measured"`))), "devices")).fromZero().sources()
}

// wattsBand is the watts of busy and of idle cores, each within its bounds.
func wattsBand(s selection) panel {
	of := func(by, metric, mode string) string { return by + "(" + s.of(metric, `mode="`+mode+`"`) + ")" }
	var queries []query
	for _, mode := range []string{"busy", "idle"} {
		queries = append(queries,
			over(of("min", machinePowerLow, mode), mode+", low"), over(of("max", machinePower, mode), mode), over(of("max", machinePowerHigh, mode), mode+", high"))
	}
	return lines("Watts per core over time", "Watts per core, without PUE, and around them what the true ones are between two times in three. A step is a new source or a new value. Of several machine types the highest, from the lowest low to the highest high. No band where the error is not known: watts that the configuration sets need power.error or an error of their own.",
		watts, queries...).decimals(1).fromZero().modes().
		band("busy, low", "busy, high", busyColour).band("idle, low", "idle, high", idleColour)
}
