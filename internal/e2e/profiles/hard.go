// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles

import (
	"slices"
	"strings"
)

// Paired is a site that two Prometheus servers scrape, both of which are asked at once: every
// series is there twice.
func Paired(site *Site) *Site {
	both := *site
	both.Series = nil
	for _, replica := range []string{"a", "b"} {
		for _, s := range site.Series {
			s.Labels = with(s.Labels, "prometheus_replica", replica)
			both.Series = append(both.Series, s)
		}
	}
	return &both
}

// LibvirtRoaming is a cloud in which domains move often: there and back within a half hour, and
// to a hypervisor that shows them only minutes later. Of what a domain did before it was first
// seen there its counter tells.
func LibvirtRoaming() *Site {
	site := Libvirt()
	site.Series, site.Work = nil, nil
	there := func(on string, from, to float64) stay { return stay{on, span(from, to), span(from, to)} }
	late := there("kvm-02", 75, 24*60)
	late.seen.From = at(77)
	for _, d := range []domain{
		{
			guest: guest{name: "instance-0000000a", key: Key{"astro", "m1.large", "ada"}, cores: 4, busy: busy(1.6)},
			stays: []stay{there("kvm-01", -24*60, 36), there("kvm-02", 36, 48), there("kvm-01", 48, 24*60)},
		},
		{
			guest: guest{name: "instance-0000000b", key: Key{"bio", "m1.small", "bob"}, cores: 2, busy: busy(1)},
			stays: []stay{there("kvm-01", -24*60, 75), late},
		},
	} {
		for _, stay := range d.stays {
			site.Series = append(site.Series, d.series(novaInfo(), stay)...)
		}
		w := d.work()
		for _, stay := range d.stays[1:] {
			w.Slacks = append(w.Slacks, stay.runs.From)
		}
		site.Work = append(site.Work, w)
	}
	return site
}

// LibvirtInfoAway is a cloud in which a domain says for more than an hour nothing of whose it is.
func LibvirtInfoAway() *Site {
	site := &Site{Profile: "libvirt"}
	d := domain{
		guest: guest{name: "instance-00000001", key: Key{"astro", "m1.large", "ada"}, cores: 4, busy: busy(1.3)},
		stays: []stay{{on: "kvm-01"}}, unsaid: span(20, 100),
	}
	site.Series, site.Work = d.series(novaInfo(), d.stays[0]), []*Work{d.work()}
	return site
}

// KubernetesMoving is a cluster in which a pod of a StatefulSet moves to another node under its
// name, and a container is started again within its pod.
func KubernetesMoving() *Site {
	all := pods()
	i := slices.IndexFunc(all, func(p pod) bool { return p.name == "db-0" })
	moved := all[i]
	all[i].life = Span{always.From, at(70)}
	moved.life, moved.node, moved.uid = Span{at(72), always.To}, "worker-2", "another"
	site := kubernetesSite(false, append(all, moved))
	// The container goes on under another id, with a counter of its own.
	for n, s := range site.Series {
		if s.Labels["__name__"] == "container_cpu_usage_seconds_total" && s.Labels["container"] == "nginx" && strings.HasSuffix(s.Labels["pod"], "aaaaa") {
			restarted := s
			restarted.Labels = with(s.Labels, "id", s.Labels["id"]+"2")
			site.Series[n].Shown = Span{always.From, at(45)}
			restarted.Shown, restarted.Value = Span{at(45), always.To}, counter(at(45), busy(0.4)...)
			site.Series = append(site.Series, restarted)
			for _, w := range site.Work {
				if w.Key.User == "web" && w.Busy[0].Rate == 0.4 {
					w.Slacks = append(w.Slacks, at(45))
				}
			}
		}
	}
	return site
}

// KubernetesPlain is a cluster with a Prometheus that was set up by hand: the kubelet's and
// node_exporter's instance is the node's name, no series has a label for the node, and two
// replicas of kube-state-metrics say the same.
func KubernetesPlain() *Site {
	site := KubernetesWhole()
	var more []Series
	for i, s := range site.Series {
		switch s.Labels["job"] {
		case "kubelet":
			s.Labels["job"], s.Labels["instance"] = "kubernetes-cadvisor", s.Labels["node"]
			for _, l := range []string{"node", "metrics_path", "endpoint", "service"} {
				delete(s.Labels, l)
			}
		case "kube-state-metrics":
			more = append(more, Series{Labels: with(site.Series[i].Labels, "instance", "10.244.1.9:8080"), Shown: s.Shown, Value: s.Value})
		}
	}
	site.Series = append(site.Series, more...)
	return site
}

// KubernetesLimits takes limits, which are twice the requests here, for the cores of pods.
func KubernetesLimits() *Site {
	site := Kubernetes()
	site.Section = `shares:
  cores_query: >-
    sum by (namespace, pod, node) (max by (namespace, pod, node, container) (kube_pod_container_resource_limits{resource="cpu"}))`
	for _, w := range site.Work {
		w.Cores *= 2
	}
	return site
}

// KubernetesPods leaves out who owns pods: each is a user of its own.
func KubernetesPods() *Site {
	site := Kubernetes()
	site.Section = "shares: {info: []}"
	i := 0
	for _, n := range kubernetesNodes { // in the order of the work
		for _, p := range pods() {
			if p.node == n.name {
				site.Work[i].Key.User = p.name
				i++
			}
		}
	}
	return site
}
