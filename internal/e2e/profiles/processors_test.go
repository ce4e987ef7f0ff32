// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/profiles"
)

const (
	rome    = "AMD EPYC 7702P 64-Core Processor"
	icelake = "Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz"
)

// cpuInfo is what node_exporter says of the processors of a machine: one of a model, of some threads.
func cpuInfo(model, instance string, threads int) (all []profiles.Series) {
	for n := range threads {
		all = append(all, profiles.Gauge("node_cpu_info", 1, "job", "node", "instance", instance, "cpu", fmt.Sprint(n), "core", fmt.Sprint(n/2), "package", "0",
			"vendor", "vendor", "model_name", model, "stepping", "0"))
	}
	return all
}

// processorsOf are the models of a machine type in a half hour, with their share of its CPU time, and
// the source of its watts.
func (p place) processorsOf(t *testing.T, i int) (shares map[string]map[string]float64, sources map[string]string) {
	t.Helper()
	at := profiles.Noon.Add(during(i).From).Unix()
	db := p.open(t)
	rows, err := db.Query(`SELECT machine_name, source, coalesce(model, ''), coalesce(share, 0) FROM interval_power w JOIN dim_machine USING (machine_id)
		LEFT JOIN interval_processor r ON r.start = w.start AND r.machine_id = w.machine_id LEFT JOIN processor USING (processor_id) WHERE w.start = ?`, at)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	shares, sources = map[string]map[string]float64{}, map[string]string{}
	for rows.Next() {
		var machine, source, model string
		var share float64
		if err := rows.Scan(&machine, &source, &model, &share); err != nil {
			t.Fatal(err)
		}
		if shares[machine] == nil {
			shares[machine] = map[string]float64{}
		}
		if share > 0 {
			shares[machine][model] += share
		}
		sources[machine] = source
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return shares, sources
}

// Machine types have the watts of the processors of their machines: of the hosts themselves, of the
// hypervisors of guests, and of the nodes of pods and jobs. Nobody configures anything.
func TestProcessorsOfProfiles(t *testing.T) {
	with := func(site *profiles.Site, more ...[]profiles.Series) *profiles.Site {
		return site.With("cpu_models: auto", slices.Concat(more...)...)
	}
	windows := profiles.WindowsExporter() // it has the series itself
	otel := profiles.OpenTelemetry()
	for _, name := range otel.HostsOf("system.cpu.time", "host.name") {
		model := rome
		if name == "ml-1" {
			model = icelake
		}
		otel.Series = append(otel.Series, profiles.Gauge("target_info", 1, "job", "otel", "host.name", name, "host.cpu.model.name", model))
	}
	var memory []profiles.Series
	for i, name := range profiles.LXD().HostsOf("lxd_cpu_seconds_total", "name") {
		memory = append(memory, profiles.Gauge("lxd_memory_MemTotal_bytes", 1<<32, "job", "lxd", "instance", []string{"lxd1:8443", "lxd2:8443"}[i%2], "name", name, "project", "any", "type", "any"))
	}
	for _, tc := range []struct {
		name   string
		site   *profiles.Site
		shares map[string]map[string]float64 // by machine type; empty: the default counts
	}{
		{
			"node_exporter, two models", with(profiles.NodeExporter(), cpuInfo(rome, "172.16.1.10:9100", 4), cpuInfo(icelake, "172.16.1.12:9100", 2), cpuInfo(rome, "172.16.1.11:9100", 8)),
			map[string]map[string]float64{"Muon": {rome: 4. / 6, icelake: 2. / 6}, "SANS": {rome: 0.8, "": 0.2}},
		},
		{
			"recorded, of the same server", with(profiles.Recorded(), cpuInfo(rome, "172.16.1.10:9100", 4), cpuInfo(rome, "172.16.1.12:9100", 2)),
			map[string]map[string]float64{"Muon": {rome: 1}, "SANS": {}},
		},
		{"windows_exporter", with(windows), map[string]map[string]float64{"Workstation": {"Intel(R) Xeon(R) Gold 6330": 1}, "Instrument": {"Intel(R) Xeon(R) Gold 6330": 1}}},
		{"opentelemetry", with(otel), map[string]map[string]float64{"c5.xlarge": {rome: 1}, "m5.2xlarge": {icelake: 1}}},
		{
			"kubernetes, nodes by address", with(profiles.Kubernetes(), cpuInfo(rome, "10.0.0.11:9100", 12), cpuInfo(icelake, "10.0.0.12:9100", 12)),
			map[string]map[string]float64{"x86_64": {rome: 0.5, icelake: 0.5}},
		},
		{
			"kubernetes, nodes by name", with(profiles.KubernetesWhole(), cpuInfo(rome, "worker-1", 12), cpuInfo(icelake, "worker-2", 12)),
			map[string]map[string]float64{"x86_64": {rome: 0.5, icelake: 0.5}},
		},
		{"kubernetes without node_exporter", with(profiles.KubernetesBare()), map[string]map[string]float64{profiles.Unknown: {}}},
		{
			"slurm", with(profiles.Slurm(), cpuInfo(rome, "node001:9100", 8), cpuInfo(rome, "node002:9100", 8), cpuInfo(rome, "node003:9100", 8), cpuInfo(icelake, "node004:9100", 8)),
			map[string]map[string]float64{"compute": {rome: 0.75, icelake: 0.25}},
		},
		{"slurm without node_exporter", with(profiles.SlurmBare()), map[string]map[string]float64{profiles.Unknown: {}}},
		{
			"libvirt, a domain that migrated", with(profiles.Libvirt(), cpuInfo(rome, "kvm-01:9100", 16), cpuInfo(icelake, "kvm-02:9100", 16), cpuInfo(rome, "kvm-03:9100", 16)),
			map[string]map[string]float64{"m1.large": {rome: 1}, "m1.small": {rome: 1}, profiles.Unknown: {icelake: 1}}, // in its third half hour
		},
		{
			"libvirt, a hypervisor without node_exporter", with(profiles.Libvirt(), cpuInfo(rome, "kvm-01:9100", 16)),
			map[string]map[string]float64{"m1.large": {rome: 0.5, "": 0.5}, "m1.small": {}, profiles.Unknown: {}},
		},
		{
			"lxd, two servers", with(profiles.LXD(), memory, cpuInfo(rome, "lxd1:9100", 16), cpuInfo(icelake, "lxd2:9100", 16)),
			lxdShares(profiles.LXD()),
		},
		{"proxmox, which does not say", with(profiles.Proxmox()), map[string]map[string]float64{"qemu": {}, "lxc": {}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, tc.site)
			p.read(t, 2, 3)
			got, sources := p.processorsOf(t, 2)
			for machine, models := range tc.shares {
				want := "processor"
				if len(models) == 0 {
					want = "default"
				}
				if sources[machine] != want {
					t.Errorf("the watts of %s are of %q, want %q", machine, sources[machine], want)
				}
				for model, share := range models {
					if !near(got[machine][model], share, 1e-6, 1e-6) {
						t.Errorf("%q is %v of %s, want %v (%v)", model, got[machine][model], machine, share, got[machine])
					}
				}
			}
			for machine := range got {
				if _, named := tc.shares[machine]; !named {
					t.Errorf("%s has watts of %s", machine, sources[machine])
				}
			}
		})
	}
}

// lxdShares are the shares of the two models in the CPU time of each machine type, where instances
// are on two servers in turn.
func lxdShares(site *profiles.Site) map[string]map[string]float64 {
	cores := map[string]float64{}
	for _, s := range site.Series {
		if s.Labels["__name__"] == "lxd_cpu_effective_total" {
			cores[s.Labels["name"]] = s.Value(0)
		}
	}
	cores["vm1"], cores["vm2"] = 4, 2
	all := map[string]map[string]float64{"container": {}, "virtual-machine": {}}
	sums := map[string]float64{}
	for i, name := range site.HostsOf("lxd_cpu_seconds_total", "name") {
		machine := "container"
		if name == "vm1" || name == "vm2" {
			machine = "virtual-machine"
		}
		all[machine][[]string{rome, icelake}[i%2]] += cores[name]
		sums[machine] += cores[name]
	}
	for machine, models := range all {
		for model := range models {
			models[model] /= sums[machine]
		}
	}
	return all
}
