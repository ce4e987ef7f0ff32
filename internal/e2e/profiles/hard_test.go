// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/profiles"
)

// A hole in scraping over the edge of two half hours moves nothing to where it was not, and
// loses no more than what nobody saw: counters say afterwards how far they have come.
func TestHoles(t *testing.T) {
	for _, tc := range sites {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			site := tc.site()
			hole := profiles.Span{From: 110 * time.Minute, To: 129 * time.Minute}
			site.Holes = []profiles.Span{hole}
			p := newPlace(t, site)
			p.read(t, 0, halfHours+2)
			var seen, truth profiles.Amount
			for i := range halfHours + 2 {
				for _, want := range site.Truth(during(i)) {
					truth.Busy, truth.Idle = truth.Busy+want.Busy, truth.Idle+want.Idle
				}
				for _, got := range p.facts(t, i) {
					seen.Busy, seen.Idle = seen.Busy+got.Busy, seen.Idle+got.Idle
				}
				checkSums(t, start(i), p.facts(t, i), p.scoped(t, i))
			}
			p.checkHole(t, 3, 5, tc.seconds, tc.counted)
			if tc.relative == exact { // whatever is read with it
				together := []map[profiles.Key]profiles.Amount{p.facts(t, 3), p.facts(t, 4)}
				for i := 4; i >= 3; i-- {
					p.read(t, i, i+1)
					for k, a := range p.facts(t, i) {
						if b := together[i-3][k]; !near(a.Busy, b.Busy, 1e-9, 1e-6) || !near(a.Idle, b.Idle, 1e-9, 1e-6) {
							t.Errorf("%s: %v has %v if read alone, %v in a run", start(i), k, a, b)
						}
					}
				}
			}
			alone := p
			alone.store += ".alone"
			for _, i := range []int{4, 3} {
				alone.read(t, i, i+1)
				checkSame(t, start(i)+" read alone", alone.facts(t, i), p.facts(t, i))
			}
			for _, i := range []int{0, 1, 2, 5} {
				p.check(t, i, tc.relative, tc.seconds)
			}
			unseen := (hole.To - hole.From).Seconds() / (time.Duration(halfHours+2) * 30 * time.Minute).Seconds()
			if tc.counted { // what is not known of the cores is not known of idle time alone
				seen.Idle, truth.Idle = seen.Idle+seen.Busy, truth.Idle+truth.Busy
			}
			if least := 1 - unseen - 0.02; seen.Busy < least*truth.Busy || seen.Idle < least*truth.Idle {
				t.Errorf("%v is booked in all, truth %v", seen, truth)
			}
		})
	}
}

// checkHole wants nobody to have more than the truth in half hours with a hole, and shares of
// machines that bridge it no less.
func (p place) checkHole(t *testing.T, from, to int, seconds float64, counted bool) {
	t.Helper()
	got, want := map[profiles.Key]profiles.Amount{}, map[profiles.Key]profiles.Amount{}
	var lost profiles.Amount
	for i := from; i < to; i++ {
		for k, a := range p.facts(t, i) {
			got[k] = profiles.Amount{Busy: got[k].Busy + a.Busy, Idle: got[k].Idle + a.Idle}
		}
		for k, a := range p.site.Truth(during(i)) {
			want[k] = profiles.Amount{Busy: want[k].Busy + a.Busy, Idle: want[k].Idle + a.Idle}
		}
	}
	if len(p.site.Rest) > 0 {
		for k, w := range want {
			if k.Project != profiles.Unattributed {
				lost.Busy, lost.Idle = lost.Busy+w.Busy-got[k].Busy, lost.Idle+w.Idle-got[k].Idle
			}
		}
	}
	for k, g := range got {
		w := want[k]
		if k.Project == profiles.Unattributed {
			w.Busy, w.Idle = w.Busy+lost.Busy, w.Idle+lost.Idle
		}
		if g.Busy > w.Busy*1.01+seconds+1 || g.Idle > w.Idle*1.01+seconds+1 {
			t.Errorf("%s to %s: %v has %v, truth %v", start(from), start(to), k, g, w)
		}
		if len(p.site.Rest) > 0 && !counted && k.Project != profiles.Unattributed && seconds == 0 && (g.Busy < w.Busy*0.999-1 || g.Idle < w.Idle*0.97-1) {
			t.Errorf("%s to %s: %v has only %v, truth %v", start(from), start(to), k, g, w)
		}
	}
}

// Scrapes come at any time. What grows steadily is exact all the same; what comes or goes is known
// to a scrape.
func TestUnaligned(t *testing.T) {
	for _, tc := range sites {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			site := tc.site()
			site.Unaligned = true
			p := newPlace(t, site)
			p.read(t, 0, halfHours)
			for i := range halfHours {
				p.check(t, i, max(tc.relative, 1e-6), tc.seconds+site.Every.Seconds()+30)
			}
		})
	}
}

// Intervals of minutes, and of hours, add up to the same.
func TestOtherLengths(t *testing.T) {
	for _, tc := range sites {
		for _, length := range []time.Duration{5 * time.Minute, 15 * time.Minute, 2 * time.Hour} {
			t.Run(tc.name+" every "+length.String(), func(t *testing.T) {
				t.Parallel()
				p := newPlace(t, tc.site(), fmt.Sprintf("interval: %dm", int(length.Minutes())))
				p.read(t, 0, halfHours)
				all := profiles.Span{To: halfHours * 30 * time.Minute}
				for from := all.From; from < all.To; from += length {
					p.checkSpan(t, profiles.Span{From: from, To: from + length}, tc.relative, tc.seconds)
				}
			})
		}
	}
}

// Two Prometheus servers that scrape the same site count nothing twice.
func TestPairs(t *testing.T) {
	for _, tc := range sites {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, profiles.Paired(tc.site()))
			p.read(t, 0, halfHours)
			for i := range halfHours {
				p.check(t, i, tc.relative, tc.seconds)
			}
		})
	}
}

// A cluster whose pods request more than its nodes have adds up to its nodes all the same, and
// so does one of which for a while nobody sees who used it, or who they are.
func TestClustersAddUp(t *testing.T) {
	hole := []profiles.Span{{From: 50 * time.Minute, To: 69 * time.Minute}}
	for _, tc := range []struct {
		name   string
		site   func() *profiles.Site
		holeOf string
		users  bool // everybody has what they used
	}{
		{name: "pods request more than there is", site: profiles.KubernetesOvercommitted, users: true},
		{name: "the kubelets do not answer", site: profiles.Kubernetes, holeOf: "kubelet"},
		{name: "kube-state-metrics does not answer", site: profiles.Kubernetes, holeOf: "kube-state-metrics", users: true},
		{name: "slurm-job-exporter does not answer", site: profiles.Slurm, holeOf: "slurm-job-exporter"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			site := tc.site()
			if tc.holeOf != "" {
				site.Holes, site.HoleOf = hole, tc.holeOf
			}
			p := newPlace(t, site)
			p.read(t, 0, halfHours)
			for i := range halfHours {
				facts := p.facts(t, i)
				checkCluster(t, i, facts, site)
				truth, slack := site.Truth(during(i)), site.Slack(during(i))
				for k, w := range truth {
					if g := facts[k]; tc.users && !near(g.Busy, w.Busy, exact, slack[k].Busy+1e-6) {
						t.Errorf("%s: %v has %v busy, truth %v", start(i), k, g.Busy, w.Busy)
					}
				}
			}
		})
	}
}

// checkCluster wants all usage of a cluster to be that of its nodes.
func checkCluster(t *testing.T, i int, facts map[profiles.Key]profiles.Amount, site *profiles.Site) {
	t.Helper()
	var got, want profiles.Amount
	for k, a := range facts {
		if a.Busy < 0 || a.Idle < 0 {
			t.Errorf("%s: %v has %v", start(i), k, a)
		}
		got.Busy, got.Idle = got.Busy+a.Busy, got.Idle+a.Idle
	}
	for _, r := range site.Rest {
		busy, idle := r.Of.In(during(i))
		want.Busy, want.Idle = want.Busy+busy, want.Idle+idle
	}
	if !near(got.Busy, want.Busy, exact, 0) || !near(got.Idle, want.Idle, exact, 0) {
		t.Errorf("%s: the cluster has %v, its nodes %v", start(i), got, want)
	}
}

// Containers with node_exporter inside show the cores of their host, each all of them. The
// program cannot know how much was whose; it says which hosts these are.
func TestContainersThatShowTheirHostsCores(t *testing.T) {
	t.Parallel()
	p := newPlace(t, profiles.ContainersOfOneHost())
	said := p.readLoudly(t, 0, halfHours)
	if !strings.Contains(said, "Several hosts show the same CPU counters") || !strings.Contains(said, "ct-1:9100, ct-2:9100, ct-3:9100") || strings.Contains(said, "alone:9100") {
		t.Errorf("it says\n%s", said)
	}
}
