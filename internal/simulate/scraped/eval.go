// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package scraped

import (
	"math"
	"regexp"
	"time"
)

// expr is an expression that has, for each of some times, a value for each of some label sets.
type expr interface {
	eval(s *Server, times []int64) []row
}

// row has a value for each time; NaN where there is none.
type row struct {
	labels labels
	v      []float64
}

func newRow(l labels, n int) row {
	r := row{l, make([]float64, n)}
	for i := range r.v {
		r.v[i] = math.NaN()
	}
	return r
}

// selector is metric{matchers}.
type selector struct {
	metric   string
	matchers []matcher
}

type matcher struct {
	label string
	op    string
	value string
	re    *regexp.Regexp // of =~ and !~
}

func (m *matcher) matches(l labels) bool {
	value := l.get(m.label)
	switch m.op {
	case "=":
		return value == m.value
	case "!=":
		return value != m.value
	case "=~":
		return m.re.MatchString(value)
	}
	return !m.re.MatchString(value)
}

// series returns those that may have samples in (from, to], in milliseconds.
func (e *selector) series(s *Server, from, to int64) []*series {
	var some []*series
next:
	for _, one := range s.all(e.metric, from, to) {
		for i := range e.matchers {
			if !e.matchers[i].matches(one.labels) {
				continue next
			}
		}
		some = append(some, one)
	}
	return some
}

func (e *selector) eval(s *Server, times []int64) []row {
	if len(times) == 0 {
		return nil
	}
	var rows []row
	for _, one := range e.series(s, times[0]-lookBack, times[len(times)-1]) {
		r := newRow(one.labels, len(times))
		for i, at := range times {
			if v, ok := one.at(s, at); ok {
				r.v[i] = v
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// window is selector[length] or, with a step, a subquery.
type window struct {
	of           expr
	length, step int64
}

// eval implements expr. The parser lets a window be no part of another expression.
func (w *window) eval(*Server, []int64) []row { return nil }

// points returns the samples in the window before a time.
func (w *window) points(s *Server, at int64) []points {
	if sel, ok := w.of.(*selector); ok && w.step == 0 {
		var all []points
		for _, one := range sel.series(s, at-w.length, at) {
			p := points{labels: one.labels}
			one.between(s, at-w.length, at, func(at int64, l life) {
				if v := l.value(time.UnixMilli(at).UTC()); !math.IsNaN(v) {
					p.at, p.v = append(p.at, at), append(p.v, v)
				}
			})
			if p.at != nil {
				all = append(all, p)
			}
		}
		return all
	}
	var times []int64
	for t := (at-w.length)/w.step*w.step + w.step; t <= at; t += w.step {
		times = append(times, t)
	}
	return pointsOf(w.of.eval(s, times), times)
}

// countOverTime is count_over_time of a window.
type countOverTime struct{ of *window }

func (e *countOverTime) eval(s *Server, times []int64) []row {
	if len(times) == 0 {
		return nil
	}
	if sel, ok := e.of.of.(*selector); ok && e.of.step == 0 {
		var rows []row
		for _, one := range sel.series(s, times[0]-e.of.length, times[len(times)-1]) {
			r := newRow(one.labels[1:], len(times)) // without its name
			for i, at := range times {
				if n := one.count(s, at-e.of.length, at); n > 0 {
					r.v[i] = float64(n)
				}
			}
			rows = append(rows, r)
		}
		return rows
	}
	g := newGroups(nil, len(times))
	for i, at := range times {
		for _, p := range e.of.points(s, at) {
			g.row(p.labels).v[i] = float64(len(p.at))
		}
	}
	return g.rows()
}

// timestamp is the time of each newest sample, in seconds.
type timestamp struct{ of *selector }

func (e *timestamp) eval(s *Server, times []int64) []row {
	if len(times) == 0 {
		return nil
	}
	var rows []row
	for _, one := range e.of.series(s, times[0]-lookBack, times[len(times)-1]) {
		r := newRow(one.labels[1:], len(times)) // without its name
		for i, at := range times {
			if scraped, _, ok := one.newest(s, at); ok {
				r.v[i] = float64(scraped) / 1000
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// aggregation is op by (labels) (expression).
type aggregation struct {
	op string
	by []string
	of expr
}

func (e *aggregation) eval(s *Server, times []int64) []row {
	g := newGroups(e.by, len(times))
	for _, r := range e.of.eval(s, times) {
		into := g.of(r.labels)
		for i, v := range r.v {
			if math.IsNaN(v) {
				continue
			}
			old, first := into.v[i], math.IsNaN(into.v[i])
			switch {
			case e.op == "count" && first:
				into.v[i] = 1
			case e.op == "count":
				into.v[i] = old + 1
			case first:
				into.v[i] = v
			case e.op == "sum":
				into.v[i] = old + v
			case e.op == "max":
				into.v[i] = max(old, v)
			case e.op == "min":
				into.v[i] = min(old, v)
			}
		}
	}
	return g.rows()
}

// groups are rows by some of their labels, in order of arrival.
type groups struct {
	by    []string
	n     int
	byKey map[string]*row
	order []*row
}

func newGroups(by []string, n int) *groups { return &groups{by: by, n: n, byKey: map[string]*row{}} }

func (g *groups) of(l labels) *row {
	var some labels
	for _, name := range g.by {
		some = some.with(name, l.get(name))
	}
	return g.row(some)
}

func (g *groups) row(l labels) *row {
	key := l.key()
	r := g.byKey[key]
	if r == nil {
		made := newRow(l, g.n)
		r = &made
		g.byKey[key] = r
		g.order = append(g.order, r)
	}
	return r
}

func (g *groups) rows() []row {
	rows := make([]row, len(g.order))
	for i, r := range g.order {
		rows[i] = *r
	}
	return rows
}

// minus is a - b, of rows with the same labels.
type minus struct{ a, b expr }

func (e *minus) eval(s *Server, times []int64) []row {
	right := newGroups(nil, len(times))
	for _, r := range e.b.eval(s, times) {
		copy(right.row(r.labels).v, r.v)
	}
	rows := e.a.eval(s, times)
	for _, r := range rows {
		for i, v := range right.row(r.labels).v {
			r.v[i] -= v
		}
	}
	return rows
}

// or is a or b: rows of b only where a has none with the same labels.
type or struct{ a, b expr }

func (e *or) eval(s *Server, times []int64) []row {
	all := newGroups(nil, len(times))
	for _, side := range []expr{e.a, e.b} {
		for _, r := range side.eval(s, times) {
			into := all.row(r.labels)
			for i, v := range r.v {
				if math.IsNaN(into.v[i]) {
					into.v[i] = v
				}
			}
		}
	}
	return all.rows()
}

// labelled is label_replace(of, name, value, from, re), which adds a label where another one
// matches.
type labelled struct {
	of                expr
	name, value, from string
	re                *regexp.Regexp
}

func (e *labelled) eval(s *Server, times []int64) []row {
	rows := e.of.eval(s, times)
	for i := range rows {
		if e.re.MatchString(rows[i].labels.get(e.from)) {
			rows[i].labels = rows[i].labels.with(e.name, e.value)
		}
	}
	return rows
}
