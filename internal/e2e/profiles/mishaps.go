// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles

import (
	"strconv"
	"time"
)

// LibvirtMishaps is a cloud whose domains are stopped and started, get more virtual CPUs while
// they run, and use more than their virtual CPUs, by the emulator's own threads.
func LibvirtMishaps() *Site {
	site := Libvirt()
	site.Series, site.Work = nil, nil
	show := func(d domain, stays ...stay) *Work {
		for _, s := range stays {
			site.Series = append(site.Series, d.series(novaInfo(), s)...)
		}
		w := d.work()
		site.Work = append(site.Work, w)
		return w
	}
	until := func(t float64) stay { return stay{"kvm-01", Span{always.From, at(t)}, Span{always.From, at(t)}} }
	from := func(t float64) stay { return stay{"kvm-01", Span{at(t), always.To}, Span{at(t), always.To}} }
	show(domain{guest: guest{name: "instance-00000010", key: Key{"astro", "m1.large", "ada"}, cores: 4, busy: busy(1)}}, stay{on: "kvm-01"})
	stopped := show(domain{guest: guest{name: "instance-00000011", key: Key{"bio", "m1.small", "bob"}, cores: 2, busy: busy(1)}}, until(40), from(50))
	stopped.Life = []Span{{always.From, at(40)}, {at(50), always.To}}
	stopped.Slacks = []time.Duration{at(40), at(50)}
	over := show(domain{guest: guest{name: "instance-00000012", key: Key{"bio", "m1.tiny", "carol"}, cores: 1, busy: busy(1.06)}}, stay{on: "kvm-02"})
	over.Busy = busy(1) // what is over is not booked
	return site
}

// LXDMishaps is a cluster whose containers are started again, and move to another server.
func LXDMishaps() *Site {
	site := &Site{Profile: "lxd"}
	s := shape{metric: "lxd_cpu_seconds_total", host: "name", cpu: "cpu", mode: "mode", core: strconv.Itoa}
	show := func(g guest, server string) {
		for _, one := range g.containers(s) {
			one.Labels["instance"] = server
			site.Series = append(site.Series, one)
		}
		site.Series = append(site.Series, Series{
			Labels: labels("lxd_cpu_effective_total", "name", g.name, "project", g.key.Project, "type", "container", "instance", server, "job", "lxd"),
			Shown:  g.life, Value: constant(float64(g.cores)),
		})
	}
	for _, g := range []struct {
		guest
		gone, back float64
		server     string // to which it comes back
	}{
		{guest{name: "restarted", key: Key{"default", "container", Unattributed}, cores: 2, busy: busy(1.5)}, 40, 42, "lxd1:8443"},
		{guest{name: "moved", key: Key{"lab", "container", Unattributed}, cores: 4, busy: busy(1)}, 70, 71, "lxd2:8443"},
	} {
		before, after := g.guest, g.guest
		before.life, after.life = Span{always.From, at(g.gone)}, Span{at(g.back), always.To}
		show(before, "lxd1:8443")
		show(after, g.server)
		w := g.work()
		w.Life = []Span{before.life, after.life}
		w.Slacks = []time.Duration{at(g.gone), at(g.back)}
		site.Work = append(site.Work, w)
	}
	return site
}

// KubernetesReboot is a cluster of which a node boots: nothing of it is seen for two minutes, and
// all of its counters begin again.
func KubernetesReboot() *Site {
	down := span(70, 72)
	site := Kubernetes()
	n := kubernetesNodes[0]
	var series []Series
	for _, s := range site.Series {
		node := s.Labels["instance"] == n.address+":9100" || s.Labels["instance"] == n.address+":10250"
		if !node {
			series = append(series, s)
			continue
		}
		for _, part := range without(s.Shown, down) {
			one := s
			one.Shown = part
			name := s.Labels["__name__"]
			if part.From >= down.To && (name == "node_cpu_seconds_total" || name == "container_cpu_usage_seconds_total") {
				value, booted := s.Value, s.Value(part.From)
				one.Value = func(at time.Duration) float64 { return value(at) - booted }
				if s.Labels["container"] != "" && s.Labels["id"] != "" { // containers have new ids
					one.Labels = with(s.Labels, "id", s.Labels["id"]+"2")
				}
			}
			series = append(series, one)
		}
	}
	site.Series = series
	rest := site.Rest[0]
	rest.Of.Life = without(Span{}, down)
	rest.Of.Slacks = []time.Duration{down.From, down.To}
	for _, w := range rest.Shares {
		life := w.Life
		if life == nil {
			life = []Span{always}
		}
		w.Life = nil
		for _, l := range life {
			w.Life = append(w.Life, without(l, down)...)
		}
	}
	return site
}
