// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// text writes families as expfmt does, byte for byte, without a metric for each series: the labels
// of a key are escaped once for all of its series.
type text struct {
	to          io.Writer
	openMetrics bool
	buf         []byte
}

// textBuffer is how much is written at once.
const textBuffer = 64 << 10

var (
	helpEscaper  = strings.NewReplacer("\\", `\\`, "\n", `\n`)
	labelEscaper = strings.NewReplacer("\\", `\\`, "\n", `\n`, "\"", `\"`)
)

// labels are those of each key, escaped, in one piece of memory: those before the mode, and those
// after it.
type labels struct {
	all []byte
	end []labelEnds // by row
}

type labelEnds struct{ begin, mode, end int }

func (c *columns) labels() *labels {
	l := &labels{end: make([]labelEnds, len(c.keys))}
	for _, r := range c.order {
		e := &l.end[r]
		e.begin = len(l.all)
		l.add(c.before, &c.keys[r])
		e.mode = len(l.all)
		l.add(c.after, &c.keys[r])
		e.end = len(l.all)
	}
	return l
}

func (l *labels) add(labels []named, k *usage.Key) {
	for _, label := range labels {
		value := *label.of(k)
		if strings.ContainsAny(value, "\\\n\"") {
			value = labelEscaper.Replace(value)
		}
		l.all = append(append(l.all, label.name...), '=', '"')
		l.all = append(append(l.all, value...), '"', ',')
	}
}

// head writes what comes before the samples of a family.
func (t *text) head(f *family) {
	name, help := f.name, helpEscaper.Replace(f.help)
	if t.openMetrics {
		name, help = strings.TrimSuffix(name, "_total"), labelEscaper.Replace(f.help)
	}
	kind := "gauge"
	if f.counter {
		kind = "counter"
	}
	for _, part := range []string{"# HELP ", name, " ", help, "\n# TYPE ", name, " ", kind, "\n"} {
		t.buf = append(t.buf, part...)
	}
}

// samples writes all samples of a family.
func (t *text) samples(k *keyed, l *labels) error {
	modes := make([][]byte, len(k.column))
	for i, mode := range k.modes {
		modes[i] = []byte(`mode="` + string(mode) + `",`)
	}
	var failed error
	k.runs(func(run []int32) {
		for i, col := range k.column {
			for _, r := range run {
				v, ok := col.at(r)
				if !ok {
					continue
				}
				e := l.end[r]
				t.sample(k.name, l.all[e.begin:e.mode], modes[i], l.all[e.mode:e.end], v)
				if len(t.buf) >= textBuffer {
					failed = t.flush(failed)
				}
			}
		}
	})
	return failed
}

// sample writes one; each part of its labels ends with a comma, or is empty.
func (t *text) sample(name string, before, mode, after []byte, v float64) {
	b := t.buf
	b = append(b, name...)
	if len(before)+len(mode)+len(after) > 0 {
		b = append(b, '{')
		b = append(append(append(b, before...), mode...), after...)
		b[len(b)-1] = '}' // in place of the last comma
	}
	b = append(b, ' ')
	t.buf = append(t.float(b, v), '\n')
}

func (t *text) float(b []byte, v float64) []byte {
	switch {
	case v == 0:
		b = append(b, '0') // also of -0
	case math.IsNaN(v):
		return append(b, "NaN"...)
	case math.IsInf(v, 0):
		return strconv.AppendFloat(b, v, 'g', -1, 64)
	default:
		from := len(b)
		b = strconv.AppendFloat(b, v, 'g', -1, 64)
		if bytes.ContainsAny(b[from:], "e.") {
			return b
		}
	}
	if t.openMetrics {
		b = append(b, ".0"...)
	}
	return b
}

func (t *text) flush(failed error) error {
	if failed == nil {
		_, failed = t.to.Write(t.buf)
	}
	t.buf = t.buf[:0]
	return failed
}
