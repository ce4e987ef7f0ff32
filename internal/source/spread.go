package source

import (
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// windows are the times of the evaluations: the pieces of the run, so that energy is
// priced with the carbon of its own half hour. A query of the operator without $__interval
// has a fixed window, such as that of a recording rule, which must be the interval: asked
// for by pieces it would count each hour twice.
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

// fixed says whether the operator's queries have a window of their own.
func (q Query) fixed() bool { return q.Given() && !strings.Contains(q.BusyQuery, "$__interval") }

// spread divides readings of whole intervals evenly over their pieces: it is not known
// when in the interval the time was used.
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
