// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles

import "strings"

// withoutNodeExporter is a cluster without node_exporter on its nodes, so that nothing says of
// what kind a node is.
func withoutNodeExporter(site *Site) *Site {
	bare := *site
	bare.Series = nil
	for _, s := range site.Series {
		if !strings.HasPrefix(s.Labels["__name__"], "node_") {
			bare.Series = append(bare.Series, s)
		}
	}
	for _, w := range bare.Work {
		w.Key.Machine = Unknown
	}
	for i := range bare.Rest {
		bare.Rest[i].Key.Machine = Unknown
	}
	return &bare
}

// KubernetesBare is a cluster without node_exporter, of which Prometheus stores nothing that is
// not of a pod: what nodes do beside nobody knows.
func KubernetesBare() *Site {
	site := withoutNodeExporter(kubernetesSite(false, pods()))
	for _, r := range site.Rest {
		r.Of.Busy = r.Of.Busy[1:] // without the system's
	}
	return site
}

// KubernetesBareWhole is one whose cAdvisor says what all of a node used.
func KubernetesBareWhole() *Site { return withoutNodeExporter(kubernetesSite(true, pods())) }

// SlurmBare is a cluster without node_exporter. Its controller says how many cores nodes have.
func SlurmBare() *Site {
	site := withoutNodeExporter(Slurm())
	for i, r := range site.Rest {
		r.Of.Busy = r.Of.Busy[1:]
		node := "node00" + string(rune('1'+i))
		site.Series = append(site.Series, Series{
			Labels: labels("slurm_node_cpu_total", "job", "slurm", "instance", "head:8080", "node", node, "status", "mixed"), Value: constant(slurmCores),
		})
	}
	return site
}
