// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"math"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// table collects the answers to queries of the operator: a row for each host, a column for each
// piece. A cell that is NaN was not filled: absent, which is not 0. One that is +Inf was
// rejected.
type table struct {
	pieces  []usage.Interval
	step    time.Duration
	first   float64 // Unix seconds of the first evaluation
	hosts   map[usage.Series]*hostRow
	order   []*hostRow // in order of arrival
	rejects usage.Rejects
	answers int
	half    []int                // hosts with one of busy and idle alone, by piece
	info    *infos               // what other metrics say of the hosts; nil: was not asked
	shared  bool                 // hosts that name no project belong to nobody
	coresOf map[string][]float64 // by host and piece; nil: not asked
}

type hostRow struct {
	series usage.Series
	cells  [parts][]float64
	filled [parts]int  // the answer that filled it last, to detect a second series in one answer
	astray [parts]bool // a sample came with a time that was not requested
}

// The parts of what is known of a host.
const (
	busy = iota
	idle
	parts
)

const (
	rejectNaN          = "nan"
	rejectInfinite     = "infinite"
	rejectNegative     = "negative"
	rejectOverCapacity = "over_capacity"
	rejectDuplicate    = "duplicate"
	rejectHistogram    = "histogram"
	rejectTimestamp    = "timestamp"
	rejectHalf         = "half"         // busy without idle, or idle without busy
	rejectNotANumber   = "not_a_number" // 0x10, an empty string, a number that is no string ...
)

const (
	// maxCells bounds the memory of a table at 96 MB; larger runs are split.
	maxCells = 12 << 20
	// maxHosts bounds the memory of host names.
	maxHosts = 250_000
	// maxCores is more than any host has; maxSiteCores is more than any site has, for series
	// without a host. Both are for hosts whose cores are not known.
	maxCores     = 4096
	maxSiteCores = 1e6
)

func newTable(pieces []usage.Interval) *table {
	return &table{
		pieces: pieces, step: pieces[0].Length, first: float64(pieces[0].End().UnixMilli()) / 1000,
		hosts: map[usage.Series]*hostRow{}, rejects: usage.Rejects{}, half: make([]int, len(pieces)),
	}
}

// into returns a sink for one part.
func (t *table) into(part int) sink {
	t.answers++
	step := t.step.Seconds()
	return &cellSink{table: t, part: part, step: step}
}

// cellSink fills cells as an answer streams by.
type cellSink struct {
	table *table
	part  int
	step  float64 // seconds
	limit float64 // larger values are rejected
	row   *hostRow
	cells []float64 // of the row and that part; nil: not part of the answer
	twice bool      // whether it is a second series with the same labels in one answer
}

func (s *cellSink) Series(labels []string) error {
	h, err := s.table.host(labels)
	if err != nil {
		return err
	}
	s.limit = maxSiteCores * s.step
	if h.series.Host != "" {
		s.limit = maxCores * s.step
	}
	s.row = h
	s.twice = h.filled[s.part] == s.table.answers
	h.filled[s.part] = s.table.answers
	s.cells = h.cells[s.part]
	if s.cells == nil {
		s.cells = make([]float64, len(s.table.pieces))
		for i := range s.cells {
			s.cells[i] = math.NaN()
		}
		h.cells[s.part] = s.cells
	}
	return nil
}

func (s *cellSink) Point(at, v float64) {
	i, ok := s.column(at)
	if !ok {
		return
	}
	switch {
	case math.IsNaN(v):
		s.refuse(i, rejectNaN)
	case math.IsInf(v, 0):
		s.refuse(i, rejectInfinite)
	case v < 0:
		s.refuse(i, rejectNegative)
	case v > s.limit:
		s.refuse(i, rejectOverCapacity)
	case s.twice && known(s.cells[i]):
		s.table.reject(rejectDuplicate)
		s.cells[i] = max(s.cells[i], v)
	default:
		s.cells[i] = v
	}
}

func (s *cellSink) Odd(at float64) {
	if i, ok := s.column(at); ok {
		s.refuse(i, rejectNotANumber)
	}
}

// column returns the index of the piece that a sample is for. A sample at another time is
// rejected.
func (s *cellSink) column(at float64) (int, bool) {
	if s.cells == nil {
		return 0, false
	}
	i, ok := columnOf(at, s.table.first, s.step, len(s.cells))
	if !ok {
		s.table.reject(rejectTimestamp)
		s.row.astray[s.part] = true
	}
	return i, ok
}

// refuse counts a rejected sample, and marks its cell unless a second series has filled it.
func (s *cellSink) refuse(i int, reason string) {
	s.table.reject(reason)
	if !s.twice || !known(s.cells[i]) {
		s.cells[i] = refused
	}
}

var refused = math.Inf(1)

func known(cell float64) bool { return !math.IsNaN(cell) && cell != refused }

func (s *cellSink) Histogram() { s.table.reject(rejectHistogram) }

func (t *table) reject(reason string) { t.rejects[reason]++ }

func (t *table) host(labels []string) (*hostRow, error) {
	series := rawSeries(labels)
	h := t.hosts[series]
	if h == nil {
		if len(t.hosts) >= maxHosts || len(t.hosts)*len(t.pieces)*parts > maxCells {
			return nil, errTooManySeries()
		}
		h = &hostRow{series: series}
		t.hosts[series] = h
		t.order = append(t.order, h)
	}
	return h, nil
}

func (h *hostRow) at(part, i int) (float64, bool) {
	if h.cells[part] == nil || !known(h.cells[part][i]) {
		return 0, false
	}
	return h.cells[part][i], true
}

// refused reports whether busy or idle time of a piece is unusable: its value was rejected, or
// it is missing where a sample came at a wrong time.
func (h *hostRow) refused(i int) bool {
	for _, part := range []int{busy, idle} {
		if h.cells[part] != nil && (h.cells[part][i] == refused || h.astray[part] && !known(h.cells[part][i])) {
			return true
		}
	}
	return false
}
