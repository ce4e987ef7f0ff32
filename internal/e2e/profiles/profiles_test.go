// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/profiles"
)

// sites are all that a profile is held against.
var sites = []struct {
	name string
	site func() *profiles.Site
	// hosts and cores are those of the last half hour.
	hosts, cores int
	// relative is how far a number may be from the truth: 1e-9 if it is exact. seconds is what it
	// may be off by beside that.
	relative, seconds float64
	// counted means that cores are counted minute by minute, and that a node has no counters of its own.
	counted bool
}{
	{name: "node_exporter", site: profiles.NodeExporter, hosts: 4, cores: 16, relative: exact},
	{name: "windows_exporter", site: profiles.WindowsExporter, hosts: 3, cores: 14, relative: exact},
	{name: "windows_exporter with parts apart", site: profiles.WindowsApart, hosts: 3, cores: 14, relative: exact},
	{name: "libvirt with openstack_info", site: profiles.Libvirt, hosts: 4, cores: 12, relative: exact},
	{name: "libvirt with info_meta", site: profiles.LibvirtMeta, hosts: 4, cores: 12, relative: exact},
	{name: "libvirt with labels of its own", site: profiles.LibvirtLabels, hosts: 4, cores: 12, relative: exact},
	{name: "kubernetes with kube-prometheus-stack", site: profiles.Kubernetes, hosts: 2, cores: 24, relative: exact},
	{name: "kubernetes with sums over all of a node", site: profiles.KubernetesWhole, hosts: 2, cores: 24, relative: exact},
	{name: "libvirt with domains that move often", site: profiles.LibvirtRoaming, hosts: 2, cores: 6, relative: exact},
	{name: "libvirt with mishaps", site: profiles.LibvirtMishaps, hosts: 3, cores: 7, relative: exact},
	{name: "kubernetes with a node that boots", site: profiles.KubernetesReboot, hosts: 2, cores: 24, relative: exact},
	{name: "lxd with mishaps", site: profiles.LXDMishaps, hosts: 2, cores: 6, relative: exact},
	{name: "kubernetes with pods that move", site: profiles.KubernetesMoving, hosts: 2, cores: 24, relative: exact},
	{name: "kubernetes with a plain prometheus", site: profiles.KubernetesPlain, hosts: 2, cores: 24, relative: exact},
	{name: "kubernetes without honor_labels", site: profiles.KubernetesExported, hosts: 2, cores: 24, relative: exact},
	{name: "kubernetes with another label from a time on", site: profiles.KubernetesRelabelled, hosts: 2, cores: 24, relative: exact},
	{name: "kubernetes with a second prometheus from a time on", site: profiles.KubernetesReplica, hosts: 2, cores: 24, relative: exact},
	{name: "kubernetes by pod", site: profiles.KubernetesPods, hosts: 2, cores: 24, relative: exact},
	{name: "kubernetes with limits", site: profiles.KubernetesLimits, hosts: 2, cores: 24, relative: exact},
	{name: "kubernetes without node_exporter", site: profiles.KubernetesBare, hosts: 2, cores: 24, relative: exact, counted: true},
	{name: "kubernetes without node_exporter, with sums over all of a node", site: profiles.KubernetesBareWhole, hosts: 2, cores: 24, relative: exact, counted: true},
	{name: "slurm without node_exporter", site: profiles.SlurmBare, hosts: 4, cores: 32, relative: exact, counted: true},
	{name: "slurm with domains", site: profiles.SlurmDomains, hosts: 4, cores: 32, relative: exact},
	{name: "slurm", site: profiles.Slurm, hosts: 4, cores: 32, relative: exact},
	{name: "slurm by its controller", site: profiles.SlurmController, hosts: 2, relative: 0.01, seconds: 250},
	{name: "proxmox", site: profiles.Proxmox, hosts: 3, cores: 14, relative: 0.01, seconds: 200},
	{name: "lxd", site: profiles.LXD, hosts: 6, cores: 30, relative: exact},
	{name: "incus", site: profiles.Incus, hosts: 6, cores: 30, relative: exact},
	{name: "opentelemetry with dotted names", site: profiles.OpenTelemetry, hosts: 3, cores: 16, relative: exact},
	{name: "opentelemetry with underscores", site: profiles.OpenTelemetryUnderscores, hosts: 3, cores: 16, relative: exact},
	{name: "opentelemetry with dots and suffixes", site: profiles.OpenTelemetrySuffixes, hosts: 3, cores: 16, relative: exact},
	{name: "opentelemetry with cpu.mode", site: profiles.OpenTelemetryModes, hosts: 3, cores: 16, relative: exact},
	{name: "opentelemetry with target_info", site: profiles.OpenTelemetryTargets, hosts: 3, cores: 16, relative: exact},
	{name: "recorded", site: profiles.Recorded, hosts: 4, cores: 16, relative: exact},
}

const exact = 1e-9

// Every key of every half hour is booked with the truth, and nothing else is booked; and the laws
// hold.
func TestTruthAndLaws(t *testing.T) {
	for _, tc := range sites {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, tc.site())
			p.read(t, 0, halfHours)
			for i := range halfHours {
				p.check(t, i, tc.relative, tc.seconds)
			}
			if hosts, cores := p.hosts(t, halfHours-1); hosts != tc.hosts || cores != tc.cores {
				t.Errorf("%d hosts with %d cores were there, want %d with %d", hosts, cores, tc.hosts, tc.cores)
			}
			p.checkLaws(t)
		})
	}
}

// check compares a half hour with the truth.
func (p place) check(t *testing.T, i int, relative, seconds float64) {
	t.Helper()
	if !p.checkSpan(t, during(i), relative, seconds) {
		for _, d := range p.doubts(t, i) {
			t.Log(start(i), d)
		}
	}
}

// checkSpan compares all intervals that begin in a time with the truth, and reports whether they
// are right.
func (p place) checkSpan(t *testing.T, s profiles.Span, relative, seconds float64) (right bool) {
	t.Helper()
	got, want, slack := p.between(t, s), p.site.Truth(s), p.site.Slack(s)
	right = true
	for _, k := range slices.SortedFunc(maps.Keys(union(got, want)), byName) {
		g, w := got[k], want[k]
		if !near(g.Busy, w.Busy, relative, slack[k].Busy+seconds+1e-6) || !near(g.Idle, w.Idle, relative, slack[k].Idle+seconds+1e-6) {
			t.Errorf("%s: %v has %v busy and %v idle, truth %v and %v", moment(s.From), k, g.Busy, g.Idle, w.Busy, w.Idle)
			right = false
		}
	}
	return right
}

func byName(a, b profiles.Key) int {
	return slices.Compare([]string{a.Project, a.Machine, a.User}, []string{b.Project, b.Machine, b.User})
}
