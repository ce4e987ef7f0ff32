// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package worlds makes small worlds of machines whose CPU time is known: what they did, as
// plain sums, and what a Prometheus stores of it, with all that goes wrong between the two. It
// must not know how the exporter reads. Start with World, then Machine and Scrape; Serve makes
// a server of it.
package worlds

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// World is some machines and what a server keeps of them. All times are relative to Noon.
type World struct {
	Noon     time.Time
	From, To time.Duration // of the history
	Shape    Shape
	Machines []*Machine
	Seed     uint64 // of the scrapes' jitter
}

// Noon is when the first interval of most worlds begins.
var Noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// Shape names the metric and its labels.
type Shape struct {
	Metric, CPU, Mode            string
	Project, Machine, Host, User string
	Core                         func(core int) string // value of the label CPU
}

// Node is the shape of node_exporter.
func Node() Shape {
	return Shape{
		Metric: "node_cpu_seconds_total", CPU: "cpu", Mode: "mode",
		Project: "cloud_project_name", Machine: "machine_name", Host: "instance", User: "user",
		Core: strconv.Itoa,
	}
}

// Windows is the shape of windows_exporter.
func Windows() Shape {
	s := Node()
	s.Metric, s.CPU = "windows_cpu_time_total", "core"
	s.Core = func(core int) string { return "0," + strconv.Itoa(core) }
	return s
}

// Load is what each core of a machine does in a second, by mode.
type Load map[string]float64

// Machine is one machine from its birth on.
type Machine struct {
	Name                string // value of the label by which hosts are told apart; empty: none
	Project, Type, User string
	Labels              map[string]string // more of its series
	Cores               int
	Load                Load
	Skew                float64       // of four cores, one does so much of user more than the next: they are unlike
	Born                time.Duration // 0: before the history
	Uptime              time.Duration // what its counters show at the beginning
	Phases              []Phase       // what changes, in order of time
	Scrapes             []Scrape      // who scrapes it; nil: one does, all 30 s
}

// Phase is a change of a machine. What is not set stays as it was.
type Phase struct {
	At    time.Duration
	Cores int
	Load  Load
	Off   bool // from here to the next phase it does nothing and answers nobody
	Boot  bool // its counters begin at 0
	Step  func(core int, mode string, counter float64) float64
	// Labels replace labels of its series. An empty value removes one. Those of Shape are
	// whose the time is from here on.
	Labels map[string]string
}

// stretch is the time between two changes.
type stretch struct {
	from, to time.Duration
	cores    int
	load     Load
	off      bool
	labels   map[string]string
	counters []map[string]float64 // by core, at from
}

const always = time.Duration(1) << 62

func (w *World) stretches(m *Machine) []stretch {
	begin := w.From
	if m.Born != 0 {
		begin = m.Born
	}
	labels := map[string]string{w.Shape.Host: m.Name, w.Shape.Project: m.Project, w.Shape.Machine: m.Type, w.Shape.User: m.User}
	maps.Copy(labels, m.Labels)
	now := stretch{from: begin, to: always, cores: m.Cores, load: m.Load, labels: labels}
	for core := range m.Cores {
		counters := map[string]float64{}
		for mode := range m.Load {
			counters[mode] = m.rate(m.Load, core, mode) * m.Uptime.Seconds()
		}
		now.counters = append(now.counters, counters)
	}
	var all []stretch
	for _, p := range m.Phases {
		if p.At < begin {
			continue
		}
		last := now
		last.to = p.At
		all = append(all, last)
		now.from, now.off = p.At, p.Off
		if p.Cores > 0 {
			now.cores = p.Cores
		}
		if p.Load != nil {
			now.load = p.Load
		}
		if p.Labels != nil {
			now.labels = maps.Clone(now.labels)
			maps.Copy(now.labels, p.Labels)
		}
		now.counters = nil
		for core := range max(now.cores, len(last.counters)) {
			counters := map[string]float64{}
			for mode := range now.load {
				v := m.counter(last, core, mode, p.At)
				if p.Step != nil {
					v = p.Step(core, mode, v)
				}
				if p.Boot {
					v = 0
				}
				counters[mode] = v
			}
			now.counters = append(now.counters, counters)
		}
	}
	return append(all, now)
}

// rate is how fast a counter grows. Skew moves time between user and idle alone.
func (m *Machine) rate(load Load, core int, mode string) float64 {
	shift := m.Skew * (float64(core%4) - 1.5) * load["user"]
	switch mode {
	case "user":
		return load[mode] + shift
	case "idle":
		return load[mode] - shift
	}
	return load[mode]
}

func (m *Machine) counter(s stretch, core int, mode string, at time.Duration) float64 {
	if core >= len(s.counters) {
		return 0
	}
	v := s.counters[core][mode]
	if !s.off && core < s.cores {
		v += m.rate(s.load, core, mode) * (at - s.from).Seconds()
	}
	return v
}

// Truth is what a machine did from one time to another, by whose it was and mode, and the time
// that its cores were there.
func (w *World) Truth(m *Machine, from, to time.Duration) (modes map[usage.Series]map[string]float64, cores float64) {
	modes = map[usage.Series]map[string]float64{}
	for _, s := range w.stretches(m) {
		seconds := (min(to, s.to) - max(from, s.from)).Seconds()
		if seconds <= 0 || s.off {
			continue
		}
		cores += float64(s.cores) * seconds
		whose := usage.Series{
			Project: or(s.labels[w.Shape.Project], usage.Unknown), Machine: or(s.labels[w.Shape.Machine], usage.Unknown),
			Host: or(s.labels[w.Shape.Host], usage.Unknown), User: s.labels[w.Shape.User],
		}
		if modes[whose] == nil {
			modes[whose] = map[string]float64{}
		}
		for core := range s.cores {
			for mode := range s.load {
				modes[whose][mode] += m.rate(s.load, core, mode) * seconds
			}
		}
	}
	return modes, cores
}

// Steady reports whether a machine was there throughout a time and nothing happened to it.
func (w *World) Steady(m *Machine, from, to time.Duration) bool {
	return (m.Born == 0 || m.Born <= from) && !slices.ContainsFunc(m.Phases, func(p Phase) bool { return p.Off || p.At >= from && p.At < to })
}

func or(v, other string) string {
	if v == "" {
		return other
	}
	return v
}
