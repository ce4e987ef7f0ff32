// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"math"
	"slices"
)

// row returns n new cells.
func (t *edges) row(n int) ([]float64, error) {
	if t.cells += n; t.cells > maxCells {
		return nil, errTooManySeries()
	}
	if len(t.free) < n {
		t.free = make([]float64, max(n, cellsAtOnce)) // one by one, there would be millions
	}
	row := t.free[:n:n]
	t.free = t.free[n:]
	for i := range row {
		row[i] = math.NaN()
	}
	return row, nil
}

// cellsAtOnce are allocated together.
const cellsAtOnce = 4096

// counted returns the first and last edge for which counters are asked.
func (t *edges) counted() (first, last int) {
	from, to := t.asked()
	return max(from-1, 0), min(to+1, len(t.pieces))
}

// counter returns the row of a mode of a label set.
func (t *edges) counter(s *labelSet, mode int) (row []float64, err error) {
	if mode >= len(s.cells) {
		s.cells = append(s.cells, make([][]float64, max(mode+1, len(t.modes))-len(s.cells))...)
	}
	if s.cells[mode] == nil {
		first, last := t.counted()
		s.cells[mode], err = t.row(last - first + 1)
		t.counts++
	}
	return s.cells[mode], err
}

// counterColumn returns the place of a time in the row of a counter.
func (t *edges) counterColumn(at float64) (int, bool) {
	first, last := t.counted()
	i, ok := columnOf(at, t.edge(first), t.length, last-first+1)
	if !ok {
		t.reject(rejectTimestamp)
	}
	return i, ok
}

// has reports whether there is anything of a mode.
func (s *labelSet) has(mode int) bool { return mode < len(s.cells) && s.cells[mode] != nil }

// cell is the counter of a mode at an edge as it was received: NaN where nothing was.
func (s *labelSet) cell(mode, edge int) float64 {
	if i := edge - s.from; s.has(mode) && i >= 0 && i < len(s.cells[mode]) {
		return s.cells[mode][i]
	}
	return math.NaN()
}

// known reports whether any mode of a label set has a value at an edge.
func (s *labelSet) known(edge int) bool {
	for mode := range s.cells {
		if known(s.cell(mode, edge)) {
			return true
		}
	}
	return false
}

func (h *hostSets) known(edge int) bool {
	return slices.ContainsFunc(h.sets, func(s *labelSet) bool { return s.known(edge) })
}
