package source

import (
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// windows are the times that one evaluation each is asked for: the pieces of
// the run, by which energy meets the carbon of its own half hour. A given query
// without $__interval has a window of its own, a recording rule's, which must be
// the interval: asked for by pieces it would give each hour twice.
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

// fixed says whether the window of the queries is the operator's.
func (q Query) fixed() bool { return q.Given() && !strings.Contains(q.BusyQuery, "$__interval") }

// spread cuts readings of whole intervals into their pieces, evenly: when in the
// interval the time was used is not known.
func spread(whole []usage.Reading) []usage.Reading {
	var readings []usage.Reading
	for _, w := range whole {
		pieces := w.Piece.Pieces()
		n := usage.CPUSeconds(len(pieces))
		for _, piece := range pieces {
			r := usage.Reading{Piece: piece, Samples: make([]usage.Sample, len(w.Samples))}
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
