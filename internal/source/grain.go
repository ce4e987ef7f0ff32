// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"math"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// grain is how finely CPU seconds are told, in parts of a second: to the microsecond. Linux counts in
// hundredths. The digits beyond are those of sums of counters: they depend on the order in which the
// server has added them up, and on whether the edges of an interval were asked for or its samples.
// Without them, whoever reads the same samples, in one query or in many, today or in a week, has the
// same number to the last bit.
const grain = 1e6

// told rounds the CPU time of a reading to the grain.
func told(r usage.Reading) usage.Reading {
	for j := range r.Samples {
		cpu := &r.Samples[j].CPU
		cpu.Busy, cpu.Idle = toGrain(cpu.Busy), toGrain(cpu.Idle)
	}
	for project, c := range r.Coverage {
		r.Coverage[project] = usage.Coverage{Seen: toGrain(c.Seen), Capacity: toGrain(c.Capacity)}
	}
	return r
}

func toGrain(s usage.CPUSeconds) usage.CPUSeconds {
	return usage.CPUSeconds(math.Round(float64(s)*grain) / grain)
}
