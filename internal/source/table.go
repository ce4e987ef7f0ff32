package source

import (
	"math"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// table collects answers: a row for each host, a column for each piece of time.
// NaN is a cell nobody has filled: absent, which is not 0.
type table struct {
	pieces  []usage.Interval
	step    time.Duration
	first   float64 // Unix seconds of the first evaluation
	hosts   map[usage.Series]*hostRow
	order   []usage.Series
	rejects usage.Rejects
	answers int
}

type hostRow struct {
	cells  [parts][]float64
	filled [parts]int // the answer that filled it last, to know a second series in one answer
}

// The parts of what is known of a host.
const (
	busy = iota
	idle
	cores
	other
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
)

const (
	// maxCells bounds the memory of a table at 64 MB; what would be larger is
	// asked for in smaller runs.
	maxCells = 8 << 20
	// maxCores is what no host has, for those whose cores are not known.
	maxCores = 1e6
	// tolerance is what scrape jitter may add to a full core.
	tolerance = 1.01
)

func newTable(pieces []usage.Interval) *table {
	return &table{
		pieces: pieces, step: pieces[0].Length, first: float64(pieces[0].End().Unix()),
		hosts: map[usage.Series]*hostRow{}, rejects: usage.Rejects{},
	}
}

// into is a sink for CPU seconds of one part.
func (t *table) into(part int) sink {
	t.answers++
	return &cellSink{table: t, part: part, limit: maxCores * t.step.Seconds()}
}

// intoCapacity is a sink for the answer about cores and other modes.
func (t *table) intoCapacity() sink {
	t.answers++
	return &cellSink{table: t, part: -1, limit: maxCores * t.step.Seconds()}
}

// cellSink fills cells as an answer streams by.
type cellSink struct {
	table *table
	part  int     // or -1: the series says which
	limit float64 // nothing is larger
	cells []float64
	twice bool // a second series with the same labels in one answer
}

func (s *cellSink) Series(labels []string) error {
	part := s.part
	if part < 0 {
		switch labels[4] {
		case partCores:
			part = cores
		case partOther:
			part = other
		default:
			s.cells = nil // not an answer to our question
			return nil
		}
	}
	h, err := s.table.host(labels)
	if err != nil {
		return err
	}
	s.twice = h.filled[part] == s.table.answers
	h.filled[part] = s.table.answers
	s.cells = h.cells[part]
	if s.cells == nil {
		s.cells = make([]float64, len(s.table.pieces))
		for i := range s.cells {
			s.cells[i] = math.NaN()
		}
		h.cells[part] = s.cells
	}
	return nil
}

func (s *cellSink) Point(at, v float64) {
	if s.cells == nil {
		return
	}
	n := (at - s.table.first) / s.table.step.Seconds()
	i := int(math.Round(n))
	switch {
	case i < 0 || i >= len(s.cells) || math.Abs(n-float64(i)) > 1e-6:
		s.table.reject(rejectTimestamp)
	case math.IsNaN(v):
		s.table.reject(rejectNaN)
	case math.IsInf(v, 0):
		s.table.reject(rejectInfinite)
	case v < 0:
		s.table.reject(rejectNegative)
	case v > s.limit:
		s.table.reject(rejectOverCapacity)
	case s.twice && !math.IsNaN(s.cells[i]):
		s.table.reject(rejectDuplicate)
		s.cells[i] = max(s.cells[i], v)
	default:
		s.cells[i] = v
	}
}

func (s *cellSink) Histogram() { s.table.reject(rejectHistogram) }

func (t *table) reject(reason string) { t.rejects[reason]++ }

func (t *table) host(labels []string) (*hostRow, error) {
	series := usage.Series{Project: labels[0], Machine: labels[1], Host: labels[2], User: labels[3]}
	h := t.hosts[series]
	if h == nil {
		if len(t.hosts)*len(t.pieces)*2 > maxCells {
			return nil, &usage.Failure{Reason: usage.ReasonLimit, TooLarge: true, Detail: "more series than fit in memory"}
		}
		// labels is the decoder's; its strings are ours.
		h = &hostRow{}
		t.hosts[series] = h
		t.order = append(t.order, series)
	}
	return h, nil
}

func (h *hostRow) at(part, i int) (float64, bool) {
	if h.cells[part] == nil || math.IsNaN(h.cells[part][i]) {
		return 0, false
	}
	return h.cells[part][i], true
}

// full says whether a host shows more time in a piece than it has cores for. A
// number of cores that is no positive whole number is no number of cores.
func (t *table) full(h *hostRow, i int) bool {
	n, ok := h.at(cores, i)
	if !ok || n < 1 || n != math.Trunc(n) {
		return false
	}
	b, _ := h.at(busy, i)
	d, _ := h.at(idle, i)
	return b+d > n*t.step.Seconds()*tolerance
}

func (t *table) overfull() bool {
	for _, h := range t.hosts {
		for i := range t.pieces {
			if t.full(h, i) {
				return true
			}
		}
	}
	return false
}

// replace takes busy and idle from a table in which every core counts once.
func (t *table) replace(once *table) {
	for series, h := range t.hosts {
		o := once.hosts[series]
		if o == nil {
			continue
		}
		for _, part := range []int{busy, idle} {
			for i := range h.cells[part] {
				was, had := h.at(part, i)
				is, has := o.at(part, i)
				if had && has && is < was*(1-1e-9) {
					t.reject(rejectDuplicate)
					h.cells[part][i] = is
				}
			}
		}
	}
}
