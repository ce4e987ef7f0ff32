// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"sort"
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Host is one life of one virtual machine, [Begin, End). Another host may live at the same
// Address before or after it, never at the same time.
type Host struct {
	Address
	User  string // empty: none, its series have no label user
	Begin time.Time
	End   time.Time

	seed      uint64 // seed of this life
	odd       Odd
	tenancies []tenancy // in a cloud with a directory, in order of time
	turns     []time.Time

	mu    sync.Mutex
	cores [][]stretch // by core, extended on demand
}

// stretch is the part of a half hour in which the host lives and its owners do not change.
type stretch struct {
	begin time.Time
	rates rates
	spent rates // since Begin of the host, in milliseconds x 1/whole
}

// Alive reports whether the host exists at t.
func (h *Host) Alive(t time.Time) bool { return !t.Before(h.Begin) && t.Before(h.End) }

// Series returns the host's labels; User is empty if nobody has it.
func (h *Host) Series() usage.Series {
	return usage.Series{Project: h.Project, Machine: h.Machine, Host: h.Instance, User: h.User}
}

// Counter returns node_cpu_seconds_total of a core in a mode at t: seconds since the host began
// or, with Odd.Reboots, since its last reboot. Its rate is constant in each half hour (UTC) in
// which the owners do not change. It returns false if the host is not alive or has no such
// core. Times count in milliseconds, as in Prometheus.
func (h *Host) Counter(cpu int, mode CPUMode, t time.Time) (float64, bool) {
	if !h.Alive(t) || cpu < 0 || cpu >= h.Cores {
		return 0, false
	}
	spent := h.spent(cpu, mode, t)
	if h.odd.Reboots {
		spent -= h.spent(cpu, mode, h.bootedBefore(t))
	}
	return coreSeconds(spent), true
}

// coreSeconds converts milliseconds x 1/whole to seconds.
func coreSeconds(spent int64) float64 { return float64(spent) / whole / 1000 }

func (h *Host) spent(cpu int, mode CPUMode, t time.Time) int64 {
	s := h.stretch(cpu, t)
	return s.spent[mode] + s.rates[mode]*t.Sub(s.begin).Milliseconds()
}

// stretch returns the stretch of a core that contains t. The sums up to it are cached, so that
// each sample costs only a look-up.
func (h *Host) stretch(cpu int, t time.Time) stretch {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cores == nil {
		h.cores = make([][]stretch, h.Cores)
	}
	known := h.cores[cpu]
	if len(known) == 0 {
		known = append(known, stretch{begin: h.Begin, rates: h.ratesAt(cpu, h.Begin)})
	}
	for {
		last := known[len(known)-1]
		begin := h.border(last.begin)
		if begin.After(t) {
			break
		}
		next := stretch{begin: begin, rates: h.ratesAt(cpu, begin), spent: last.spent}
		for mode := range cpuModes {
			next.spent[mode] += last.rates[mode] * begin.Sub(last.begin).Milliseconds()
		}
		known = append(known, next)
	}
	h.cores[cpu] = known
	after := sort.Search(len(known), func(i int) bool { return known[i].begin.After(t) })
	return known[after-1]
}

// border returns the next moment after t at which rates may change.
func (h *Host) border(t time.Time) time.Time {
	border := usage.IntervalAt(t, usage.SlotLength).End()
	if n := sort.Search(len(h.turns), func(i int) bool { return h.turns[i].After(t) }); n < len(h.turns) {
		return usage.Earlier(border, h.turns[n])
	}
	return border
}
