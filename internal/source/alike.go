// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"math"
	"slices"
)

const (
	// leastBusy is how many busy CPU seconds a host must have before its counters tell it from
	// another that booted at the same time.
	leastBusy = 1000.0
	// compared is how many hosts each is compared with, in the order of their busy time.
	compared = 8
)

// alikeHosts lists groups of hosts that show the same counters at the end of a piece, read at most a
// minute apart: containers that see the cores of the machine they run on. Each of them is
// booked with all of that machine.
func (t *edges) alikeHosts(piece int) [][]string {
	type counters struct {
		name        string
		cores, busy float64
		at, rate    []float64 // by mode: the counter, and its growth per second
	}
	var all []counters
	for _, name := range t.names {
		h := t.hosts[name]
		if len(h.sets) != 1 || h.cores(piece) == 0 {
			continue
		}
		s := h.sets[0]
		g := t.grown(s, piece)
		if _, ok := g.lawful(h.cores(piece), t.length); g.state != whole || !ok {
			continue
		}
		c := counters{name: name, cores: h.cores(piece), at: make([]float64, len(t.modes)), rate: make([]float64, len(t.modes))}
		for id := range t.modes {
			c.at[id] = s.at(id, piece+1)
			c.rate[id] = (c.at[id] - s.at(id, piece)) / t.length
			if t.modes[id].class == busyClass {
				c.busy += c.at[id]
			}
		}
		if c.busy >= leastBusy {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b counters) int { return cmp.Or(cmp.Compare(a.busy, b.busy), cmp.Compare(a.name, b.name)) })
	same := func(a, b counters) bool {
		if a.cores != b.cores {
			return false
		}
		later := 0.0 // by how many seconds b was read later
		for id := range t.modes {
			if t.modes[id].class != partClass {
				later += (b.at[id] - a.at[id]) / a.cores
			}
		}
		if math.Abs(later) > alikeWithin {
			return false
		}
		for id := range t.modes {
			if math.Abs(b.at[id]-a.at[id]-a.rate[id]*later) > 1+0.1*math.Abs(later)*a.cores {
				return false
			}
		}
		return true
	}
	var groups [][]string
	grouped := map[string]int{}
	for i, a := range all {
		for _, b := range all[i+1 : min(i+1+compared, len(all))] {
			if !same(a, b) {
				continue
			}
			n, ok := grouped[a.name]
			if !ok {
				n = len(groups)
				groups = append(groups, []string{a.name})
				grouped[a.name] = n
			}
			if _, ok := grouped[b.name]; !ok {
				groups[n] = append(groups[n], b.name)
				grouped[b.name] = n
			}
		}
	}
	return groups
}
