// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles_test

import (
	"maps"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/profiles"
)

// checkLaws is for what was read of a place: whatever the profile, usage adds up at every half hour,
// reading one again changes nothing, and so does the order in which they are read.
func (p place) checkLaws(t *testing.T) {
	t.Helper()
	var first []map[profiles.Key]profiles.Amount
	for i := range halfHours {
		first = append(first, p.facts(t, i))
		checkSums(t, start(i), first[i], p.scoped(t, i))
	}
	p.read(t, 0, halfHours, "--restate")
	for i := range halfHours {
		checkSame(t, start(i)+" read again", p.facts(t, i), first[i])
	}
	other := p
	other.store += ".other"
	for _, i := range []int{2, 0, 3, 1} {
		other.read(t, i, i+1)
	}
	for i := range halfHours {
		checkSame(t, start(i)+" read alone and out of order", other.facts(t, i), first[i])
	}
}

// The same holds where for longer than a half hour nobody says whose something is: what was said
// before is still so.
func TestLawsWhileNobodySaysWhose(t *testing.T) {
	for name, site := range map[string]*profiles.Site{
		"kube-state-metrics": profiles.Kubernetes(),
		"libvirt":            profiles.LibvirtInfoAway(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "kube-state-metrics" {
				site.HoleOf, site.Holes = name, []profiles.Span{{From: 46 * time.Minute, To: 100 * time.Minute}}
			}
			p := newPlace(t, site)
			p.read(t, 0, halfHours)
			other := p
			other.store += ".other"
			for _, i := range []int{2, 0, 3, 1} {
				other.read(t, i, i+1)
			}
			for i := range halfHours {
				checkSame(t, start(i)+" read alone and out of order", other.facts(t, i), p.facts(t, i))
				truth, slack := site.Truth(during(i)), site.Slack(during(i))
				for k, g := range p.facts(t, i) {
					if w := truth[k]; !near(g.Busy, w.Busy, exact, slack[k].Busy+1e-6) && w.Busy+w.Idle > 0 {
						t.Errorf("%s: %v has %v busy, truth %v", start(i), k, g.Busy, w.Busy)
					}
				}
			}
		})
	}
}

// checkSums wants the keys to add up to each scope, and each scope to the site.
func checkSums(t *testing.T, when string, keys map[profiles.Key]profiles.Amount, scopes map[string]map[string]profiles.Amount) {
	t.Helper()
	for scope, member := range map[string]func(profiles.Key) string{
		"ada":     func(profiles.Key) string { return "" },
		"project": func(k profiles.Key) string { return k.Project },
		"machine": func(k profiles.Key) string { return k.Machine },
		"user":    func(k profiles.Key) string { return k.User },
	} {
		want := map[string]profiles.Amount{}
		var sum profiles.Amount
		for k, a := range keys {
			w := want[member(k)]
			want[member(k)] = profiles.Amount{Busy: w.Busy + a.Busy, Idle: w.Idle + a.Idle}
		}
		for name := range union(want, scopes[scope]) {
			g, w := scopes[scope][name], want[name]
			if !near(g.Busy, w.Busy, exact, exact) || !near(g.Idle, w.Idle, exact, exact) {
				t.Errorf("%s: %s %q has %v, its keys add up to %v", when, scope, name, g, w)
			}
			sum.Busy, sum.Idle = sum.Busy+g.Busy, sum.Idle+g.Idle
		}
		if all := scopes["ada"][""]; !near(sum.Busy, all.Busy, exact, exact) || !near(sum.Idle, all.Idle, exact, exact) {
			t.Errorf("%s: all of scope %s are %v, the site is %v", when, scope, sum, all)
		}
	}
	if len(keys) == 0 {
		t.Errorf("%s: nothing is booked", when)
	}
}

func checkSame(t *testing.T, what string, got, want map[profiles.Key]profiles.Amount) {
	t.Helper()
	for k := range union(got, want) {
		g, w := got[k], want[k]
		if !near(g.Busy, w.Busy, exact, 1e-6) || !near(g.Idle, w.Idle, exact, 1e-6) {
			t.Errorf("%s: %v has %v, not %v", what, k, g, w)
		}
	}
}

func union[K comparable, V any](a, b map[K]V) map[K]V {
	all := maps.Clone(a)
	if all == nil {
		all = map[K]V{}
	}
	maps.Copy(all, b)
	return all
}
