// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// machine is a computer with an exporter of its own, which counts what each core does.
type machine struct {
	name      string // label of the host
	key       Key
	cores     int
	modes     map[string]float64 // of each core; together 1, but for parts of others
	busyModes []string
	life      Span // always, if it is empty
	pairs     []string
}

// shape is how an exporter names such counters.
type shape struct {
	metric, host, cpu, mode string
	core                    func(int) string
	pairs                   []string // labels of all series
	silent                  bool
}

func (m machine) work() *Work {
	w := &Work{Key: m.key, Cores: float64(m.cores)}
	if m.life != (Span{}) {
		w.Life = []Span{m.life}
	}
	rate := 0.0
	for _, mode := range m.busyModes {
		rate += m.modes[mode] * float64(m.cores)
	}
	w.Busy = busy(rate)
	return w
}

// series are the counters of a machine. Cores differ in how much they are busy.
func (m machine) series(s shape) (all []Series) {
	since := always.From
	if m.life != (Span{}) {
		since = m.life.From
	}
	for core := range m.cores {
		for _, mode := range slices.Sorted(maps.Keys(m.modes)) {
			l := with(labels(s.metric, s.pairs...), m.pairs...)
			l[s.host], l[s.cpu], l[s.mode] = m.name, s.core(core), mode
			rate := m.modes[mode] + m.skew(core, mode)
			all = append(all, Series{Labels: l, Shown: m.life, Value: counter(since, Pace{always, rate}), Silent: s.silent})
		}
	}
	return all
}

// skew moves time between user and idle, and adds up to nothing over all cores.
func (m machine) skew(core int, mode string) float64 {
	if m.cores%2 == 1 {
		return 0
	}
	shift := 0.05 * m.modes["user"]
	if core%2 == 1 {
		shift = -shift
	}
	switch mode {
	case "user":
		return shift
	case "idle":
		return -shift
	}
	return 0
}

// linux are all modes of /proc/stat with so much of a core busy.
func linux(user float64) map[string]float64 {
	return map[string]float64{
		"user": user, "nice": 0, "system": 0.04, "irq": 0.001, "softirq": 0.009,
		"iowait": 0.02, "idle": 0.93 - user, "steal": 0,
	}
}

var linuxBusy = []string{"user", "nice", "system", "irq", "softirq"}

var nodeShape = shape{metric: "node_cpu_seconds_total", host: "instance", cpu: "cpu", mode: "mode", core: strconv.Itoa, pairs: []string{"job", "node"}}

// whose are the labels that a site's service discovery gives.
func whose(k Key) []string {
	return []string{"cloud_project_name", k.Project, "machine_name", k.Machine, "user", k.User}
}

// computers is a site of machines that have an exporter of their own.
func computers(profile string, s shape, of func(Key) []string, machines ...machine) *Site {
	site := &Site{Profile: profile}
	for _, m := range machines {
		m.pairs = append(slices.Clone(m.pairs), of(m.key)...)
		site.Series = append(site.Series, m.series(s)...)
		if m.key.User == "" {
			m.key.User = Unattributed
		}
		site.Work = append(site.Work, m.work())
	}
	return site
}

// What the program calls usage that nobody can be named for, and a label that is not there.
const (
	Unattributed = "unattributed"
	Unknown      = "unknown"
)

// NodeExporter is a cloud whose machines run node_exporter.
func NodeExporter() *Site {
	one := func(name string, k Key, cores int, user float64) machine {
		return machine{name: name, key: k, cores: cores, modes: linux(user), busyModes: linuxBusy}
	}
	born := one("172.16.1.13:9100", Key{"TDAaaS", "SANS", "grace"}, 2, 0.6)
	born.life = Span{at(30), at(24 * 60)}
	return computers("node_exporter", nodeShape, whose,
		one("172.16.1.10:9100", Key{"IDAaaS", "Muon", "ada"}, 4, 0.25),
		one("172.16.1.11:9100", Key{"IDAaaS", "SANS", ""}, 8, 0.01),
		one("172.16.1.12:9100", Key{"TDAaaS", "Muon", "grace"}, 2, 0.8),
		born,
	)
}

// guest is what the hypervisor knows of a virtual machine or a container: its busy time alone.
type guest struct {
	name  string
	key   Key
	cores int
	life  Span
	busy  []Pace
}

func (g guest) work() *Work {
	w := &Work{Key: g.key, Cores: float64(g.cores), Busy: g.busy}
	if g.life != (Span{}) {
		w.Life = []Span{g.life}
	}
	return w
}

// since is when its counter was 0.
func (g guest) since() time.Duration {
	if g.life != (Span{}) {
		return g.life.From
	}
	return always.From
}

// nodeOf are the counters of node_exporter on a machine whose work is known, spread evenly over
// its cores.
func nodeOf(all *Work, cores int, pairs []string) (series []Series) {
	const iowait = 0.01
	used := func(at time.Duration) float64 { return grown(all.Busy, Span{always.From, at}) / float64(cores) }
	for core := range cores {
		each := func(mode string, v func(time.Duration) float64) {
			series = append(series, Series{Labels: with(labels("node_cpu_seconds_total", pairs...), "cpu", strconv.Itoa(core), "mode", mode), Value: v})
		}
		for _, mode := range []string{"nice", "irq", "softirq", "steal"} {
			each(mode, constant(0))
		}
		each("user", func(at time.Duration) float64 { return 0.75 * used(at) })
		each("system", func(at time.Duration) float64 { return 0.25 * used(at) })
		each("iowait", steady(iowait))
		each("idle", func(at time.Duration) float64 { return (at-always.From).Seconds()*(1-iowait) - used(at) })
	}
	return series
}

// ContainersOfOneHost is a cloud in which node_exporter runs in three containers of one
// machine, and in a machine of its own.
func ContainersOfOneHost() *Site {
	one := func(name string, user float64) machine {
		return machine{name: name, key: Key{"IDAaaS", "Container", "ada"}, cores: 16, modes: linux(user), busyModes: linuxBusy}
	}
	return computers("node_exporter", nodeShape, whose, one("ct-1:9100", 0.3), one("ct-2:9100", 0.3), one("ct-3:9100", 0.3), one("alone:9100", 0.2))
}
