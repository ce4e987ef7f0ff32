// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"hash/maphash"
	"math"
	"slices"
	"strings"
)

// replicaLabels tell apart the servers of a pair, and nothing else.
var replicaLabels = []string{"prometheus_replica", "replica", "__replica__", "rule_replica", "receive_replica", "prometheus"}

// tellsDevices reports whether a label is one by which exporters tell devices apart.
func tellsDevices(name string) bool {
	return slices.ContainsFunc([]string{"uuid", "gpu", "device", "serial", "pci", "index", "minor", "card", "socket", "package"}, func(word string) bool {
		return strings.Contains(strings.ToLower(name), word)
	})
}

// copies puts the copies of one counter together, so that it counts once: series whose labels
// differ in one that tells servers apart, or in any one that does not tell devices apart, if they
// always have the same value. Of copies the larger value is the newer.
func (g *gathering) copies(d Device, all []*counter) []*counter {
	buckets := map[uint64][]int{} // by all labels but one, and which that is
	seed := maphash.MakeSeed()
	for n, c := range all {
		labels, sum := labelsOf(c.keys[0]), uint64(0)
		for _, l := range labels {
			sum += maphash.Comparable(seed, l)
		}
		for _, l := range labels {
			bucket := sum - maphash.Comparable(seed, l) + maphash.String(seed, l.name)
			buckets[bucket] = append(buckets[bucket], n)
		}
	}
	into := make([]int, len(all)) // the counter that each is a copy of
	for n := range into {
		into[n] = n
	}
	var by, doubtful []string
	for _, some := range inOrder(buckets) {
		of := all[some[0]]
		for _, n := range some[1:] {
			name := differs(of.keys[0], all[n].keys[0])
			if name == "" || into[n] != n || into[some[0]] != some[0] || all[n].series != of.series {
				continue
			}
			agree, differ := agreeing(of.edges, all[n].edges, g.pieces[0].Length.Seconds())
			switch {
			case slices.Contains(replicaLabels, name) && agree >= differ, !tellsDevices(name) && same(of.edges, all[n].edges):
				into[n] = some[0]
				by = append(by, name)
			case agree >= 2 && differ == 0:
				doubtful = append(doubtful, orUnknown(of.series.Host))
			}
		}
	}
	if len(by) > 0 {
		g.remark("The device %.60q is there more than once, in series that differ by %s alone, and counts once: select one of them", d.Name, some(unique(by)))
	}
	if len(doubtful) > 0 {
		g.remark("The device %.60q has series on these hosts that seem to be copies of each other and count twice: %s; if they are, select one of them", d.Name, some(unique(doubtful)))
	}
	var one []*counter
	for n, c := range all {
		if into[n] == n {
			one = append(one, c)
			continue
		}
		of := all[into[n]]
		of.keys = append(of.keys, c.keys...)
		of.edges, of.resets = merged(of.edges, c.edges, math.Max), merged(of.resets, c.resets, math.Max)
	}
	return one
}

// inOrder returns the buckets that have several in them, in the order of the first.
func inOrder(buckets map[uint64][]int) (all [][]int) {
	for _, some := range buckets {
		if len(some) > 1 {
			all = append(all, some)
		}
	}
	slices.SortFunc(all, slices.Compare)
	return all
}

// differs returns the only label by which two keys differ; empty: there is not one alone.
func differs(a, b string) (name string) {
	x, y := labelsOf(a), labelsOf(b)
	if len(x) != len(y) {
		return ""
	}
	for i := range x {
		if x[i].name != y[i].name || name != "" && x[i] != y[i] {
			return ""
		}
		if x[i] != y[i] {
			name = strings.Clone(x[i].name)
		}
	}
	return name
}

// same reports whether two counters have the same value at all edges at which both are, and grow.
func same(a, b []float64) bool {
	first, last := math.NaN(), math.NaN()
	for i := range a {
		if isAbsent(a[i]) || isAbsent(b[i]) {
			continue
		}
		if a[i] != b[i] {
			return false
		}
		if math.IsNaN(first) {
			first = a[i]
		}
		last = a[i]
	}
	return last > first
}

// agreeing counts the edges at which two counters have values that one counter may have within the
// time that a server looks back, and those at which they have not: one of the two may have seen
// first that it began again.
func agreeing(a, b []float64, length float64) (agree, differ int) {
	rate := 0.0
	for i := 1; i < len(a); i++ {
		for _, row := range [][]float64{a, b} {
			if grown := row[i] - row[i-1]; grown > 0 { // and not absent
				rate = max(rate, grown/length)
			}
		}
	}
	for i := range a {
		switch {
		case isAbsent(a[i]) || isAbsent(b[i]):
		case math.Abs(a[i]-b[i]) <= rate*lookBack:
			agree++
		default:
			differ++
		}
	}
	if rate == 0 {
		agree = min(agree, 1) // two that stand still say nothing
	}
	return agree, differ
}
