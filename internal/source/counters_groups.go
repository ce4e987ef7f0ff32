// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"maps"
	"slices"
)

// counterGroup is some counters, and what matches them; nothing: everything is asked for.
type counterGroup struct {
	matchers string
	byKey    map[string]*counter
}

// groups divides counters among queries.
func (l *deviceLook) groups(all []*counter) func(yield func(counterGroup) bool) {
	return func(yield func(counterGroup) bool) {
		byName := isSelector(l.device.Query) && len(all) <= maxCloser
		for len(all) > 0 {
			g, n, bytes, listed := counterGroup{byKey: map[string]*counter{}}, 0, 0, map[label]bool{}
			for n < len(all) && (!byName || bytes < maxNameBytes) {
				for _, key := range all[n].keys {
					g.byKey[key] = all[n]
					for _, l := range labelsOf(key) {
						if !listed[l] {
							listed[l] = true
							bytes += len(l.value)
						}
					}
				}
				n++
			}
			if byName {
				g.matchers = matchersOf(slices.Sorted(maps.Keys(g.byKey)))
			}
			if !yield(g) {
				return
			}
			all = all[n:]
		}
	}
}

func (g counterGroup) keys() map[string]bool {
	all := map[string]bool{}
	for key := range g.byKey {
		all[key] = true
	}
	return all
}
