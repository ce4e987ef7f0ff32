// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// edges holds what the server says at the edges of a row of adjacent pieces: the counters of
// every label set by mode, and the cores of every label set in each piece. The row has more
// pieces at either end than were asked for: who is there says whether a host that is not seen
// at an edge had died, or was not scraped. Counters are known for the first of them only.
//
// A cell that is NaN was not filled: absent, which is not 0. One that is +Inf was rejected.
type edges struct {
	query  Query            // in the form that suits the site
	pieces []usage.Interval // all of one length; there are len(pieces)+1 edges
	beside int              // pieces at either end that were not asked for
	length float64          // of a piece, in seconds
	first  float64          // the first edge, Unix seconds

	modes   []mode
	modeIDs map[string]int
	ordered []int // modes by name, so that sums do not depend on the order of arrival
	sets    map[usage.Series]*labelSet
	hosts   map[string]*hostSets
	given   map[string]*labelSet // cores according to a query of the operator, by host
	names   []string             // of hosts, ordered

	// Of the host that is judged, to be used again for the next.
	here   []*labelSet
	grew   []grown
	booked []booked

	info    *infos // what other metrics say of the hosts, by piece; nil: was not asked
	cells   int
	counts  int       // rows of counters
	free    []float64 // cells for the next rows
	rejects usage.Rejects
	alone   bool // of one interval, so that no smaller run is possible
}

type mode struct {
	name  string
	class class
}

// class is what a mode counts as.
type class int

const (
	busyClass  class = iota
	idleClass        // waits
	otherClass       // neither, on purpose: steal
	partClass        // part of another mode already
	unlisted         // not configured
	classes
)

// labelSet is what is known of the series with the same labels for attribution.
type labelSet struct {
	series usage.Series
	from   int         // the first edge in cells
	cells  [][]float64 // by mode and edge; nil: there is no such mode
	cores  []float64   // by piece; nil: never seen
}

// hostSets are the label sets of one host: usually one.
type hostSets struct {
	name  string
	sets  []*labelSet
	given []float64 // cores by piece, according to a query of the operator; nil: they are counted
	// several is by edge whether a counter is there more than once, of hosts without idle time: no law
	// tells there whether they are copies; nil: never.
	several []bool
	// moved is by edge whether a counter was there more than once in the piece before it: one after
	// the other, if not at the edge.
	moved  []bool
	spread []float64 // by edge: how far two series of the same core and mode are apart; nil: was not asked
	beat   beat      // of its scrapes; zero: not known
	times  []float64 // by edge: when it was scraped last, Unix seconds; nil: not known
}

// besides is how much time at either end of the pieces asked for is searched for hosts, in at
// most mostBeside pieces.
const (
	besides    = 2 * time.Hour
	mostBeside = 24
)

// besideOf is how many pieces of a length that is.
func besideOf(length time.Duration) int { return int(min(max(besides/length, 1), mostBeside)) }

func newEdges(q Query, run []usage.Interval, alone bool, beside int) *edges {
	length := run[0].Length
	t := &edges{
		query: q, beside: beside, length: length.Seconds(), modeIDs: map[string]int{}, sets: map[usage.Series]*labelSet{},
		hosts: map[string]*hostSets{}, given: map[string]*labelSet{}, rejects: usage.Rejects{}, alone: alone,
	}
	at := usage.Interval{Start: run[0].Start.Add(-time.Duration(t.beside) * length), Length: length}
	for range len(run) + 2*t.beside {
		t.pieces = append(t.pieces, at)
		at = at.Next()
	}
	t.first = seconds(t.pieces[0].Start)
	return t
}

// asked returns the indices of the pieces that were asked for.
func (t *edges) asked() (from, to int) { return t.beside, len(t.pieces) - t.beside }

// edge returns the time of an edge, Unix seconds.
func (t *edges) edge(i int) float64 { return t.first + float64(i)*t.length }

// column returns the edge that a time is.
func (t *edges) column(at float64) (int, bool) {
	i, ok := columnOf(at, t.first, t.length, len(t.pieces)+1)
	if !ok {
		t.reject(rejectTimestamp)
	}
	return i, ok
}

// columnOf returns which of n moments, step seconds apart, a time is.
func columnOf(at, first, step float64, n int) (int, bool) {
	steps := (at - first) / step
	i := math.Round(steps)
	if !(i >= 0 && i < float64(n)) || math.Abs(steps-i) > 1e-6 { // too large for an int, or NaN
		return 0, false
	}
	return int(i), true
}

func (t *edges) reject(reason string) { t.rejects[reason]++ }

// set returns the label set of a series, given its labels in the order of Labels.list.
func (t *edges) set(labels []string) (*labelSet, error) {
	series := rawSeries(labels)
	if s := t.sets[series]; s != nil {
		return s, nil
	}
	if len(t.sets) >= maxHosts {
		return nil, errTooManySeries()
	}
	from, _ := t.counted()
	s := &labelSet{series: series, from: from}
	t.sets[series] = s
	h := t.hosts[series.Host]
	if h == nil {
		h = &hostSets{name: series.Host}
		t.hosts[series.Host] = h
	}
	h.sets = append(h.sets, s)
	return s, nil
}

// givenCores is where the cores of a host are kept that a query of the operator says. It may
// have no other labels than the host's, so they are not those of a label set.
func (t *edges) givenCores(labels []string) (*labelSet, error) {
	series := rawSeries(labels)
	s := t.given[series.Host]
	if s == nil {
		if len(t.given) >= maxHosts {
			return nil, errTooManySeries()
		}
		s = &labelSet{series: series}
		t.given[series.Host] = s
	}
	return s, nil
}

func errTooManySeries() error {
	return &usage.Failure{Reason: usage.ReasonLimit, TooLarge: true, Detail: "the answer has more series than fit in memory"}
}

func (t *edges) mode(name string, classOf func(string) class) int {
	id, ok := t.modeIDs[name]
	if !ok {
		id = len(t.modes)
		name = strings.Clone(name)
		t.modeIDs[name] = id
		t.modes = append(t.modes, mode{name, classOf(name)})
	}
	return id
}

// settle orders what has arrived, so that nothing depends on the order of arrival.
func (t *edges) settle() {
	t.ordered = make([]int, len(t.modes))
	for i := range t.ordered {
		t.ordered[i] = i
	}
	slices.SortFunc(t.ordered, func(a, b int) int { return strings.Compare(t.modes[a].name, t.modes[b].name) })
	for host, s := range t.given {
		if h := t.hosts[host]; h != nil {
			h.given = s.cores
		} else {
			t.hosts[host] = &hostSets{name: host, sets: []*labelSet{s}}
		}
	}
	t.names = t.names[:0]
	for name, h := range t.hosts {
		t.names = append(t.names, name)
		slices.SortFunc(h.sets, func(a, b *labelSet) int { return compareSeries(a.series, b.series) })
	}
	slices.Sort(t.names)
}

// compareSeries puts the one with more names first.
func compareSeries(a, b usage.Series) int {
	return cmp.Or(cmp.Compare(naming(b), naming(a)),
		strings.Compare(a.Project, b.Project), strings.Compare(a.Machine, b.Machine), strings.Compare(a.User, b.User))
}

// naming counts how much a label set says.
func naming(s usage.Series) int {
	n := 0
	for _, v := range []string{s.Project, s.Machine, s.User} {
		if v != "" && v != usage.Unknown {
			n++
		}
	}
	return n
}

// cores is the number of cores of a host in a piece; 0: not known. Label sets of one host show
// the same cores, so the largest number counts.
func (h *hostSets) cores(piece int) float64 {
	if h.given != nil {
		if n := h.given[piece]; n <= maxCores { // not NaN
			return n
		}
		return 0
	}
	most := 0.0
	for _, s := range h.sets {
		if s.cores != nil && s.cores[piece] >= 1 && s.cores[piece] <= maxCores {
			most = max(most, s.cores[piece])
		}
	}
	return most
}

// usable refuses answers whose samples are all at other times than requested: they answer
// another question, and do not mean "no usage".
func (t *edges) usable() error {
	if t.rejects[rejectTimestamp] == 0 {
		return nil
	}
	for _, s := range t.sets {
		for _, row := range s.cells {
			if slices.ContainsFunc(row, func(cell float64) bool { return !math.IsNaN(cell) }) {
				return nil
			}
		}
	}
	return allAtOtherTimes(t.rejects)
}
