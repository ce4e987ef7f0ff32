// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package openmetrics writes historical samples with timestamps as OpenMetrics text,
// for `promtool tsdb create-blocks-from openmetrics`. It checks that its caller follows
// the format; it must not know which metrics exist. Start with Writer. The format is
// https://prometheus.io/docs/specs/om/open_metrics_spec/, version 1.0.0.
package openmetrics

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// The types of a family.
const (
	Gauge   = "gauge"
	Counter = "counter"
)

// Family is a metric with all its series.
type Family struct {
	// Name ends with the unit. For a counter it does not include the suffix _total of
	// its samples.
	Name   string
	Type   string   // Gauge or Counter
	Unit   string   // such as kwh; empty: none
	Help   string   // one sentence; empty: none
	Labels []string // names of the labels that every series of the family has
}

// Writer writes one exposition: families, in each the series in ascending order of
// label values, in each the samples in ascending order of time. It keeps only the names
// of families and the current series in memory.
//
// Breaking the order or the format is an error, and all later calls fail: the output
// then lacks its end marker, so that no reader takes it for complete.
type Writer struct {
	out    *bufio.Writer
	err    error
	names  map[string]bool // of families and samples so far
	family Family
	series int      // number of series in the family so far
	values []string // label values of the current series, as given; nil: none
	prefix []byte   // of the series' lines: name, labels and a blank
	same   []byte   // prefix of the previous series
	last   int64    // time of the newest sample, in milliseconds since the epoch; math.MinInt64: none
	line   []byte
}

// NewWriter makes a buffered Writer. Close must be called at the end.
func NewWriter(w io.Writer) *Writer {
	return &Writer{out: bufio.NewWriterSize(w, 64<<10), names: map[string]bool{}}
}

var errClosed = errors.New("openmetrics: already closed")

// Family starts a family. A family that was started before is an error: families must
// not be interleaved.
func (w *Writer) Family(f Family) error {
	if w.err != nil {
		return w.err
	}
	if err := f.check(); err != nil {
		return w.fail("family %q: %w", f.Name, err)
	}
	sample := f.sampleName()
	if w.names[f.Name] || w.names[sample] {
		return w.fail("family %q: was already written", f.Name)
	}
	w.names[f.Name], w.names[sample] = true, true
	w.family, w.series, w.values, w.prefix = f, 0, nil, w.prefix[:0]
	w.line = append(w.line[:0], "# TYPE "+f.Name+" "+f.Type+"\n"...)
	if f.Unit != "" {
		w.line = append(w.line, "# UNIT "+f.Name+" "+f.Unit+"\n"...)
	}
	if f.Help != "" {
		w.line = append(w.line, "# HELP "+f.Name+" "...)
		w.line = append(appendEscaped(w.line, f.Help), '\n')
	}
	return w.flushLine()
}

// Series starts a series of the family, with a value for each label. Within a family
// the values ascend byte by byte, the first label first, as with ORDER BY in SQLite; so
// duplicates are found without keeping all series. Invalid UTF-8 is replaced by U+FFFD.
func (w *Writer) Series(values ...string) error {
	switch {
	case w.err != nil:
		return w.err
	case w.family.Name == "":
		return w.fail("series: before any family")
	case len(values) != len(w.family.Labels):
		return w.failSeries("has %d values for %d labels", len(values), len(w.family.Labels))
	case w.values != nil && slices.Compare(w.values, values) == 0:
		return w.failSeries("is the same as the previous one")
	case w.values != nil && slices.Compare(w.values, values) > 0:
		return w.failSeries("is not in ascending order")
	}
	w.same, w.prefix = w.prefix, w.appendPrefix(w.same[:0], values)
	if string(w.same) == string(w.prefix) {
		return w.failSeries("differs from the previous one only in invalid UTF-8")
	}
	w.values = append(make([]string, 0, len(values)), values...) // not nil, even without labels
	w.series++
	w.last = math.MinInt64
	return nil
}

func (w *Writer) appendPrefix(b []byte, values []string) []byte {
	b = append(b, w.family.sampleName()...)
	for i, label := range w.family.Labels {
		if i == 0 {
			b = append(b, '{')
		} else {
			b = append(b, ',')
		}
		b = append(append(b, label...), '=', '"')
		b = append(appendEscaped(b, values[i]), '"')
	}
	if len(values) > 0 {
		b = append(b, '}')
	}
	return append(b, ' ')
}

// Sample writes a sample of the current series. Its time must be later than the
// previous one and a whole millisecond, the resolution of Prometheus; its value must be
// a number, and not negative in a counter.
func (w *Writer) Sample(value float64, at time.Time) error {
	if w.err != nil {
		return w.err
	}
	ms := at.UnixMilli()
	switch {
	case w.values == nil:
		return w.fail("sample at %s: before any series", stamp(at))
	case math.IsNaN(value) || math.IsInf(value, 0):
		return w.failSample(at, "is %v", value)
	case value < 0 && w.family.Type == Counter:
		return w.failSample(at, "is %v in a counter", value)
	case ms < 0:
		return w.failSample(at, "is before 1970")
	case at.Nanosecond()%int(time.Millisecond) != 0:
		return w.failSample(at, "is not at a whole millisecond")
	case ms <= w.last:
		return w.failSample(at, "is not after %s", stamp(time.UnixMilli(w.last)))
	}
	w.last = ms
	w.line = append(w.line[:0], w.prefix...)
	w.line = appendValue(w.line, value)
	w.line = append(w.line, ' ')
	w.line = append(appendSeconds(w.line, ms), '\n')
	return w.flushLine()
}

// Close writes the end marker and flushes. After an error it does neither and returns
// that error. It does not close the underlying writer.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	w.line = append(w.line[:0], "# EOF\n"...)
	if err := w.flushLine(); err != nil {
		return err
	}
	if err := w.out.Flush(); err != nil {
		return w.fail("write: %w", err)
	}
	w.err = errClosed
	return nil
}

func (w *Writer) flushLine() error {
	if _, err := w.out.Write(w.line); err != nil {
		return w.fail("write: %w", err)
	}
	return nil
}

// fail remembers the first error for all later calls.
func (w *Writer) fail(format string, args ...any) error {
	w.err = fmt.Errorf("openmetrics: "+format, args...)
	return w.err
}

// failSeries identifies the series by number, because label values may name people.
func (w *Writer) failSeries(format string, args ...any) error {
	return w.fail("series %d of %s: %w", w.series+1, w.family.Name, fmt.Errorf(format, args...))
}

func (w *Writer) failSample(at time.Time, format string, args ...any) error {
	return w.fail("sample of series %d of %s at %s: %w", w.series, w.family.Name, stamp(at), fmt.Errorf(format, args...))
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }
