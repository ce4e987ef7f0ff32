// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// windows returns the evaluation windows: the pieces of the run, so that energy is priced with
// the carbon intensity of its own half hour. An operator's query without $__interval has a
// fixed window, such as that of a recording rule, which must be the interval: evaluated per
// piece it would count each hour twice.
func (c *Client) windows(run []usage.Interval) []usage.Interval {
	if c.Query.fixed() {
		return run
	}
	var pieces []usage.Interval
	for _, i := range run {
		pieces = append(pieces, i.Pieces()...)
	}
	return pieces
}

// fixed reports whether the operator's queries have a window of their own.
func (q Query) fixed() bool { return q.given() && !strings.Contains(q.BusyQuery, "$__interval") }

// spread divides readings of whole intervals evenly over their pieces: when in the interval the
// time was used is unknown.
func spread(whole []usage.Reading) []usage.Reading {
	var readings []usage.Reading
	for _, w := range whole {
		pieces := w.Piece.Pieces()
		n := usage.CPUSeconds(len(pieces))
		for _, piece := range pieces {
			r := usage.Reading{Piece: piece, Samples: make([]usage.Sample, len(w.Samples)), Present: w.Present, Doubts: w.Doubts, Final: w.Final}
			for project, c := range w.Coverage {
				if r.Coverage == nil {
					r.Coverage = map[string]usage.Coverage{}
				}
				r.Coverage[project] = usage.Coverage{Seen: c.Seen / n, Capacity: c.Capacity / n}
			}
			for i, s := range w.Samples {
				s.CPU.Busy /= n
				s.CPU.Idle /= n
				r.Samples[i] = s
			}
			readings = append(readings, r)
		}
	}
	return readings
}
