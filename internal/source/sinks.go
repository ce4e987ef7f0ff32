// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"math"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// counterSink receives the counters by mode.
type counterSink struct {
	table   *edges
	classOf func(string) class
	unit    float64 // see Query.Unit
	row     []float64

	last [4]string // the labels of set: the modes of a host follow each other
	set  *labelSet
}

// Series implements sink. Its labels are those of Labels.list, and the mode.
func (k *counterSink) Series(labels []string) error {
	if own := [4]string(labels); k.set == nil || own != k.last {
		s, err := k.table.set(labels)
		if err != nil {
			return err
		}
		k.last, k.set = own, s
	}
	id := k.table.mode(labels[len(labels)-1], k.classOf)
	row, err := k.table.counter(k.set, id)
	k.row = row
	return err
}

// Point implements sink.
func (k *counterSink) Point(at, v float64) {
	i, ok := k.table.counterColumn(at)
	if !ok {
		return
	}
	v *= k.unit
	reason := ""
	switch {
	case math.IsNaN(v):
		reason = rejectNaN
	case math.IsInf(v, 0):
		reason = rejectInfinite
	case v < 0:
		reason = rejectNegative
	case v > maxCounter:
		reason = rejectOverCapacity
	case known(k.row[i]):
		k.table.reject(rejectDuplicate) // the same labels twice in one answer
		v = max(v, k.row[i])
	}
	if reason != "" {
		k.refuse(i, reason)
		return
	}
	k.row[i] = v
}

// refuse counts a rejected sample, and marks its cell unless a second series has filled it.
func (k *counterSink) refuse(i int, reason string) {
	k.table.reject(reason)
	if !known(k.row[i]) {
		k.row[i] = refused
	}
}

// Odd implements sink.
func (k *counterSink) Odd(at float64) {
	if i, ok := k.table.counterColumn(at); ok {
		k.refuse(i, rejectNotANumber)
	}
}

// Histogram implements sink.
func (k *counterSink) Histogram() { k.table.reject(rejectHistogram) }

// coreSink receives the number of cores in each piece, evaluated at its end.
type coreSink struct {
	table *edges
	given bool // by a query of the operator
	row   []float64
}

// Series implements sink.
func (k *coreSink) Series(labels []string) error {
	find := k.table.set
	if k.given {
		find = k.table.givenCores
	}
	s, err := find(labels)
	if err != nil {
		return err
	}
	if s.cores == nil {
		if s.cores, err = k.table.row(len(k.table.pieces)); err != nil {
			return err
		}
	}
	k.row = s.cores
	return nil
}

// Point implements sink. Cores that are not a positive whole number are not known.
func (k *coreSink) Point(at, v float64) {
	if i, ok := k.table.column(at); ok && i > 0 && v >= 1 && v == math.Trunc(v) {
		if known(k.row[i-1]) {
			v = max(v, k.row[i-1])
		}
		k.row[i-1] = v
	}
}

// Odd implements sink.
func (k *coreSink) Odd(at float64) {
	if _, ok := k.table.column(at); ok {
		k.table.reject(rejectNotANumber)
	}
}

// Histogram implements sink.
func (k *coreSink) Histogram() { k.table.reject(rejectHistogram) }

// severalSink receives which hosts have a counter more than once, at edges or before them.
type severalSink struct {
	table *edges
	into  func(*hostSets) *[]bool
	row   []bool
}

// Series implements sink.
func (k *severalSink) Series(labels []string) error {
	k.row = nil
	if h := k.table.hosts[usage.HostLabel(labels[0])]; h != nil {
		row := k.into(h)
		if *row == nil {
			*row = make([]bool, len(k.table.pieces)+1)
		}
		k.row = *row
	}
	return nil
}

// Point implements sink.
func (k *severalSink) Point(at, _ float64) {
	if i, ok := k.table.column(at); ok && k.row != nil {
		k.row[i] = true
	}
}

// Odd implements sink.
func (k *severalSink) Odd(float64) {}

// Histogram implements sink.
func (k *severalSink) Histogram() {}

// spreadSink receives how far two series of one core are apart, by host.
type spreadSink struct {
	table *edges
	row   []float64
}

// Series implements sink.
func (k *spreadSink) Series(labels []string) error {
	k.row = nil
	if h := k.table.hosts[usage.HostLabel(labels[0])]; h != nil {
		if h.spread == nil {
			h.spread = make([]float64, len(k.table.pieces)+1)
		}
		k.row = h.spread
	}
	return nil
}

// Point implements sink.
func (k *spreadSink) Point(at, v float64) {
	if i, ok := k.table.column(at); ok && k.row != nil {
		k.row[i] = v
	}
}

// Odd implements sink.
func (k *spreadSink) Odd(float64) {}

// Histogram implements sink.
func (k *spreadSink) Histogram() {}

// timeSink receives when hosts were scraped last.
type timeSink struct {
	table *edges
	row   []float64
}

// Series implements sink.
func (k *timeSink) Series(labels []string) (err error) {
	k.row = nil
	if h := k.table.hosts[usage.HostLabel(labels[0])]; h != nil {
		if h.times == nil {
			h.times, err = k.table.row(len(k.table.pieces) + 1)
		}
		k.row = h.times
	}
	return err
}

// Point implements sink.
func (k *timeSink) Point(at, v float64) {
	if i, ok := k.table.column(at); ok && k.row != nil && v > 0 && v <= at {
		k.row[i] = v
	}
}

// Odd implements sink.
func (k *timeSink) Odd(float64) {}

// Histogram implements sink.
func (k *timeSink) Histogram() {}
