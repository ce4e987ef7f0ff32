package simulate

import (
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Host is one life of one virtual machine, [Begin, End). Another host may live
// at the same Address before or after it, never at the same time.
type Host struct {
	Address
	User  string // empty: nobody's, its series have no label user
	Begin time.Time
	End   time.Time

	seed uint64 // of what belongs to this life
	odd  Odd

	mu    sync.Mutex
	cores [][]stretch // by core, grown as later times are asked for
}

// stretch is the part of a half hour in which the host lives.
type stretch struct {
	begin time.Time
	rates rates
	spent rates // since Begin of the host, in milliseconds x 1/whole
}

// Alive says whether the host exists at t.
func (h *Host) Alive(t time.Time) bool { return !t.Before(h.Begin) && t.Before(h.End) }

// Series is the host as its labels have it, with an empty User for nobody.
func (h *Host) Series() usage.Series {
	return usage.Series{Project: h.Project, Machine: h.Machine, Host: h.Instance, User: h.User}
}

// Counter is node_cpu_seconds_total of a core in a mode at t: seconds since the
// host began, or since its last reboot where the Config has them. Its rate is
// constant in each half hour (UTC). It is false when the host is not alive or
// has no such core. Times count in milliseconds, as in Prometheus.
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

// coreSeconds is where milliseconds x 1/whole become seconds.
func coreSeconds(spent int64) float64 { return float64(spent) / whole / 1000 }

func (h *Host) spent(cpu int, mode CPUMode, t time.Time) int64 {
	n := int(usage.SlotAt(t).Sub(usage.SlotAt(h.Begin)) / usage.SlotLength)
	s := h.stretch(cpu, n)
	return s.spent[mode] + s.rates[mode]*t.Sub(s.begin).Milliseconds()
}

// stretch gives the n-th half hour of a core. The sums up to it are kept, so
// that days of samples cost a look-up each.
func (h *Host) stretch(cpu, n int) stretch {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cores == nil {
		h.cores = make([][]stretch, h.Cores)
	}
	known := h.cores[cpu]
	if len(known) == 0 {
		known = append(known, stretch{begin: h.Begin, rates: h.ratesAt(cpu, usage.SlotAt(h.Begin))})
	}
	for len(known) <= n {
		last := known[len(known)-1]
		begin := usage.IntervalAt(last.begin, usage.SlotLength).End()
		next := stretch{begin: begin, rates: h.ratesAt(cpu, begin), spent: last.spent}
		for mode := range cpuModes {
			next.spent[mode] += last.rates[mode] * begin.Sub(last.begin).Milliseconds()
		}
		known = append(known, next)
	}
	h.cores[cpu] = known
	return known[n]
}
