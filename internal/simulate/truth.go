package simulate

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Truth is the busy and idle CPU time of every host that lives in the interval,
// by what its labels say. Busy is user, nice, system, irq and softirq; idle is
// idle and iowait; steal is in neither. It adds up rates, not counters. See Odd
// for when Prometheus cannot know it.
func (c *Cloud) Truth(interval usage.Interval) map[usage.Series]usage.BusyIdle[usage.CPUSeconds] {
	truth := make(map[usage.Series]usage.BusyIdle[usage.CPUSeconds])
	for series, spent := range c.spent(interval) {
		truth[series] = usage.BusyIdle[usage.CPUSeconds]{
			Busy: usage.CPUSeconds(coreSeconds(spent[User] + spent[Nice] + spent[System] + spent[IRQ] + spent[SoftIRQ])),
			Idle: usage.CPUSeconds(coreSeconds(spent[Idle] + spent[IOWait])),
		}
	}
	return truth
}

// spent adds up, mode by mode, in milliseconds x 1/whole.
func (c *Cloud) spent(interval usage.Interval) map[usage.Series]rates {
	spent := make(map[usage.Series]rates)
	for _, h := range c.hosts {
		begin, end := latest(h.Begin, interval.Start), earliest(h.End, interval.End())
		if !begin.Before(end) {
			continue
		}
		sum := spent[h.Series()] // two lives of nobody at one address are one series
		for begin.Before(end) {
			slot := usage.IntervalAt(begin, usage.SlotLength)
			until := earliest(slot.End(), end)
			for cpu := range h.Cores {
				for mode, rate := range h.ratesAt(cpu, slot.Start) {
					sum[mode] += rate * until.Sub(begin).Milliseconds()
				}
			}
			begin = until
		}
		spent[h.Series()] = sum
	}
	return spent
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
