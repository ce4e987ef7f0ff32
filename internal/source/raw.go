// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// leadIn is how much more, in seconds, is asked for before a window: as far as the server looks back,
// and what shows how often the host was scraped before that. The times of both meet in every reading,
// so that readings that have an edge in common find the same there.
const leadIn = lookBack + rhythm

// ask asks for the raw samples of a group.
func (l *look) ask(ctx context.Context, g group) (map[string]*closeUp, error) {
	q := l.table.query
	seen := map[string]*closeUp{}
	for _, w := range g.windows {
		window := w.Length + leadIn*time.Second
		s := &rawSink{seen: seen, unit: q.unit()}
		labels := append(q.Labels.list(), q.Labels.CPU, q.Labels.Mode)
		query := q.raw(g.hosts, window)
		if l.folded {
			query = q.folded(g.hosts, window, max(l.table.pieces[0].Length/120, minFold))
		}
		if err := l.client.askAt(ctx, w.End(), query, labels, s); err != nil {
			return nil, err
		}
	}
	return seen, nil
}

// closeUp is what was seen of a host for one piece. Samples that were asked for because of others are
// left out, so that nothing depends on what is read together.
func (l *look) closeUp(seen *closeUp, host string, piece int, far *sights) *closeUp {
	t := l.table
	h, cores := t.hosts[host], 0.0
	c := seen.within(joinedWindows(l.needs(host, piece, far)))
	if c == nil || h == nil {
		return c
	}
	for i := max(piece-t.beside, 0); i <= min(piece+t.beside, len(t.pieces)-1); i++ {
		cores = max(cores, h.cores(i))
	}
	c.assemble(t.query, cores, l.folded)
	return c
}

// within returns the samples of some times and of the leadIn before each; nil: there are none.
func (c *closeUp) within(windows []usage.Interval) *closeUp {
	if c == nil {
		return nil
	}
	cut := &closeUp{tracks: map[string]*track{}}
	for id, t := range c.tracks {
		part := &track{series: t.series, others: t.others, id: t.id, cores: map[string]map[string]*points{}}
		for cpu, modes := range t.cores {
			for mode, all := range modes {
				p := all.within(windows)
				if len(p.at) == 0 {
					continue
				}
				if part.cores[cpu] == nil {
					part.cores[cpu] = map[string]*points{}
				}
				part.cores[cpu][mode] = p
			}
		}
		if len(part.cores) > 0 {
			cut.tracks[id] = part
		}
	}
	if len(cut.tracks) == 0 {
		return nil
	}
	return cut
}

// within returns the samples of some times, which are ordered, and of the leadIn before each.
func (p *points) within(windows []usage.Interval) *points {
	cut, next := &points{}, 0
	for _, w := range windows {
		from, _ := slices.BinarySearch(p.at, math.Nextafter(seconds(w.Start)-leadIn, math.Inf(1)))
		to, _ := slices.BinarySearch(p.at, math.Nextafter(seconds(w.End()), math.Inf(1)))
		if from = max(from, next); from >= to {
			continue
		}
		if next = to; len(cut.at) == 0 { // usually there is one window, and nothing to copy
			cut.at, cut.v = p.at[from:to:to], p.v[from:to:to]
			continue
		}
		cut.at, cut.v = append(cut.at, p.at[from:to]...), append(cut.v, p.v[from:to]...)
	}
	return cut
}

// rawSink receives raw samples.
type rawSink struct {
	seen map[string]*closeUp
	unit float64 // see Query.Unit
	rest []label
	into *points
}

// Rest implements restSink.
func (r *rawSink) Rest(others []label) { r.rest = others }

// Series implements sink.
func (r *rawSink) Series(labels []string) error {
	series := rawSeries(labels[:4])
	c := r.seen[series.Host]
	if c == nil {
		c = &closeUp{tracks: map[string]*track{}}
		r.seen[series.Host] = c
	}
	slices.SortFunc(r.rest, func(a, b label) int { return strings.Compare(a.name, b.name) })
	var id strings.Builder
	fmt.Fprintf(&id, "%q", []string{series.Project, series.Machine, series.User})
	for _, l := range r.rest {
		id.WriteString(strconv.Quote(l.name) + strconv.Quote(l.value))
	}
	t := c.tracks[id.String()]
	if t == nil {
		t = &track{series: series, id: id.String(), others: slices.Clone(r.rest), cores: map[string]map[string]*points{}}
		c.tracks[t.id] = t
	}
	cpu, mode := labels[4], labels[5]
	if t.cores[cpu] == nil {
		t.cores[cpu] = map[string]*points{}
	}
	if t.cores[cpu][mode] == nil {
		t.cores[cpu][mode] = &points{}
	}
	r.into = t.cores[cpu][mode]
	return nil
}

// Point implements sink. Windows overlap; a sample that is no number of seconds is left out, as
// if it had not been scraped. Sums repeat the last sample for as long as the server looks back.
func (r *rawSink) Point(at, v float64) {
	v *= r.unit
	if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 || v > maxCounter || math.IsNaN(at) {
		return
	}
	if n := len(r.into.at); n > 0 && at <= r.into.at[n-1] {
		return
	}
	r.into.at = append(r.into.at, at)
	r.into.v = append(r.into.v, v)
}

// Odd implements sink.
func (r *rawSink) Odd(float64) {}

// Histogram implements sink.
func (r *rawSink) Histogram() {}

// seenSink receives the times at which hosts are seen.
type seenSink struct {
	times map[string][]float64
	host  string
}

// Series implements sink.
func (s *seenSink) Series(labels []string) error {
	s.host = usage.HostLabel(labels[0])
	return nil
}

// Point implements sink.
func (s *seenSink) Point(at, _ float64) {
	if !math.IsNaN(at) {
		s.times[s.host] = append(s.times[s.host], at)
	}
}

// Odd implements sink.
func (s *seenSink) Odd(float64) {}

// Histogram implements sink.
func (s *seenSink) Histogram() {}
