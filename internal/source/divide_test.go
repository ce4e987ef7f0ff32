// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func pods() *Shares {
	return &Shares{
		Metric: "container_cpu_usage_seconds_total", Project: "namespace", User: "pod", Hosts: []string{"node", "instance"},
		CoresQuery: "requests", Info: []Info{{Query: "owner", On: []string{"namespace", "pod"}, User: "workload"}},
	}
}

func sharesOf(hosts map[string]string) *allShares {
	names := &hostNames{own: map[string][]string{}}
	for spelled, host := range hosts {
		names.own[spelled] = []string{host}
	}
	return &allShares{query: pods(), hosts: names, byHost: map[string][]*share{}, byKey: map[[3]string]*share{}, strange: map[string]bool{}, several: map[string]bool{}, over: map[string]bool{}, pieces: 1, rejects: usage.Rejects{}}
}

// use books a share: its labels are namespace, pod, node and instance.
func (all *allShares) use(t *testing.T, namespace, pod, node, instance string, busy, reserved float64) {
	t.Helper()
	for _, part := range []struct {
		seconds float64
		into    func(*share) []float64
	}{{busy, func(s *share) []float64 { return s.busy }}, {reserved, func(s *share) []float64 { return s.reserved }}} {
		k := &shareSink{all: all, step: 1800, unit: 1, into: part.into}
		if err := k.Series([]string{namespace, pod, node, instance}); err != nil {
			t.Fatal(err)
		}
		if k.Point(0, part.seconds); k.failed != nil {
			t.Fatal(k.failed)
		}
	}
}

func nodeSample(host string, busy, idle usage.CPUSeconds) usage.Sample {
	return usage.Sample{Series: usage.Series{Project: usage.Unknown, Machine: "x86_64", Host: host}, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: busy, Idle: idle}}
}

func TestWhatANodeUsedIsDivided(t *testing.T) {
	hosts := map[string]string{"10.0.0.1": "10.0.0.1:9100", "worker-1": "10.0.0.1:9100"}
	for _, test := range []struct {
		name string
		use  func(*testing.T, *allShares)
		node usage.Sample
		want []string // project, user, busy and idle
	}{
		{
			"a pod below its requests", func(t *testing.T, all *allShares) { all.use(t, "web", "a", "worker-1", "", 600, 1800) },
			nodeSample("10.0.0.1:9100", 1000, 6200),
			[]string{"web a 600 1200", "unattributed  400 5000"},
		},
		{
			"a pod above its requests, and one without", func(t *testing.T, all *allShares) {
				all.use(t, "web", "a", "worker-1", "", 900, 450)
				all.use(t, "web", "b", "", "10.0.0.1:10250", 50, 0)
			},
			nodeSample("10.0.0.1:9100", 1000, 6200),
			[]string{"web a 900 0", "web b 50 0", "unattributed  50 6200"},
		},
		{
			"pods that seem to have used more than the node", func(t *testing.T, all *allShares) {
				all.use(t, "web", "a", "worker-1", "", 900, 0)
				all.use(t, "db", "b", "WORKER-1", "", 600, 0)
			},
			nodeSample("10.0.0.1:9100", 1000, 6200),
			[]string{"db b 400 0", "web a 600 0", "unattributed  0 6200"},
		},
		{
			"requests beyond what was idle", func(t *testing.T, all *allShares) {
				all.use(t, "web", "a", "worker-1", "", 0, 6000)
				all.use(t, "db", "b", "worker-1", "", 0, 3000)
			},
			nodeSample("10.0.0.1:9100", 1000, 6000),
			[]string{"db b 0 2000", "web a 0 4000", "unattributed  1000 0"},
		},
		{
			"a pod of another node", func(t *testing.T, all *allShares) { all.use(t, "web", "a", "worker-2", "10.0.0.2:10250", 600, 0) },
			nodeSample("10.0.0.1:9100", 1000, 6200),
			[]string{"unattributed  1000 6200"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			all := sharesOf(hosts)
			test.use(t, all)
			var got []string
			for _, s := range all.divide([]usage.Sample{test.node}, 0, nil) {
				if s.Machine != "x86_64" || s.Host != "10.0.0.1:9100" {
					t.Errorf("%+v is on another machine", s)
				}
				got = append(got, fmt.Sprintf("%s %s %.0f %.0f", s.Project, s.User, s.CPU.Busy, s.CPU.Idle))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Whatever the shares say, what they have and what is left is what the hosts have; nothing is
// negative; and the order of arrival does not matter.
func TestDividingLosesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		type use struct {
			namespace, pod, node string
			busy, reserved       float64
		}
		var uses []use
		for range r.IntN(12) {
			uses = append(uses, use{fmt.Sprint("n", r.IntN(3)), fmt.Sprint("p", r.IntN(6)), fmt.Sprint("h", r.IntN(4)), 3000 * r.Float64() * float64(r.IntN(2)), 5000 * r.Float64() * float64(r.IntN(2))})
		}
		var nodes []usage.Sample
		for i := range 3 {
			nodes = append(nodes, nodeSample(fmt.Sprint("h", i), usage.CPUSeconds(4000*r.Float64()*float64(r.IntN(2))), usage.CPUSeconds(4000*r.Float64())))
		}
		divide := func() []usage.Sample {
			all := sharesOf(map[string]string{"h0": "h0", "h1": "h1", "h2": "h2"})
			for _, u := range uses {
				all.use(t, u.namespace, u.pod, u.node, "", u.busy, u.reserved)
			}
			return all.divide(slices.Clone(nodes), 0, nil)
		}
		out := divide()
		sums := map[string]usage.BusyIdle[usage.CPUSeconds]{}
		for _, s := range out {
			if s.CPU.Busy < 0 || s.CPU.Idle < 0 {
				t.Fatalf("%+v is negative", s)
			}
			sum := sums[s.Host]
			sums[s.Host] = usage.BusyIdle[usage.CPUSeconds]{Busy: sum.Busy + s.CPU.Busy, Idle: sum.Idle + s.CPU.Idle}
		}
		for _, n := range nodes {
			if got := sums[n.Host]; math.Abs(float64(got.Busy-n.CPU.Busy)) > 1e-9*float64(n.CPU.Busy) || math.Abs(float64(got.Idle-n.CPU.Idle)) > 1e-9*float64(n.CPU.Idle) {
				t.Fatalf("%s has %v, its parts %v", n.Host, n.CPU, got)
			}
		}
		r.Shuffle(len(uses), func(i, j int) { uses[i], uses[j] = uses[j], uses[i] })
		again := divide()
		alike := func(a, b usage.Sample) bool {
			return a.Series == b.Series && math.Abs(float64(a.CPU.Busy-b.CPU.Busy)) < 1e-9 && math.Abs(float64(a.CPU.Idle-b.CPU.Idle)) < 1e-9
		}
		if !slices.EqualFunc(out, again, alike) {
			t.Fatalf("%v is divided as %v in another order", out, again)
		}
	}
}

func TestAShareOfWhichNothingIsSeenHasNothing(t *testing.T) {
	all := sharesOf(map[string]string{"h": "h"})
	k := &shareSink{all: all, step: 1800, unit: 1, into: func(s *share) []float64 { return s.reserved }}
	if err := k.Series([]string{"web", "a", "h", ""}); err != nil {
		t.Fatal(err)
	}
	k.Point(0, 1800)
	out := all.divide([]usage.Sample{nodeSample("h", 1000, 6200)}, 0, nil)
	if len(out) != 1 || out[0].Project != usage.Unattributed || out[0].CPU != (usage.BusyIdle[usage.CPUSeconds]{Busy: 1000, Idle: 6200}) {
		t.Errorf("got %+v", out)
	}
}

func TestRemarksAboutShares(t *testing.T) {
	last := &usage.Reading{Samples: []usage.Sample{nodeSample("h", 1, 1)}}
	none := sharesOf(nil)
	strange := sharesOf(nil)
	strange.use(t, "web", "a", "worker-9", "", 1, 1)
	some := sharesOf(map[string]string{"h": "h"})
	some.use(t, "web", "a", "worker-9", "", 1, 1)
	some.use(t, "web", "b", "h", "", 1, 1)
	twice := sharesOf(map[string]string{"h": "h"})
	twice.use(t, "web", "a", "h", "", 1000, 1)
	twice.divide([]usage.Sample{nodeSample("h", 600, 600)}, 0, nil)
	for _, test := range []struct {
		name string
		all  *allShares
		want string
	}{
		{"shares that are counted twice", twice, `Shares say that they used much more than their machine did, and each is cut: "h". Two exporters may give the same shares; leave one out by prometheus.shares.matchers`},
		{"no share anywhere", none, "No share of any machine was found, so all usage is unattributed: asked for container_cpu_usage_seconds_total{}; see prometheus.shares"},
		{"shares of machines that nobody knows", strange, `The shares name machines that have no CPU seconds of their own, so all usage is unattributed: their label node or instance is "worker-9"; see prometheus.shares.labels.host`},
		{"shares of one machine that nobody knows", some, `Some shares name machines that have no CPU seconds of their own, and are not booked: "worker-9"`},
	} {
		if got := test.all.remarks(last); len(got) != 1 || got[0] != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	if got := none.remarks(&usage.Reading{}); len(got) > 0 {
		t.Errorf("without machines: %q", got)
	}
}
