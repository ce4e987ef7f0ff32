// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A counter of energy grows, and begins again at 0 when its device does. What it grew by between
// two edges is read as CPU seconds are: the newest sample before each of them. At an edge that no
// sample is near, a counter that was seen on both sides of it within a day has grown evenly; one
// that was not has its first value, or its last. So the value of a counter at an edge depends on
// nothing but its samples and the edge, and pieces add up to what it grew by, however they are
// read.

// instant is a value of a counter at a time, in Unix seconds.
// A value that is held is that of an edge: of the newest sample before it.
type instant struct {
	at, value float64
	held      bool
}

// history is what is known of a counter, in order of time.
type history struct {
	instants []instant
	copied   bool // it is of several copies, which are not read at once: a small fall is none
}

func (h *history) add(at, value float64, held bool) {
	if value >= 0 && !math.IsInf(value, 0) && !math.IsNaN(at) { // or NaN: the mark at the end of a series
		h.instants = append(h.instants, instant{at, value, held})
	}
}

// settle orders what was added, and replaces values by how much the counter had grown by then.
func (h *history) settle() {
	slices.SortStableFunc(h.instants, func(a, b instant) int { return cmp.Compare(a.at, b.at) })
	grown, last := 0.0, math.NaN()
	for i, in := range h.instants {
		switch {
		case i == 0:
			last = in.value
		case h.copied && in.held && !h.instants[i-1].held && in.at-h.instants[i-1].at < lookBack:
			// the copy that has not seen yet that it began again shows more
		case in.value >= last:
			grown, last = grown+in.value-last, in.value
		case h.copied && in.value > 0.9*last:
		case in.at == h.instants[i-1].at: // what an edge shows beside a sample of the same moment
		default:
			grown, last = grown+in.value, in.value // it began again at 0
		}
		h.instants[i].value = grown
	}
}

// at returns how much a counter had grown by an edge. Where it was not seen, since is the last time
// at which it was and until the next; else they are the edge.
func (h *history) at(edge float64) (grown, since, until float64) {
	n, _ := slices.BinarySearchFunc(h.instants, edge, func(in instant, at float64) int {
		if in.at <= at {
			return -1
		}
		return 1
	})
	switch {
	case len(h.instants) == 0:
		return 0, edge, edge
	case n == 0:
		return h.instants[0].value, edge, edge // it has not begun
	}
	before := h.instants[n-1]
	if before.at == edge || n == len(h.instants) {
		return before.value, edge, edge // or it has ended
	}
	after := h.instants[n]
	if after.at-before.at > farthest.Seconds() {
		return before.value, edge, edge
	}
	return before.value + (after.value-before.value)*(edge-before.at)/(after.at-before.at), before.at, after.at
}

// wholeAnswer is an answer with a row for each series, by all of its labels but its name.
type wholeAnswer struct {
	*answer
	only   map[string]bool // the rows that are wanted; nil: all
	others []label
}

// Rest implements restSink.
func (w *wholeAnswer) Rest(others []label) { w.others = others }

// Series implements sink.
func (w *wholeAnswer) Series(labels []string) error {
	values := labels[:len(w.labels)]
	key := keyOfLabels(w.labels, values, w.others)
	if w.only != nil && !w.only[key] {
		w.row, w.cell = nil, nil
		return nil
	}
	return w.open(key, values, labels[len(w.labels):])
}

// keyOfLabels writes labels as matchers, in the order of their names. A name of a metric is none.
func keyOfLabels(names, values []string, others []label) string {
	all := slices.Clone(others)
	for i, v := range values {
		if v != "" {
			all = append(all, label{names[i], v})
		}
	}
	all = slices.DeleteFunc(all, func(l label) bool { return l.name == "__name__" || l.value == "" })
	slices.SortFunc(all, func(a, b label) int { return strings.Compare(a.name, b.name) })
	all = slices.CompactFunc(all, func(a, b label) bool { return a.name == b.name })
	var key strings.Builder
	for _, l := range all {
		key.WriteString(strconv.Quote(l.name) + "=" + strconv.Quote(l.value) + ",")
	}
	return key.String()
}

// labelsOf reads what keyOfLabels has written.
func labelsOf(key string) (all []label) {
	for key != "" {
		name, err := strconv.QuotedPrefix(key)
		if err != nil {
			return all
		}
		value, err := strconv.QuotedPrefix(key[len(name)+1:])
		if err != nil {
			return all
		}
		key = key[len(name)+len(value)+2:]
		n, _ := strconv.Unquote(name)
		v, _ := strconv.Unquote(value)
		all = append(all, label{n, v})
	}
	return all
}
