// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"math"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// answer holds the answer to a query about instruments: a row for each combination of labels, and
// in it some parts, with a value at each moment. A cell to which nothing came is absent, one with
// a value that is not a number is odd. Both are NaN, and so may be a value that came.
type answer struct {
	when    grid
	columns int
	labels  []string
	parts   []string // nil: there is one, without a name
	byName  map[string]*row
	order   []*row // in order of arrival
	rejects usage.Rejects

	cells  int
	bytes  int  // of keys
	came   bool // a value at a moment that was asked for
	astray int  // values at others
	row    *row // of the current series; nil: not part of the answer
	cell   []float64
	names  map[string]string // one copy of each value of a label
}

type row struct {
	key    string
	labels []string
	parts  [][]float64 // nil: nothing came
}

// maxKeyBytes bounds the memory of labels.
const maxKeyBytes = 64 << 20

var (
	absent = math.Float64frombits(0x7ff80000000abe07)
	odd    = math.Float64frombits(0x7ff80000000abe0d)
)

func isAbsent(v float64) bool { return math.Float64bits(v) == math.Float64bits(absent) }

func isOdd(v float64) bool { return math.Float64bits(v) == math.Float64bits(odd) }

func newAnswer(when grid, labels, parts []string, rejects usage.Rejects) *answer {
	return &answer{
		when: when, columns: when.columns(), labels: labels, parts: parts,
		byName: map[string]*row{}, rejects: rejects, names: map[string]string{},
	}
}

// Series implements sink.
func (a *answer) Series(labels []string) error {
	values := make([]string, len(a.labels))
	for i := range values {
		values[i] = usage.HostLabel(labels[i])
	}
	return a.open(strings.Join(values, "\x00"), values, labels[len(a.labels):])
}

// open makes the row of a series the current one. rest is the name of its part, if there are any.
func (a *answer) open(key string, values, rest []string) error {
	a.row, a.cell = nil, nil
	part := 0
	if a.parts != nil {
		if part = slices.Index(a.parts, rest[0]); part < 0 {
			return nil
		}
	}
	a.row = a.byName[key]
	if a.row == nil {
		if a.bytes += len(key); len(a.order) >= maxHosts || a.bytes > maxKeyBytes {
			return errTooManySeries()
		}
		a.row = &row{key: key, parts: make([][]float64, max(len(a.parts), 1))}
		for _, v := range values {
			a.row.labels = append(a.row.labels, a.one(v))
		}
		a.byName[key] = a.row
		a.order = append(a.order, a.row)
	}
	if a.row.parts[part] == nil {
		if a.cells += a.columns; a.cells > maxCells {
			return errTooManySeries()
		}
		a.row.parts[part] = slices.Repeat([]float64{absent}, a.columns)
	}
	a.cell = a.row.parts[part]
	return nil
}

// one returns one copy of a text that many series have, such as the model of their processor.
func (a *answer) one(v string) string {
	if one, ok := a.names[v]; ok {
		return one
	}
	a.names[v] = v
	return v
}

// Point implements sink. The same labels twice in one answer are none that was asked for: the
// larger value counts.
func (a *answer) Point(at, v float64) {
	i, ok := a.column(at)
	if !ok {
		return
	}
	if !isAbsent(a.cell[i]) {
		a.rejects[rejectDuplicate]++
		v = max(v, a.cell[i])
	}
	if isAbsent(v) || isOdd(v) {
		v = math.NaN()
	}
	a.cell[i] = v
}

// Odd implements sink.
func (a *answer) Odd(at float64) {
	if i, ok := a.column(at); ok {
		a.rejects[rejectNotANumber]++
		a.cell[i] = odd
	}
}

// Histogram implements sink.
func (a *answer) Histogram() {
	if a.row != nil {
		a.rejects[rejectHistogram]++
	}
}

func (a *answer) column(at float64) (int, bool) {
	if a.row == nil {
		return 0, false
	}
	i, ok := columnOf(at, seconds(a.when.first), a.when.step.Seconds(), a.columns)
	if !ok {
		a.astray++
		a.rejects[rejectTimestamp]++
	}
	a.came = a.came || ok
	return i, ok
}

// usable refuses an answer whose values are all at other times than requested: it answers another
// question, and does not mean that there is nothing.
func (a *answer) usable() error {
	if a.astray > 0 && !a.came {
		return allAtOtherTimes(usage.Rejects{rejectTimestamp: a.astray})
	}
	return nil
}

// sort puts rows in the order of their labels, so that nothing depends on the order of arrival.
func (a *answer) sort() []*row {
	slices.SortFunc(a.order, func(x, y *row) int { return slices.Compare(x.labels, y.labels) })
	return a.order
}

// like returns the row of another answer with the same labels; without one, a row to which nothing
// came.
func (a *answer) like(r *row) *row {
	if a != nil {
		if same := a.byName[r.key]; same != nil {
			return same
		}
	}
	return &row{}
}

// at returns a cell of a part.
func (r *row) at(part, i int) float64 {
	if part >= len(r.parts) || r.parts[part] == nil {
		return absent
	}
	return r.parts[part][i]
}

// none reports whether a value is absent.
func (r *row) none(part, i int) bool { return isAbsent(r.at(part, i)) }
