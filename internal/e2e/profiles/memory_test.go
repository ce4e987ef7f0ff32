// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles_test

import (
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/profiles"
)

// held is a site in which a core draws 1 W and a GiB 1 W, whose hosts have memory by some metric.
func held(site *profiles.Site, metric string, gib float64, label string, names ...string) *profiles.Site {
	for _, name := range names {
		pairs := []string{"job", "memory", label, name}
		if label != "instance" {
			pairs = append(pairs, "instance", "kvm-01:9177")
		}
		site.Series = append(site.Series, profiles.Gauge(metric, gib*(1<<30), pairs...))
	}
	return site.With("busy_watts: 1\nidle_watts: 1\ncpu_models: off\nmemory_watts_per_gib: 1")
}

// Memory is of those who have the CPU time of its host: pods and jobs as much as they have of that,
// and nobody of what nobody has. A meter includes it.
func TestMemoryOfProfiles(t *testing.T) {
	slurm := []string{"node001:9100", "node002:9100", "node003:9100", "node004:9100"}
	smith := profiles.Key{Project: "def-smith", Machine: "compute", User: "alice"}
	nobody := profiles.Key{Project: profiles.Unattributed, Machine: "compute", User: profiles.Unattributed}
	half := held(profiles.Slurm(), "node_memory_MemTotal_bytes", 16, "instance", slurm...)
	half.Draws += "\nmeasured: [{name: ipmi, query: ipmi_watts}]"
	half.Series = append(half.Series, profiles.Gauge("ipmi_watts", 100, "instance", "node004", "job", "ipmi"))
	libvirt := []string{"instance-00000001", "instance-00000002", "instance-00000003", "instance-00000004"}
	checkDrawn(t, []drawnCase{
		{
			name: "slurm, by job", site: held(profiles.Slurm(), "node_memory_MemTotal_bytes", 16, "instance", slurm...), half: 3,
			all: 32 + 4*16, modelled: map[profiles.Key]float64{smith: 8 * 3, nobody: 32*3 - 8*3 - 3*3},
		},
		{name: "slurm, one node with a meter", site: half, half: 3, all: 24 + 3*16 + 100, modelled: map[profiles.Key]float64{smith: 8 * 3}},
		{
			name: "kubernetes, by pod", site: held(profiles.KubernetesWhole(), "node_memory_MemTotal_bytes", 24, "instance", "worker-1", "worker-2"), half: 3,
			all: 24 + 2*24, modelled: map[profiles.Key]float64{{Project: "lab", Machine: "x86_64", User: "db"}: 2 * 3, notebook: 0.7 * 3},
		},
		{
			name: "kubernetes without node_exporter", site: held(profiles.KubernetesBareWhole(), "machine_memory_bytes", 24, "instance", "10.0.0.11:10250", "10.0.0.12:10250"), half: 3,
			all: 24 + 2*24, modelled: map[profiles.Key]float64{{Project: "lab", Machine: profiles.Unknown, User: "db"}: 2 * 3},
		},
		{
			name: "libvirt, domains", site: held(profiles.Libvirt(), "libvirt_domain_info_memory_usage_bytes", 4, "domain", libvirt...), half: 3,
			all: 12 + 4*4, modelled: map[profiles.Key]float64{{Project: "astro", Machine: "m1.large", User: "ada"}: 4 + 4},
		},
		{
			name: "windows_exporter", site: held(profiles.WindowsExporter(), "windows_memory_physical_total_bytes", 8, "instance", "win-01:9182", "win-02:9182", "win-03:9182"), half: 3,
			all: 14 + 3*8,
		},
	})
}
