// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"math"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// CPUMode is a mode of node_cpu_seconds_total, as node_exporter has them on Linux (guest time
// is part of user and is left out).
type CPUMode int

// The modes. They add up to one second per second and core.
const (
	User CPUMode = iota
	Nice
	System
	IRQ
	SoftIRQ
	Idle
	IOWait
	Steal
	cpuModes // number of modes
)

// String returns the value of the label mode.
func (m CPUMode) String() string {
	return [cpuModes]string{"user", "nice", "system", "irq", "softirq", "idle", "iowait", "steal"}[m]
}

// CPUModes lists every mode.
func CPUModes() []CPUMode {
	return []CPUMode{User, Nice, System, IRQ, SoftIRQ, Idle, IOWait, Steal}
}

// whole is one second per second. Rates are integer multiples of 1/4096 of it, so that sums are
// exact and the modes of a core add up to exactly 1.
const whole = 4096

// rates are the parts of whole that a core spends in each mode, in one half hour.
type rates [cpuModes]int64

// habit is how the load of a host varies with the time of day.
type habit int

const (
	office habit = iota // busy in working hours
	night               // batch jobs from evening to morning, weekends too
	quiet               // forgotten by its user
)

// habits has each habit as many times as its weight.
var habits = []habit{office, office, office, office, night, night, quiet}

// ratesAt draws the rates of one core at t.
func (h *Host) ratesAt(cpu int, t time.Time) rates {
	slot := usage.SlotAt(t)
	n := uint64(slot.Unix())
	core := mix(h.seed, aboutCore, uint64(cpu), n)
	load := h.habit.load(slot) * (0.6 + 0.8*draw(h.seed, aboutLoad, n)) * h.zeal(t)
	if h.habit == office { // some cores are busier than others
		load *= 0.5 + draw(core, 1)
	}
	busy := int64(math.Min(load, 0.98) * whole)

	var r rates
	r[System] = busy * 14 / 100
	r[IRQ] = busy / 256
	r[SoftIRQ] = busy / 128
	if h.habit == night {
		r[Nice] = busy / 2
	}
	r[User] = busy - r[System] - r[IRQ] - r[SoftIRQ] - r[Nice]
	rest := whole - busy
	if draw(core, 2) < 0.3 { // a neighbour on the same hardware
		r[Steal] = int64(draw(core, 3) * float64(min(rest, whole/50)))
	}
	r[IOWait] = int64(draw(core, 4) * float64(min(rest-r[Steal], whole/60)))
	r[Idle] = rest - r[Steal] - r[IOWait]
	return r
}

// load returns the mean busy fraction of a core.
func (h habit) load(slot time.Time) float64 {
	hour := float64(slot.Hour()) + float64(slot.Minute())/60
	weekend := slot.Weekday() == time.Saturday || slot.Weekday() == time.Sunday
	switch h {
	case night:
		if hour >= 20 || hour < 7 {
			return 0.95
		}
		return 0.15
	case quiet:
		return 0.01
	}
	day := 0.03
	if hour >= 8 && hour < 18 {
		day += 0.55 * math.Sin(math.Pi*(hour-7)/12)
	}
	if weekend {
		return day * 0.2
	}
	return day
}
