// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"slices"
	"time"
)

// lengths says for how long each of the values holds that begin at these times, by their starts:
// until the next begins, and no longer than the usual step, because a gap makes no value longer.
// The last has the usual step, and one alone has the step given; 0: it is not known.
func lengths(starts []time.Time, alone time.Duration) map[time.Time]time.Duration {
	sorted := slices.Clone(starts)
	for i := range sorted {
		sorted[i] = sorted[i].UTC()
	}
	slices.SortFunc(sorted, time.Time.Compare)
	sorted = slices.CompactFunc(sorted, time.Time.Equal)
	usual := usualStep(sorted)
	if usual == 0 {
		usual = alone
	}
	found := make(map[time.Time]time.Duration, len(sorted))
	for i, start := range sorted {
		found[start] = usual
		if i+1 < len(sorted) {
			found[start] = min(usual, sorted[i+1].Sub(start))
		}
	}
	return found
}

// usualStep is the most frequent distance, the shortest of those that are equally frequent. The
// times are different and in order.
func usualStep(sorted []time.Time) (usual time.Duration) {
	seen := map[time.Duration]int{}
	for i := 1; i < len(sorted); i++ {
		seen[sorted[i].Sub(sorted[i-1])]++
	}
	for step, n := range seen {
		if n > seen[usual] || n == seen[usual] && step < usual {
			usual = step
		}
	}
	return usual
}
