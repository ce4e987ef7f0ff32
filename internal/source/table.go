package source

import (
	"math"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// table collects answers: a row for each host, a column for each piece of time.
// NaN is a cell nobody has filled: absent, which is not 0. +Inf is one whose
// number was refused.
type table struct {
	pieces  []usage.Interval
	step    time.Duration
	first   float64 // Unix seconds of the first evaluation
	hosts   map[usage.Series]*hostRow
	order   []*hostRow // as they came
	rejects usage.Rejects
	answers int
	alone   bool // of one interval, so that no smaller run can be asked for
}

type hostRow struct {
	series usage.Series
	cells  [parts][]float64
	filled [parts]int // the answer that filled it last, to know a second series in one answer
}

// The parts of what is known of a host.
const (
	busy = iota
	idle
	cores
	copies
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
	// maxHosts bounds what the names of hosts take.
	maxHosts = 250_000
	// maxCores is what no host has, and maxSiteCores no site, whose series name
	// no host: for those whose cores are not known.
	maxCores     = 4096
	maxSiteCores = 1e6
	// tolerance is what scrape jitter may add to a full core.
	tolerance = 1.01
)

func newTable(pieces []usage.Interval) *table {
	return &table{
		pieces: pieces, step: pieces[0].Length, first: float64(pieces[0].End().UnixMilli()) / 1000,
		hosts: map[usage.Series]*hostRow{}, rejects: usage.Rejects{},
	}
}

// into is a sink for one part.
func (t *table) into(part int) sink {
	t.answers++
	step := t.step.Seconds()
	return &cellSink{table: t, part: part, step: step}
}

// intoCapacity is a sink for the answer about cores and other modes.
func (t *table) intoCapacity() sink { return t.into(-1) }

// cellSink fills cells as an answer streams by.
type cellSink struct {
	table *table
	part  int     // or -1: the series says which
	step  float64 // seconds
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
		case partCopies:
			part = copies
		case partOther:
			part = other
		default:
			s.cells = nil // not an answer to our question
			return nil
		}
	}
	if labels[2] == "" && (part == cores || part == copies) {
		s.cells = nil // those of many hosts, maybe: no number of cores, and none a copy
		return nil
	}
	h, err := s.table.host(labels)
	if err != nil {
		return err
	}
	s.limit = maxSiteCores * s.step
	if h.series.Host != "" {
		s.limit = maxCores * s.step
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
	n := (at - s.table.first) / s.step
	if !(n > -0.5 && n < float64(len(s.cells))) { // beyond an int, even
		s.table.reject(rejectTimestamp)
		return
	}
	i := int(n + 0.5)
	switch {
	case i >= len(s.cells) || math.Abs(n-float64(i)) > 1e-6:
		s.table.reject(rejectTimestamp)
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

// refuse counts a sample, and marks its cell unless a second series has filled it.
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
			return nil, &usage.Failure{Reason: usage.ReasonLimit, TooLarge: true, Detail: "more series than fit in memory"}
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

// refused says whether busy or idle time of a piece came and was no such time.
func (h *hostRow) refused(i int) bool {
	for _, part := range []int{busy, idle} {
		if h.cells[part] != nil && h.cells[part][i] == refused {
			return true
		}
	}
	return false
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

// twice says whether a host's time of a piece was added up from two series.
func (t *table) twice(h *hostRow, i int) bool {
	n, _ := h.at(copies, i)
	return n > 1 || t.full(h, i)
}

func (t *table) doubled() bool {
	for _, h := range t.order {
		for i := range t.pieces {
			if t.twice(h, i) {
				return true
			}
		}
	}
	return false
}

// replace takes busy and idle of the doubled from a table in which every core
// counts once. The others stay: time of theirs that two series share between
// them, one after the other, would be halved there.
func (t *table) replace(once *table) {
	for _, h := range t.order {
		o := once.hosts[h.series]
		if o == nil {
			continue
		}
		for i := range t.pieces {
			if !t.twice(h, i) {
				continue
			}
			for _, part := range []int{busy, idle} {
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
