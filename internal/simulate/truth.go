// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Truth returns the busy and idle CPU time of every host that lives in the interval, by its
// labels. Busy is user, nice, system, irq and softirq; idle is idle and iowait; steal is in
// neither. It adds up rates, not counters. See Odd for when Prometheus cannot know it.
func (c *Cloud) Truth(interval usage.Interval) map[usage.Series]usage.BusyIdle[usage.CPUSeconds] {
	sums := make(map[usage.Series]rates)
	c.stretches(interval, func(h *Host, _ time.Time, spent rates) {
		sum := sums[h.Series()] // two lives without a user at one address are one series
		for mode := range sum {
			sum[mode] += spent[mode]
		}
		sums[h.Series()] = sum
	})
	truth := make(map[usage.Series]usage.BusyIdle[usage.CPUSeconds])
	for series, spent := range sums {
		truth[series] = spent.busyIdle()
	}
	return truth
}

// Owned is Truth by owner instead of by label: the User of a series is who had the time, empty
// for nobody. A host with a user label belongs to that user; a shared host belongs to its
// owners in equal parts.
func (c *Cloud) Owned(interval usage.Interval) map[usage.Series]usage.BusyIdle[usage.CPUSeconds] {
	truth := make(map[usage.Series]usage.BusyIdle[usage.CPUSeconds])
	c.stretches(interval, func(h *Host, at time.Time, spent rates) {
		owners := h.Owners(at)
		if len(owners) == 0 {
			owners = []string{""}
		}
		all := spent.busyIdle()
		part := usage.BusyIdle[usage.CPUSeconds]{
			Busy: all.Busy / usage.CPUSeconds(len(owners)), Idle: all.Idle / usage.CPUSeconds(len(owners)),
		}
		for _, owner := range owners {
			series := h.Series()
			series.User = owner
			truth[series] = truth[series].Plus(part)
		}
	})
	return truth
}

// stretches calls f for every host's part of the interval in stretches of constant rates: when
// each begins, and what all cores spent in it, by mode, in milliseconds x 1/whole.
func (c *Cloud) stretches(interval usage.Interval, f func(h *Host, at time.Time, spent rates)) {
	for _, h := range c.hosts {
		end := usage.Earlier(h.End, interval.End())
		for begin := usage.Later(h.Begin, interval.Start); begin.Before(end); begin = h.border(begin) {
			length := usage.Earlier(h.border(begin), end).Sub(begin).Milliseconds()
			var spent rates
			for cpu := range h.Cores {
				for mode, rate := range h.ratesAt(cpu, begin) {
					spent[mode] += rate * length
				}
			}
			f(h, begin, spent)
		}
	}
}

func (r rates) busyIdle() usage.BusyIdle[usage.CPUSeconds] {
	return usage.BusyIdle[usage.CPUSeconds]{
		Busy: usage.CPUSeconds(coreSeconds(r[User] + r[Nice] + r[System] + r[IRQ] + r[SoftIRQ])),
		Idle: usage.CPUSeconds(coreSeconds(r[Idle] + r[IOWait])),
	}
}
