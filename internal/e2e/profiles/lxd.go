// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles

import (
	"slices"
	"strconv"
	"strings"
)

// LXD is a cluster of LXD servers: virtual machines, of which it knows all modes of each core,
// and containers, of which it knows busy time alone.
func LXD() *Site { return lxdSite("lxd") }

// Incus is the same with the names of Incus, and the lines that a site with Incus overrides.
func Incus() *Site {
	site := lxdSite("incus")
	site.Section = strings.Join([]string{
		"metric: incus_cpu_seconds_total",
		"cores_query: >-",
		"  max by (name) (max_over_time((max by (name, project) (incus_cpu_effective_total > 0)",
		`  or count by (name, project) (count by (name, project, cpu) (incus_cpu_seconds_total{mode="idle"} > 0)))[$__interval:1m]))`,
	}, "\n")
	return site
}

func lxdSite(prefix string) *Site {
	vm := func(name, project string, cores int, user float64) machine {
		modes := linux(user)
		return machine{
			name: name, key: Key{project, "virtual-machine", Unattributed}, cores: cores, modes: modes, busyModes: linuxBusy,
			pairs: []string{"instance", "lxd1:8443", "job", "lxd", "project", project, "type", "virtual-machine"},
		}
	}
	container := func(name, project string, cores int, rate float64) guest {
		return guest{name: name, key: Key{project, "container", Unattributed}, cores: cores, busy: busy(rate)}
	}
	site := &Site{Profile: "lxd"}
	s := shape{metric: prefix + "_cpu_seconds_total", host: "name", cpu: "cpu", mode: "mode", core: strconv.Itoa}
	effective := func(name, project, kind string, shown Span, cores int) {
		site.Series = append(site.Series, Series{
			Labels: labels(prefix+"_cpu_effective_total", "name", name, "project", project, "type", kind, "instance", "lxd1:8443", "job", "lxd"),
			Shown:  shown, Value: constant(float64(cores)),
		})
	}
	for _, m := range []machine{vm("vm1", "default", 4, 0.3), vm("vm2", "lab", 2, 0.8)} {
		site.Series = append(site.Series, m.series(s)...)
		site.Work = append(site.Work, m.work())
		effective(m.name, m.key.Project, "virtual-machine", Span{}, 0) // LXD says so of all of them
	}
	late := container("late", "default", 2, 1)
	late.life = Span{at(60), always.To}
	unlimited := container("unlimited", "lab", 16, 3) // it has the cores of its server
	for _, g := range []guest{container("u1", "default", 4, 0.9), container("u2", "lab", 2, 0.1), unlimited, late} {
		site.Series = append(site.Series, g.containers(s)...)
		site.Work = append(site.Work, g.work())
		effective(g.name, g.key.Project, "container", g.life, g.cores)
	}
	return site
}

// containers are the counters of a container: user and system time of all cores together, which
// control groups of version 2 give to core 0.
func (g guest) containers(s shape) (all []Series) {
	for mode, share := range map[string]float64{"user": 0.7, "system": 0.3} {
		paces := slices.Clone(g.busy)
		for i := range paces {
			paces[i].Rate *= share
		}
		all = append(all, Series{
			Labels: labels(s.metric, s.host, g.name, s.cpu, s.core(0), s.mode, mode, "project", g.key.Project, "type", "container", "instance", "lxd1:8443", "job", "lxd"),
			Shown:  g.life, Value: counter(g.since(), paces...),
		})
	}
	return all
}
