// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import "math"

// draw returns a random number in [0, 1) that depends only on its arguments, so that any value
// of the simulation can be computed at any time, in any order. The mixing is that of SplitMix64
// (Steele, Lea, Flood 2014).
func draw(seed uint64, words ...uint64) float64 {
	return float64(mix(seed, words...)>>11) / (1 << 53)
}

func mix(seed uint64, words ...uint64) uint64 {
	h := seed
	for _, w := range words {
		h += w + 0x9e3779b97f4a7c15
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// drift is a smooth random curve in [0, 1): a draw at each whole x, with a cosine between two
// of them.
func drift(x float64, seed uint64, words ...uint64) float64 {
	whole := math.Floor(x)
	at := func(knot float64) float64 { return draw(mix(seed, words...), uint64(int64(knot))) }
	weight := (1 - math.Cos(math.Pi*(x-whole))) / 2
	return at(whole)*(1-weight) + at(whole+1)*weight
}

// The first word of every draw says what it is for, so that no two uses get the same numbers.
const (
	aboutAddress uint64 = iota + 1
	aboutLife
	aboutLoad
	aboutCore
	aboutReboot
	aboutGap
	aboutPhase
	aboutWind
	aboutIntensity
	aboutForecast
	aboutRevision
	aboutRegion
	aboutTenancy
	aboutPeople
)
