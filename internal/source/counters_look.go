// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// deviceLook looks closer at counters that are not seen at some edge, or that began again.
type deviceLook struct {
	g      *gathering
	device Device
	when   grid // the edges that were asked for, and those of a day on both sides
	beside int
	cells  int
	far    map[*counter]*farther
	wanted map[int][]*counter // of which the samples are needed, by piece of when
}

// farther is what is known of a counter far around: its value at edges, and its first and last
// in pieces, each known by its end.
type farther struct {
	value, first, last []float64
}

var fartherParts = []string{partValue, partFirst, partLast}

const (
	// maxCloser is how many counters are asked for by their labels; if there are more, all are
	// asked for at once.
	maxCloser = 500
	// maxSamples is how many pieces of samples are asked for one after the other.
	maxSamples = 500
)

// closer gives a history to each counter that needs one.
func (l *deviceLook) closer(ctx context.Context, all []*counter) error {
	l.when, l.beside = farAround(l.g.pieces)
	l.far = map[*counter]*farther{}
	var open []*counter
	for _, c := range all {
		if c.open() {
			open = append(open, c)
		}
	}
	for some := range l.groups(open) {
		if err := l.lookAround(ctx, some); err != nil {
			return err
		}
	}
	for _, c := range all {
		l.want(c)
	}
	pieces := slices.Sorted(maps.Keys(l.wanted))
	if len(pieces) > maxSamples {
		if len(l.g.pieces) > 1 {
			return &usage.Failure{Reason: usage.ReasonLimit, TooLarge: true, Detail: "too many counters of devices need a closer look"}
		}
		pieces = pieces[:maxSamples]
	}
	samples := map[*counter]map[int]bool{} // the pieces of which there are samples
	for _, piece := range pieces {
		for some := range l.groups(l.wanted[piece]) {
			if err := l.samples(ctx, piece, some); err != nil {
				return err
			}
		}
		for _, c := range l.wanted[piece] {
			if samples[c] == nil {
				samples[c] = map[int]bool{}
			}
			samples[c][piece] = true
		}
	}
	for _, c := range all {
		if c.history != nil {
			l.complete(c, samples[c])
		}
	}
	return nil
}

// edge is the time of an edge of when.
func (l *deviceLook) edge(i int) float64 {
	return seconds(l.when.first.Add(time.Duration(i) * l.when.step))
}

// lookAround asks for what is known of counters far around.
func (l *deviceLook) lookAround(ctx context.Context, some counterGroup) error {
	a, err := l.g.askSeries(ctx, l.device, l.when, aroundEdges(narrowed(l.device.Query, some.matchers), l.when.step), fartherParts, some.keys())
	if err != nil {
		return err
	}
	if l.cells += a.cells; l.cells > maxCells {
		return errTooManySeries()
	}
	for key, c := range some.byKey {
		r := a.byName[key]
		if r == nil {
			continue
		}
		f := l.far[c]
		if f == nil {
			f = &farther{}
			l.far[c] = f
		}
		f.value, f.first, f.last = merged(f.value, r.parts[0], math.Max), merged(f.first, r.parts[1], math.Min), merged(f.last, r.parts[2], math.Max)
	}
	return nil
}

// merged are the values of two copies; nil: there is none.
func merged(a, b []float64, pick func(a, b float64) float64) []float64 {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	for i, v := range b {
		switch {
		case !isEnergy(a[i]):
			a[i] = v
		case isEnergy(v):
			a[i] = pick(a[i], v)
		}
	}
	return a
}

// isEnergy reports whether a value that came is one of a counter.
func isEnergy(v float64) bool { return v >= 0 && !math.IsInf(v, 0) }

// has reports whether a row has a value.
func has(row []float64, i int) bool { return row != nil && isEnergy(row[i]) }

// want notes of which pieces the samples of a counter are needed: those in which it began again,
// and those in which it was last seen before, and first seen after, an edge at which it is not.
func (l *deviceLook) want(c *counter) {
	need := map[int]bool{}
	for i := range l.g.pieces {
		switch {
		case c.resets[i] > mostResets:
			if c.odd == nil {
				c.odd = make([]bool, len(l.g.pieces))
			}
			c.odd[i] = true
		case c.fell(i):
			need[l.beside+i] = true
		}
	}
	f := l.far[c]
	if f == nil {
		f = &farther{}
	}
	for i, v := range c.edges {
		if !isAbsent(v) {
			continue
		}
		before, after := f.lastBefore(l.beside+i), f.firstAfter(l.beside+i, l.when.columns()-1)
		if before >= 0 && after >= 0 && after-before <= int(farthest/l.when.step)+2 {
			need[before], need[after] = true, true
		}
	}
	if len(need) == 0 && !c.open() {
		return
	}
	c.history = &history{copied: len(c.keys) > 1}
	for piece := range need {
		l.wanted[piece] = append(l.wanted[piece], c)
	}
}

// lastBefore returns the last piece before an edge in which a counter was seen; -1: none.
func (f *farther) lastBefore(edge int) int {
	for i := edge - 1; i >= 0; i-- {
		if has(f.last, i+1) || has(f.value, i+1) {
			return i
		}
	}
	return -1
}

// firstAfter returns the first piece after an edge in which a counter was seen; -1: none.
func (f *farther) firstAfter(edge, pieces int) int {
	for i := edge; i < pieces; i++ {
		if has(f.first, i+1) || has(f.value, i+1) {
			return i
		}
	}
	return -1
}

// samples asks for the samples of counters in a piece.
func (l *deviceLook) samples(ctx context.Context, piece int, some counterGroup) error {
	s := &historySink{labels: l.g.client.deviceLabels(l.device), byKey: some.byKey, look: l}
	at := l.when.first.Add(time.Duration(piece+1) * l.when.step)
	if err := l.g.client.askAt(ctx, at, samplesIn(narrowed(l.device.Query, some.matchers), l.when.step), s.labels, s); err != nil {
		return err
	}
	return s.failed
}

// complete adds what is known of a counter at edges, and in pieces whose samples were not needed:
// where it begins or ends, it counts from its first value to its last, whenever those were.
func (l *deviceLook) complete(c *counter, samples map[int]bool) {
	if f := l.far[c]; f != nil {
		third := l.when.step.Seconds() / 3
		for i := range l.when.columns() {
			if inside := i - l.beside; has(f.value, i) && (inside < 0 || inside >= len(c.edges)) {
				c.add(l.edge(i), f.value[i], true)
			}
			if i == 0 || samples[i-1] || has(f.value, i-1) && has(f.value, i) {
				continue
			}
			if has(f.first, i) {
				c.add(l.edge(i-1)+third, f.first[i], false)
			}
			if has(f.last, i) {
				c.add(l.edge(i-1)+2*third, f.last[i], false)
			}
		}
	}
	for i, v := range c.edges {
		if !isAbsent(v) {
			c.add(l.edge(l.beside+i), v, true)
		}
	}
	c.settle()
}

// historySink receives the samples of counters.
type historySink struct {
	labels []string
	byKey  map[string]*counter
	look   *deviceLook
	others []label
	into   *counter
	failed error
}

// Rest implements restSink.
func (s *historySink) Rest(others []label) { s.others = others }

// Series implements sink.
func (s *historySink) Series(values []string) error {
	s.into = s.byKey[keyOfLabels(s.labels, values, s.others)]
	return s.failed
}

// Point implements sink.
func (s *historySink) Point(at, v float64) {
	if s.into == nil {
		return
	}
	if s.look.cells++; s.look.cells > maxCells {
		s.failed = errTooManySeries()
		return
	}
	s.into.add(at, v, false)
}

// Odd implements sink.
func (s *historySink) Odd(float64) {}

// Histogram implements sink.
func (s *historySink) Histogram() {}
