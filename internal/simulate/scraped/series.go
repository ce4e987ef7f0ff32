// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package scraped

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// label is one label of a series.
type label struct{ name, value string }

// labels have no empty values: to Prometheus such a label is not there.
type labels []label

func (l labels) get(name string) string {
	for _, one := range l {
		if one.name == name {
			return one.value
		}
	}
	return ""
}

func (l labels) with(name, value string) labels {
	if value == "" {
		return l
	}
	return append(slices.Clip(l), label{name, value})
}

// key tells labels apart.
func (l labels) key() string {
	var b strings.Builder
	for _, one := range l {
		b.WriteString(one.name)
		b.WriteByte(0)
		b.WriteString(one.value)
		b.WriteByte(0)
	}
	return b.String()
}

// json begins a series in an answer.
func (l labels) json(b []byte) []byte {
	b = append(b, `{"metric":{`...)
	for i, one := range l {
		if i > 0 {
			b = append(b, ',')
		}
		name, _ := json.Marshal(one.name)
		value, _ := json.Marshal(one.value)
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}')
}

// series are the samples of all lives that have the same labels, one after the other.
type series struct {
	labels labels
	lives  []life
}

// life is what one host says in one series.
type life struct {
	host  *Host
	value func(at time.Time) float64
}

// all returns the series of a metric that may have samples in (from, to], in milliseconds.
func (s *Server) all(metric string, from, to int64) []*series {
	byKey := map[string]*series{}
	var all []*series
	add := func(l labels, one life) {
		key := l.key()
		if byKey[key] == nil {
			byKey[key] = &series{labels: l}
			all = append(all, byKey[key])
		}
		byKey[key].lives = append(byKey[key].lives, one)
	}
	for _, h := range s.Hosts {
		if !h.Begin.IsZero() && h.Begin.UnixMilli() >= to || !h.End.IsZero() && h.End.UnixMilli() <= from {
			continue
		}
		l := labels{{"__name__", metric}}
		l = l.with("job", job).with(Usual.Project, h.Project).with(Usual.Machine, h.Machine).with(Usual.Host, h.Host).with(Usual.User, h.User)
		switch {
		case metric == cpuMetric:
			for core := range h.Cores {
				ofCore := l.with(Usual.CPU, strconv.Itoa(core))
				for _, mode := range h.Modes {
					add(ofCore.with(Usual.Mode, mode), life{h, func(at time.Time) float64 { return h.Counter(core, mode, at) }})
				}
			}
		case h.More[metric] != nil:
			add(l, life{h, h.More[metric]})
		}
	}
	return all
}

// lookBack is how old a sample may be that counts as the present one, in milliseconds.
const lookBack = 5 * 60 * 1000

// until returns the last of some milliseconds that the server has seen.
func (s *Server) until(at int64) int64 {
	if s.Now == nil {
		return at
	}
	return min(at, s.Now().UnixMilli())
}

func (s *Server) every() int64 {
	if s.Every > 0 {
		return s.Every.Milliseconds()
	}
	return time.Minute.Milliseconds()
}

// due returns the last time at or before at, in milliseconds, at which a host is to be scraped.
func (s *Server) due(h *Host, at int64) int64 {
	phase, every := h.Phase.Milliseconds(), s.every()
	since := (at - phase) % every
	if since < 0 {
		since += every
	}
	return at - since
}

// lives reports whether a host is there to be scraped.
func (h *Host) lives(at time.Time) bool {
	return (h.Begin.IsZero() || at.After(h.Begin)) && (h.End.IsZero() || !at.After(h.End))
}

// at returns the value of the newest sample.
func (one *series) at(s *Server, at int64) (float64, bool) {
	_, v, ok := one.newest(s, at)
	return v, ok
}

// newest returns the newest sample as of a time in milliseconds. A host that has gone is marked
// stale by the scrape that fails; one that the server has missed is not.
func (one *series) newest(s *Server, at int64) (scraped int64, value float64, ok bool) {
	newest := s.until(at)
	for _, l := range one.lives {
		for due := s.due(l.host, newest); at-due < lookBack; due -= s.every() {
			when := time.UnixMilli(due).UTC()
			if when.Before(s.Retention) || !l.host.lives(when) {
				break
			}
			if l.host.Missed == nil || !l.host.Missed(when) {
				v := l.value(when)
				return due, v, !math.IsNaN(v)
			}
		}
	}
	return 0, 0, false
}

// span returns the times of a life's first scrape in (from, to] and of the last that may be, in
// milliseconds.
func (s *Server) span(l life, from, to int64) (first, last int64) {
	first = from
	for _, bound := range []time.Time{s.Retention.Add(-time.Millisecond), l.host.Begin} {
		if bound.Year() > 1 {
			first = max(first, bound.UnixMilli())
		}
	}
	last = s.until(to)
	if !l.host.End.IsZero() {
		last = min(last, l.host.End.UnixMilli())
	}
	return s.due(l.host, first) + s.every(), last
}

// between calls f with the time of every scrape in (from, to], in order, and who was scraped.
func (one *series) between(s *Server, from, to int64, f func(at int64, l life)) {
	for _, l := range one.lives {
		first, last := s.span(l, from, to)
		for at := first; at <= last; at += s.every() {
			if l.host.Missed != nil && l.host.Missed(time.UnixMilli(at).UTC()) {
				continue
			}
			f(at, l)
		}
	}
}

// count returns the number of scrapes in (from, to].
func (one *series) count(s *Server, from, to int64) int {
	n := 0
	for _, l := range one.lives {
		first, last := s.span(l, from, to)
		if l.host.Missed == nil {
			n += int(max(last-first+s.every(), 0) / s.every())
			continue
		}
		for at := first; at <= last; at += s.every() {
			if !l.host.Missed(time.UnixMilli(at).UTC()) {
				n++
			}
		}
	}
	return n
}
