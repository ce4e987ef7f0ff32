// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "github.com/carbon-exporter/carbon_exporter/internal/usage"

// machineTypes shows the watts of each machine type, and what they are between two times in three,
// where that is known. Their keys have the source as user, since it comes last.
type machineTypes struct {
	*columns
	families []keyed
}

func newMachineTypes(ratings []usage.Rating) machineTypes {
	c := newColumns(len(ratings), []named{{"machine", machine}}, []named{{"source", user}})
	const bound = " of the current average power per core of a machine type, without PUE. Two times in three the true power lies between low and high. Absent if the error of the power is not known."
	watts := c.byMode(family{
		"carbon_machine_power_watts",
		"Current average power per core of a machine type, without PUE. The label source says where the average comes from.", false,
	}, usage.Busy, usage.Idle)
	low := c.byMode(family{"carbon_machine_power_low_watts", "Lower bound" + bound, false}, usage.Busy, usage.Idle)
	high := c.byMode(family{"carbon_machine_power_high_watts", "Upper bound" + bound, false}, usage.Busy, usage.Idle)
	for i := range ratings {
		rating := &ratings[i]
		row := c.row(usage.Key{Machine: rating.Machine, User: rating.Source})
		set := func(k *keyed, w usage.BusyIdle[usage.Watts]) {
			k.set(0, row, float64(w.Busy))
			k.set(1, row, float64(w.Idle))
		}
		set(&watts, rating.Watts)
		if from, to, known := rating.Bounds(); known {
			set(&low, from)
			set(&high, to)
		}
	}
	return machineTypes{c, []keyed{watts, low, high}}
}
