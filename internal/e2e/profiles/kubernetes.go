// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles

import (
	"fmt"
	"slices"
	"time"
)

// pod is what ran on a node for a while.
type pod struct {
	namespace, name  string
	ownerKind, owner string
	workload         string
	node             string
	requests         float64 // cores; 0: it requests none
	containers       []string
	busy             float64 // cores, all containers together
	life             Span    // always, if it is empty
	uid              string
}

// kubernetesNode is a node with its address.
type kubernetesNode struct{ name, address string }

var kubernetesNodes = []kubernetesNode{{"worker-1", "10.0.0.11"}, {"worker-2", "10.0.0.12"}}

const (
	nodeCores  = 12
	systemBusy = 0.32 // cores of a node that no pod uses: the kubelet, the kernel
)

func pods() []pod {
	web := func(name, node string, requests, busy float64, life Span) pod {
		return pod{
			namespace: "shop", name: "web-6d4b75cb6d-" + name, ownerKind: "ReplicaSet", owner: "web-6d4b75cb6d", workload: "web",
			node: node, requests: requests, containers: []string{"nginx"}, busy: busy, life: life,
		}
	}
	all := []pod{
		web("aaaaa", "worker-1", 1, 0.4, Span{}),
		web("bbbbb", "worker-2", 1, 2, Span{}), // uses more than it requests
		// It dies and is replaced on the same node within an interval.
		web("ccccc", "worker-1", 1, 0.6, Span{always.From, at(44)}),
		web("ddddd", "worker-1", 1, 0.6, Span{at(45), always.To}),
		{namespace: "lab", name: "db-0", ownerKind: "StatefulSet", owner: "db", workload: "db", node: "worker-1", requests: 2, containers: []string{"postgres", "backup"}, busy: 0.5},
		{namespace: "lab", name: "notebook", workload: "notebook", node: "worker-2", containers: []string{"jupyter"}, busy: 0.7}, // requests nothing, owned by nobody
		{namespace: "kube-system", name: "kube-proxy-x7x2z", ownerKind: "DaemonSet", owner: "kube-proxy", workload: "kube-proxy", node: "worker-2", requests: 0.1, containers: []string{"kube-proxy"}, busy: 0.01},
		// A job that begins and ends within an interval.
		{namespace: "lab", name: "train-28930320-k2b4c", ownerKind: "Job", owner: "train-28930320", workload: "train", node: "worker-2", requests: 1, containers: []string{"train"}, busy: 1, life: span(66, 81)},
	}
	for i := range all {
		all[i].uid = fmt.Sprintf("4fe4c1b0-5f3e-4b0c-9d5e-%012d", i)
	}
	return all
}

func (p pod) work() *Work {
	w := &Work{Key: Key{p.namespace, "x86_64", p.workload}, Cores: p.requests, Busy: busy(p.busy)}
	if p.life != (Span{}) {
		w.Life = []Span{p.life}
	}
	return w
}

// Kubernetes is a cluster with kube-prometheus-stack, which stores nothing of cAdvisor that is
// not of a pod, and calls a node by its address where node_exporter is scraped.
func Kubernetes() *Site { return kubernetesSite(false, pods()) }

// KubernetesWhole is the same cluster with the sums that cAdvisor shows for all of a node, and
// with node_exporter scraped by the nodes' names.
func KubernetesWhole() *Site { return kubernetesSite(true, pods()) }

func kubernetesSite(whole bool, pods []pod) *Site {
	site := &Site{Profile: "kubernetes"}
	site.Series = append(site.Series, Series{Labels: labels("kube_replicaset_owner", "job", "kube-state-metrics", "instance", "10.244.0.7:8080",
		"namespace", "shop", "replicaset", "web-6d4b75cb6d", "owner_kind", "Deployment", "owner_name", "web"), Value: constant(1)})
	for _, n := range kubernetesNodes {
		rest := Rest{Key: Key{Unattributed, "x86_64", Unattributed}, Of: &Work{Cores: nodeCores, Busy: busy(systemBusy)}}
		for _, p := range pods {
			if p.node != n.name {
				continue
			}
			w := p.work()
			rest.Shares = append(rest.Shares, w)
			rest.Of.Busy = append(rest.Of.Busy, Pace{p.lives(), p.busy})
			site.Series = append(site.Series, p.cadvisor(n)...)
			site.Series = append(site.Series, p.state()...)
		}
		site.Work = append(site.Work, rest.Shares...)
		site.Rest = append(site.Rest, rest)
		site.Series = append(site.Series, n.series(whole, rest.Of)...)
		if whole {
			site.Series = append(site.Series, n.cgroups(rest.Of)...)
		}
	}
	return site
}

func (p pod) lives() Span {
	if p.life == (Span{}) {
		return always
	}
	return p.life
}

// kubelet are the labels that the operator gives to what it scrapes of a kubelet.
func (n kubernetesNode) kubelet(path string) []string {
	return []string{"job", "kubelet", "metrics_path", path, "instance", n.address + ":10250", "node", n.name, "endpoint", "https-metrics", "service", "kubelet", "namespace", ""}
}

// cadvisor are the series of each container of a pod, and of the pod as a whole.
func (p pod) cadvisor(n kubernetesNode) (all []Series) {
	const metric = "container_cpu_usage_seconds_total"
	slice := "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + p.uid + ".slice"
	whole := with(labels(metric, n.kubelet("/metrics/cadvisor")...), "cpu", "total", "namespace", p.namespace, "pod", p.name, "id", slice)
	all = append(all, Series{Labels: whole, Shown: p.life, Value: counter(p.lives().From, busy(p.busy)...)})
	for i, c := range p.containers {
		l := with(whole, "container", c, "image", "registry/"+c+":1", "name", fmt.Sprintf("%064d", i), "id", fmt.Sprintf("%s/cri-containerd-%064d.scope", slice, i))
		all = append(all, Series{Labels: l, Shown: p.life, Value: counter(p.lives().From, busy(p.busy/float64(len(p.containers)))...)})
	}
	return all
}

// state is what kube-state-metrics says of a pod.
func (p pod) state() (all []Series) {
	common := []string{"job", "kube-state-metrics", "instance", "10.244.0.7:8080", "namespace", p.namespace, "pod", p.name, "uid", p.uid}
	add := func(name string, v float64, pairs ...string) {
		all = append(all, Series{Labels: labels(name, slices.Concat(common, pairs)...), Shown: p.life, Value: constant(v)})
	}
	add("kube_pod_info", 1, "node", p.node, "host_ip", "10.0.0.1"+p.node[len(p.node)-1:], "created_by_kind", p.ownerKind, "created_by_name", p.owner)
	add("kube_pod_owner", 1, "owner_kind", p.ownerKind, "owner_name", p.owner, "owner_is_controller", "true")
	for _, phase := range []string{"Pending", "Running", "Succeeded", "Failed", "Unknown"} {
		v := 0.0
		if phase == "Running" {
			v = 1
		}
		add("kube_pod_status_phase", v, "phase", phase)
	}
	if p.requests > 0 {
		for _, c := range p.containers {
			add("kube_pod_container_resource_requests", p.requests/float64(len(p.containers)), "container", c, "node", p.node, "resource", "cpu", "unit", "core")
			add("kube_pod_container_resource_requests", 1<<28, "container", c, "node", p.node, "resource", "memory", "unit", "byte")
			add("kube_pod_container_resource_limits", 2*p.requests/float64(len(p.containers)), "container", c, "node", p.node, "resource", "cpu", "unit", "core")
		}
	}
	return all
}

// series are what node_exporter, kube-state-metrics and cAdvisor say of a node.
func (n kubernetesNode) series(byName bool, all *Work) []Series {
	instance := n.address + ":9100"
	if byName {
		instance = n.name
	}
	pairs := []string{
		"job", "node-exporter", "instance", instance, "namespace", "monitoring", "pod", "node-exporter-" + n.name,
		"endpoint", "http-metrics", "container", "node-exporter", "service", "node-exporter",
	}
	ksm := []string{"job", "kube-state-metrics", "instance", "10.244.0.7:8080", "node", n.name}
	return append(nodeOf(all, nodeCores, pairs),
		Series{Labels: with(labels("node_uname_info", pairs...), "nodename", n.name, "machine", "x86_64", "sysname", "Linux"), Value: constant(1)},
		Series{Labels: with(labels("kube_node_info", ksm...), "internal_ip", n.address, "kubelet_version", "v1.34.1"), Value: constant(1)},
		Series{Labels: with(labels("kube_node_status_capacity", ksm...), "resource", "cpu", "unit", "core"), Value: constant(nodeCores)},
		Series{Labels: labels("machine_cpu_cores", n.kubelet("/metrics/cadvisor")...), Value: constant(nodeCores)},
	)
}

// cgroups are the sums over all of a node, which belong to no pod.
func (n kubernetesNode) cgroups(all *Work) (series []Series) {
	of := func(id string, v func(time.Duration) float64) {
		series = append(series, Series{Labels: with(labels("container_cpu_usage_seconds_total", n.kubelet("/metrics/cadvisor")...), "cpu", "total", "id", id), Value: v})
	}
	total := func(at time.Duration) float64 { return grown(all.Busy, Span{always.From, at}) }
	of("/", total)
	of("/kubepods.slice", func(at time.Duration) float64 { return total(at) - steady(systemBusy)(at) })
	of("/system.slice", steady(systemBusy/2))
	of("/system.slice/kubelet.service", steady(systemBusy/4))
	return series
}

// KubernetesOvercommitted is a cluster whose pods request more cores than a node has.
func KubernetesOvercommitted() *Site {
	all := pods()
	for i := range all {
		all[i].requests = 6
	}
	return kubernetesSite(false, all)
}
