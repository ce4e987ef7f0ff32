// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"math"
	"slices"
)

// pairs reports whether most hosts are scraped by two servers.
func (t *edges) pairs() bool {
	pairs, hosts := 0, 0
	from, to := t.asked()
	for _, h := range t.hosts {
		for i := from; i < to; i++ {
			if h.cores(i) == 0 {
				continue
			}
			hosts++
			if t.isPair(h, i) || h.twice(i) {
				pairs++
			}
		}
	}
	return pairs > 0 && 2*pairs >= hosts
}

// apart reports whether two series of one core of a host differ by more than copies do.
func (h *hostSets) apart(piece int) bool {
	return h.spread != nil && max(h.spread[piece], h.spread[piece+1]) > farApart
}

// alike reports whether the counters of all label sets are those of one machine.
func (t *edges) alike(sets []*labelSet, piece int, cores float64) bool {
	within := alikeWithin * cores
	for _, s := range sets[1:] {
		for id := range t.modes {
			for _, edge := range []int{piece, piece + 1} {
				if math.Abs(s.at(id, edge)-sets[0].at(id, edge)) > within {
					return false
				}
			}
		}
	}
	return true
}

// at is the counter of a mode at an edge, 0 if there is none.
func (s *labelSet) at(id, edge int) float64 {
	if v := s.cell(id, edge); known(v) {
		return v
	}
	return 0
}

// isPair reports whether a host's counters grew by cores x time more than once, as if two servers
// scraped it.
func (t *edges) isPair(h *hostSets, piece int) bool {
	cores := h.cores(piece)
	if cores == 0 || len(h.sets) != 1 {
		return false
	}
	g := t.grown(h.sets[0], piece)
	n := math.Round(g.total() / (cores * t.length))
	if g.state != whole || n < 2 {
		return false
	}
	_, ok := g.lawful(n*cores, t.length)
	return ok
}

// copied reports whether any host still has two series of one core.
func (t *edges) copied() bool {
	for _, h := range t.hosts {
		if slices.ContainsFunc(h.spread, func(apart float64) bool { return apart > 0 }) {
			return true
		}
	}
	return false
}
