// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles_test

import (
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/profiles"
)

// oddSites are sites of which not all can be known. What is not is said, and nobody has more than
// they used.
var oddSites = []struct {
	name string
	site func() *profiles.Site
	// says is part of what is logged, and doubts of what is stored about its machines; empty: nothing is.
	says, doubts string
	// whole means that all that machines used is booked, whoever has it.
	whole bool
	// more means that somebody may have more than they used.
	more bool
}{
	{name: "a cluster of which one Prometheus knows another", site: func() *profiles.Site {
		return profiles.Twice(profiles.Kubernetes, "instance")
	}, says: "Several machines are called the same", whole: true},
	{name: "two clusters with the same addresses", site: func() *profiles.Site {
		return profiles.Twice(profiles.Kubernetes, "cluster")
	}, doubts: "mixed", says: "several machines are behind one host label"},
	{name: "a cluster without kube-state-metrics", site: func() *profiles.Site {
		return profiles.Without(profiles.KubernetesPods(), "kube_pod_container_resource_requests")
	}, says: `No cores are reserved for any share, so all idle time is unattributed: asked for \"kube_pod_container_resource_requests\"`, whole: true},
	{name: "a cluster whose cAdvisor knows no containers", site: profiles.KubernetesSandboxes, says: "nothing is known of what they did, so all usage is unattributed", whole: true},
	{name: "a cluster whose kubelets were not scraped for hours", site: func() *profiles.Site {
		return profiles.Young(profiles.Kubernetes(), 62*time.Minute, "kubelet")
	}, whole: true},
	{name: "a cluster whose nodes are renamed", site: profiles.KubernetesNodesRenamed},
	{name: "a cluster without node_exporter, and a new Prometheus", site: func() *profiles.Site {
		return profiles.Young(profiles.KubernetesBareWhole(), 40*time.Minute, "")
	}},
	{name: "a cluster with nothing but pods, and a new Prometheus", site: func() *profiles.Site {
		return profiles.Young(profiles.KubernetesBare(), 40*time.Minute, "")
	}},
	{name: "jobs that were not scraped for hours", site: func() *profiles.Site {
		return profiles.Young(profiles.Slurm(), 62*time.Minute, "slurm-job-exporter")
	}, whole: true},
	{name: "jobs without node_exporter, and a new Prometheus", site: func() *profiles.Site {
		return profiles.Young(profiles.SlurmBare(), 40*time.Minute, "")
	}},
	{name: "jobs that were not scraped for an hour", site: func() *profiles.Site {
		return profiles.Away(profiles.Slurm(), "slurm-job-exporter", 25, 85)
	}, whole: true},
	{name: "kubelets that were not scraped for an hour", site: func() *profiles.Site {
		return profiles.Away(profiles.Kubernetes(), "kubelet", 25, 85)
	}, whole: true},
	{name: "hypervisors that were not scraped for an hour", site: func() *profiles.Site {
		return profiles.Away(profiles.Libvirt(), "", 25, 85)
	}},
	{name: "two exporters of jobs on each node", site: profiles.SlurmTwice, says: "Shares say that they used much more than their machine did", more: true, whole: true},
	{name: "two regions of OpenStack", site: func() *profiles.Site {
		return profiles.Twice(profiles.Libvirt, "instance")
	}, doubts: "mixed", says: "several machines are behind one host label"},
	{name: "containers of one name in two projects", site: func() *profiles.Site {
		return profiles.Twice(profiles.LXD, "project")
	}, doubts: "mixed", says: "several machines are behind one host label"},
	{name: "containers of one name in two clusters", site: func() *profiles.Site {
		return profiles.Twice(profiles.LXD, "instance")
	}, doubts: "mixed", says: "several machines are behind one host label"},
	{name: "two servers with Proxmox that are no cluster", site: func() *profiles.Site {
		return profiles.Twice(profiles.Proxmox, "node")
	}, says: "Two things are said of one id at the same time"},
}

func TestOddSites(t *testing.T) {
	for _, tc := range oddSites {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, tc.site())
			said := p.readLoudly(t, 0, halfHours)
			if !strings.Contains(said, tc.says) || tc.says == "" && strings.Contains(said, "level=WARN") {
				t.Errorf("it says\n%s", said)
			}
			for i := range halfHours {
				facts := p.facts(t, i)
				if len(facts) > 0 {
					checkSums(t, start(i), facts, p.scoped(t, i))
				}
				if !tc.more {
					p.checkNobodyHasMore(t, i, facts)
				}
				if tc.whole {
					checkCluster(t, i, facts, p.site)
				}
				doubts := strings.Join(p.doubts(t, i), "\n")
				if i == halfHours-1 && (tc.doubts == "") != (doubts == "") || !strings.Contains(doubts, tc.doubts) {
					t.Errorf("%s: %s", start(i), doubts)
				}
			}
		})
	}
}

// checkNobodyHasMore wants nobody to have more than they used. Nobody's is what is not known to be
// somebody's.
func (p place) checkNobodyHasMore(t *testing.T, i int, facts map[profiles.Key]profiles.Amount) {
	t.Helper()
	truth, slack := p.site.Truth(during(i)), p.site.Slack(during(i))
	for k, g := range facts {
		w, s := truth[k], slack[k]
		if g.Busy < 0 || g.Idle < 0 {
			t.Errorf("%s: %v has %v", start(i), k, g)
		}
		// What somebody did while they were not seen counts as idle where they have cores.
		if k.Project != profiles.Unattributed && (g.Busy > 1.01*w.Busy+s.Busy+130 || g.Busy+g.Idle > 1.01*(w.Busy+w.Idle)+s.Busy+s.Idle+130) {
			t.Errorf("%s: %v has %v, truth %v", start(i), k, g, w)
		}
	}
}
