// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/profiles"
)

const ipmi = "measured: [{name: ipmi, query: ipmi_dcmi_power_consumption_watts}]"

// metered is a site whose hosts have meters of 200 W and 1 W more each, by names.
func metered(site *profiles.Site, power, label string, names ...string) *profiles.Site {
	for i, name := range names {
		pairs := []string{"job", "ipmi", label, name}
		if label != "instance" {
			pairs = append(pairs, "instance", "meters:9290")
		}
		site.Series = append(site.Series, profiles.Gauge("ipmi_dcmi_power_consumption_watts", 200+float64(i), pairs...))
	}
	return site.With("busy_watts: 10\nidle_watts: 1\n" + power)
}

// watts is what so many hosts with such meters draw.
func watts(hosts int) float64 { return 200*float64(hosts) + float64(hosts*(hosts-1))/2 }

// What meters of hosts show is what is booked, whatever the exporter counts. Where hosts are shared,
// it is divided as their CPU time is; where hosts are guests, the meter of a server is of none.
func TestMetersOfProfiles(t *testing.T) {
	slurm := profiles.Slurm().HostsOf("node_cpu_seconds_total", "instance")
	nodeOf := func(names []string, port string) (all []string) {
		for _, n := range names {
			host, _, _ := strings.Cut(n, ":")
			all = append(all, host+port)
		}
		return all
	}
	smith := profiles.Key{Project: "def-smith", Machine: "compute", User: "alice"}
	libvirt := profiles.Libvirt().HostsOf("libvirt_domain_info_cpu_time_seconds_total", "domain")
	libvirt = slices.DeleteFunc(libvirt, func(n string) bool { return n == "instance-00000005" }) // it is off
	lxd := profiles.LXD().HostsOf("lxd_cpu_seconds_total", "name")
	var cases []drawnCase
	add := func(name string, site *profiles.Site, hosts int) {
		cases = append(cases, drawnCase{name: name, site: site, half: 2, all: watts(hosts)})
	}
	add("node_exporter, meters on other ports", metered(profiles.NodeExporter(), ipmi, "instance", nodeOf(profiles.NodeExporter().HostsOf("node_cpu_seconds_total", "instance"), ":9290")...), 4)
	add("windows_exporter", metered(profiles.WindowsExporter(), ipmi, "instance", "WIN-01", "win-02", "win-03."), 3)
	add("recorded, with memory, which the meters include", metered(profiles.Recorded(), ipmi+"\nmemory_watts_per_gib: 1", "instance",
		nodeOf(profiles.NodeExporter().HostsOf("node_cpu_seconds_total", "instance"), ":9290")...), 4)
	add("opentelemetry, by the machine's name", metered(profiles.OpenTelemetry(), "measured: [{name: ipmi, query: ipmi_dcmi_power_consumption_watts, hosts: node}]", "node",
		profiles.OpenTelemetry().HostsOf("system.cpu.time", "host.name")...), 3)
	add("slurm, by the nodes' names", metered(profiles.Slurm(), ipmi, "instance", nodeOf(slurm, "")...), 4)
	add("slurm without node_exporter", metered(profiles.SlurmBare(), ipmi, "instance", nodeOf(slurm, ":9290")...), 4)
	add("kubernetes, nodes by address and meters by name", metered(profiles.Kubernetes(), ipmi, "instance", "worker-1", "worker-2:9290"), 2)
	add("kubernetes, both by name", metered(profiles.KubernetesWhole(), ipmi, "instance", "worker-1:9290", "worker-2"), 2)
	add("kubernetes, by a label of its own", metered(profiles.Kubernetes(), "measured: [{name: ipmi, query: ipmi_dcmi_power_consumption_watts, hosts: node}]", "node", "worker-1", "worker-2"), 2)
	add("kubernetes, both by address", metered(profiles.Kubernetes(), ipmi, "instance", "10.0.0.11:9290", "10.0.0.12"), 2)
	add("kubernetes without node_exporter", metered(profiles.KubernetesBareWhole(), ipmi, "instance", "worker-1:9290", "worker-2:9290"), 2)
	add("libvirt, domains that are measured, with busy time alone", metered(profiles.Libvirt(), ipmi, "domain", libvirt...), len(libvirt))
	add("lxd, instances that are measured, some with busy time alone", metered(profiles.LXD(), ipmi, "name", lxd...), len(lxd))
	add("proxmox, guests that are measured, with a load alone", metered(profiles.Proxmox(), ipmi, "id", "qemu/100", "qemu/101", "lxc/200"), 0)
	cases = append(cases, drawnCase{
		name: "slurm, divided as CPU time is", half: 2, all: watts(4),
		site: metered(profiles.Slurm(), "busy_watts: 2\nidle_watts: 2\n"+ipmi, "instance", nodeOf(slurm, ":9290")...),
	})
	cases[len(cases)-1].site.Draws = "busy_watts: 2\nidle_watts: 2\n" + ipmi
	cases[len(cases)-1].modelled = map[profiles.Key]float64{smith: 100 + 100.5} // half of node001 and of node002
	checkDrawn(t, cases)
}

// A meter of a server is of none of its guests, and that is said.
func TestMetersOfServersOfGuests(t *testing.T) {
	for _, tc := range []struct {
		name  string
		site  *profiles.Site
		label string
		hosts []string
	}{
		{"libvirt", profiles.Libvirt(), "instance", []string{"kvm-01:9290", "kvm-02:9290"}},
		{"lxd", profiles.LXD(), "instance", []string{"lxd1:9290"}},
		{"proxmox, whose guests say on which node they are", profiles.Proxmox(), "instance", []string{"pve1", "pve2"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bare, both := newPlace(t, tc.site.With("")), map[bool]map[profiles.Key]energy{}
			bare.read(t, 1, 2)
			both[false] = bare.drawn(t, 1)
			for _, hosts := range []string{"", ", hosts: instance"} {
				p := newPlace(t, metered(tc.site, fmt.Sprintf("measured: [{name: ipmi, query: ipmi_dcmi_power_consumption_watts%s}]", hosts), tc.label, tc.hosts...))
				tc.site.Series = tc.site.Series[:len(tc.site.Series)-len(tc.hosts)]
				said := p.readLoudly(t, 1, 2)
				if got := p.drawn(t, 1); !maps.Equal(got, both[false]) {
					t.Errorf("with a meter %v, without %v", got, both[false])
				}
				if !strings.Contains(said, "ipmi") {
					t.Errorf("with %q it says\n%s", hosts, said)
				}
			}
		})
	}
}
