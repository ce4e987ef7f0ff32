// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import "github.com/carbon-exporter/carbon_exporter/internal/usage"

// A longer run takes more memory, and a little less time for each of its intervals: every question
// also asks for what is beside the run.
const (
	comfortableCells = 1 << 20
	comfortableRun   = 24 // pieces, whatever they take
)

// Fits returns how many of the first intervals of a run may be read at once, as far as is known: no
// more than fit in our memory, with ease if they are many, and than the server may hold for one query.
func (c *Client) Fits(run []usage.Interval) int {
	n := len(run)
	for n > 1 && !c.Query.given() && !c.fits(c.windows(run[:n])) {
		n--
	}
	return n
}

func (c *Client) fits(pieces []usage.Interval) bool {
	counters, sets := c.extent.rows()
	edges, ours := len(pieces)+3, 2*(len(pieces)+2*besideOf(pieces[0].Length))+1
	cells := counters*edges + sets*ours
	if cells > maxCells || len(pieces) > comfortableRun && cells > comfortableCells {
		return false
	}
	series, _, known := c.extent.of(nil)
	return !known || c.MaxSamples <= 0 || series*edges <= c.MaxSamples
}
