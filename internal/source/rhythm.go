// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"math"
	"slices"
)

// How often hosts are scraped, as their samples tell.

// usualStep is the median time between two samples, as a configuration would have it; a minute if
// there are too few.
func usualStep(moments []moment) float64 {
	if len(moments) < 4 {
		return 60
	}
	return middle(between(moments))
}

// between returns the times between samples, the shortest first.
func between(moments []moment) []float64 {
	steps := make([]float64, len(moments)-1)
	for i := range steps {
		steps[i] = moments[i+1].at - moments[i].at
	}
	slices.Sort(steps)
	return steps
}

// middle is the median of times between samples, which are ordered.
func middle(steps []float64) float64 {
	step := steps[len(steps)/2]
	if step >= 60 {
		return 5 * math.Round(step/5) // a server that is late now and then
	}
	return max(math.Round(step), 1)
}

// rhythm is for how long, in seconds, a host is watched to say how often it is scraped: enough for
// four scrapes of one that is scraped every ten minutes.
const rhythm = 31 * 60.0

// stepsOf returns the usual time between two samples in the rhythm until each. Unlike that of all
// samples it does not depend on how much is read at once.
func stepsOf(moments []moment) []float64 {
	all := make([]float64, len(moments))
	var steps []float64 // ordered
	first := 0
	for i := range moments {
		if i > 0 {
			step := moments[i].at - moments[i-1].at
			at, _ := slices.BinarySearch(steps, step)
			steps = slices.Insert(steps, at, step)
		}
		for ; moments[first].at <= moments[i].at-rhythm; first++ {
			at, _ := slices.BinarySearch(steps, moments[first+1].at-moments[first].at)
			steps = slices.Delete(steps, at, at+1)
		}
		if len(steps) >= 3 {
			all[i] = middle(steps)
		}
	}
	return all
}

// step is the usual time between two samples until one; a minute if there are too few.
func (s *story) step(moment int) float64 { return cmp.Or(s.steps[moment], 60) }

// beat is when a host is scraped that is scraped seldom: so many seconds apart, and then. What is not
// on the beat is looked at closely: whoever remembers nothing would do so.
type beat struct{ every, then float64 }

// offBeat is how far, as a part of the beat, a scrape may be from it.
const offBeat = 0.02

func (b beat) has(at float64) bool {
	return b.every > 0 && math.Abs(math.Remainder(at-b.then, b.every)) <= offBeat*b.every
}

// beatOf is the beat of samples; zero: they are not that regular. Some may be missing.
func beatOf(moments []moment) (b beat) {
	if len(moments) < 4 {
		return b
	}
	steps := between(moments)
	b = beat{math.Round(steps[len(steps)/2]), moments[len(moments)-1].at}
	if steps[0] < b.every*(1-offBeat) {
		return beat{}
	}
	return b
}
