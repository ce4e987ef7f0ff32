// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles

import "time"

// Proxmox is a cluster with prometheus-pve-exporter: gauges, of guests and of the nodes that
// they run on, asked of two nodes that both say all.
func Proxmox() *Site {
	guests := []struct {
		id, name, node, tags, template string
		cores                          int
		load                           []Pace // share of all cores
		up                             Span   // always, if it is empty
		stopped                        bool
	}{
		{id: "qemu/100", name: "web", node: "pve1", tags: "shop", cores: 4, load: busy(0.25)},
		{id: "qemu/101", name: "db", node: "pve2", tags: "shop", cores: 8, load: []Pace{{Span{always.From, at(45)}, 0.1}, {Span{at(45), always.To}, 0.5}}},
		{id: "lxc/200", name: "dns", node: "pve1", tags: "infra", cores: 2, load: busy(0.02)},
		{id: "qemu/102", name: "old", node: "pve1", tags: "infra", cores: 4, stopped: true},
		{id: "qemu/103", name: "night", node: "pve2", tags: "lab", cores: 2, load: busy(1), up: Span{at(40), at(75)}},
		{id: "qemu/9000", name: "debian-template", node: "pve1", template: "1", cores: 2, stopped: true},
	}
	site := &Site{Profile: "proxmox"}
	for _, target := range []string{"pve1", "pve2"} {
		common := []string{"job", "pve", "instance", target}
		add := func(name, id string, v Series) {
			v.Labels = with(labels(name, common...), "id", id)
			site.Series = append(site.Series, v)
		}
		for _, g := range guests {
			template, kind := g.template, g.id[:4]
			if template == "" {
				template = "0"
			}
			if kind[3] == '/' {
				kind = kind[:3]
			}
			up := always
			if g.up != (Span{}) {
				up = g.up
			}
			site.Series = append(site.Series, Series{
				Labels: with(labels("pve_guest_info", common...), "id", g.id, "node", g.node, "name", g.name, "type", kind, "template", template, "tags", g.tags),
				Value:  constant(1),
			})
			add("pve_cpu_usage_limit", g.id, Series{Value: constant(float64(g.cores))})
			add("pve_up", g.id, Series{Value: running(up, g.stopped)})
			add("pve_cpu_usage_ratio", g.id, Series{Value: gauge(0, during(up, g.load)...)})
		}
		for _, node := range []string{"pve1", "pve2"} {
			add("pve_cpu_usage_limit", "node/"+node, Series{Value: constant(32)})
			add("pve_up", "node/"+node, Series{Value: constant(1)})
			add("pve_cpu_usage_ratio", "node/"+node, Series{Value: constant(0.4)})
			site.Series = append(site.Series, Series{Labels: with(labels("pve_node_info", common...), "id", "node/"+node, "name", node, "level", "c", "nodeid", node[3:]), Value: constant(1)})
		}
		add("pve_up", "storage/pve1/local", Series{Value: constant(1)})
		add("pve_up", "cluster/pvec", Series{Value: constant(1)})
	}
	for _, g := range guests {
		if g.stopped {
			continue
		}
		kind := g.id[:3]
		if kind == "qem" {
			kind = "qemu"
		}
		w := &Work{Key: Key{g.tags, kind, Unattributed}, Cores: float64(g.cores)}
		if g.up != (Span{}) {
			w.Life = []Span{g.up}
		}
		for _, p := range g.load {
			w.Busy = append(w.Busy, Pace{p.Span, p.Rate * float64(g.cores)})
		}
		site.Work = append(site.Work, w)
	}
	return site
}

// running is 1 while a guest runs.
func running(up Span, stopped bool) func(time.Duration) float64 {
	if stopped {
		return constant(0)
	}
	return gauge(0, Pace{up, 1})
}

// during is what is left of paces in a time.
func during(s Span, paces []Pace) (all []Pace) {
	for _, p := range paces {
		all = append(all, Pace{p.and(s), p.Rate})
	}
	return all
}
