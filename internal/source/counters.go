// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// mostResets is how often a counter may begin again in a piece. What falls more often is none.
const mostResets = 10

// counter is one series of a counter of energy, or several copies of it.
type counter struct {
	series carrier
	keys   []string  // of all its copies
	edges  []float64 // its value at each edge that was asked for; absent: none
	resets []float64 // by piece, of all samples in it and of some before it; absent: none came
	*history
	odd []bool // by piece: it falls again and again; nil: never
}

// open reports whether a counter is not seen at some edge.
func (c *counter) open() bool { return slices.ContainsFunc(c.edges, isAbsent) }

// fell reports whether a counter began again in a piece, or may have.
func (c *counter) fell(piece int) bool {
	return c.resets[piece] > 0 || c.edges[piece+1] < c.edges[piece] // not absent
}

// counters asks for the energy of devices that count it. The labels of a series tell its counter
// apart from all others.
func (g *gathering) counters(ctx context.Context, d Device) (joules, error) {
	all, err := g.askCounters(ctx, d)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	all = g.copies(d, all)
	all, devices := g.handed(d, all)
	look := &deviceLook{g: g, device: d, wanted: map[int][]*counter{}}
	if err := look.closer(ctx, all); err != nil {
		return nil, err
	}
	used, falling, absurd := joules{}, []string{}, []string{}
	if err := g.holders(ctx, d, devices, used); err != nil {
		return nil, err
	}
	length := g.pieces[0].Length
	for _, c := range all {
		for i, piece := range g.pieces {
			grown, there, since := c.grown(seconds(piece.Start), seconds(piece.End()), i)
			if !there {
				continue
			}
			grown *= d.Unit
			switch {
			case c.odd != nil && c.odd[i]:
				g.reject(rejectNegative)
				falling = append(falling, orUnknown(c.series.Host))
				continue
			case grown > maxPower*length.Seconds() || math.IsNaN(grown):
				g.reject(rejectOverCapacity)
				absurd = append(absurd, orUnknown(c.series.Host))
				continue
			}
			used.add(c.series, i, len(g.pieces), grown)
			if r := &g.all[i]; since > 0 && (r.Since.IsZero() || atSeconds(since).Before(r.Since)) {
				r.Since = atSeconds(since)
			}
		}
	}
	if len(falling) > 0 {
		g.remark("The device %.60q is no counter on these hosts, because it falls again and again: %s; if it shows watts, set its unit to W", d.Name, some(unique(falling)))
	}
	if len(absurd) > 0 {
		g.remark("The device %.60q grows by more than 1e9 W on these hosts, which is not counted: %s; check its unit", d.Name, some(unique(absurd)))
	}
	return used, nil
}

func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// grown returns by how much a counter grew in a piece, whether it was there, and since when it was
// not seen, if a hole in it ends in the piece.
func (c *counter) grown(from, to float64, piece int) (grown float64, there bool, since float64) {
	if c.history == nil {
		return c.edges[piece+1] - c.edges[piece], true, 0
	}
	a, sinceA, untilA := c.at(from)
	b, sinceB, _ := c.at(to)
	if hole := sinceA < from; hole && untilA <= to {
		since = sinceA
	}
	there = sinceA < from || sinceB < to || slices.ContainsFunc(c.instants, func(in instant) bool { return in.at > from && in.at <= to })
	return b - a, there, since
}

// askCounters asks for the value of each counter at the edges, how often it began again, and
// which counters there are in the day after: some may be in a hole.
func (g *gathering) askCounters(ctx context.Context, d Device) ([]*counter, error) {
	window := g.pieces[0].Length
	edges, err := g.askSeries(ctx, d, edgesOf(g.pieces), asGiven(d.Query), nil, nil)
	if err != nil {
		return nil, err
	}
	resets, err := g.askSeries(ctx, d, endsOf(g.pieces), resetsIn(d.Query, window), nil, nil)
	if err != nil {
		return nil, err
	}
	end := endsOf(g.pieces)
	end.first = end.last
	later, err := g.askSeries(ctx, d, end, seenLater(d.Query), nil, nil)
	if err != nil {
		return nil, err
	}
	byKey := map[string]*counter{}
	var all []*counter
	for _, a := range []*answer{edges, resets, later} {
		for _, r := range a.order {
			if byKey[r.key] != nil {
				continue
			}
			c := &counter{series: g.client.carrierOf(d, r.labels), keys: []string{r.key}, edges: g.energies(edges.like(r)), resets: slices.Repeat([]float64{absent}, len(g.pieces))}
			if of := resets.like(r); of.parts != nil {
				copy(c.resets, of.parts[0])
			}
			byKey[r.key] = c
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *counter) int { return strings.Compare(a.keys[0], b.keys[0]) })
	return all, nil
}

// energies returns the values of a counter at the edges, without those that are no energy.
func (g *gathering) energies(r *row) []float64 {
	all := make([]float64, len(g.pieces)+1)
	for i := range all {
		v := r.at(0, i)
		switch {
		case isAbsent(v), isOdd(v):
			v = absent
		case math.IsNaN(v):
			g.reject(rejectNaN)
			v = absent
		case math.IsInf(v, 0):
			g.reject(rejectInfinite)
			v = absent
		case v < 0:
			g.reject(rejectNegative)
			v = absent
		}
		all[i] = v
	}
	return all
}

// askSeries asks a query whose answer has a row for each series.
func (g *gathering) askSeries(ctx context.Context, d Device, when grid, query string, parts []string, only map[string]bool) (*answer, error) {
	labels := g.client.deviceLabels(d)
	w := &wholeAnswer{answer: newAnswer(when, labels, parts, g.rejects), only: only}
	if parts != nil {
		labels = append(slices.Clone(labels), partLabel)
	}
	if err := g.client.ask(ctx, when, query, labels, w); err != nil {
		return nil, err
	}
	return w.answer, w.usable()
}

// farAround returns the edges of pieces, and as many more at either end as the other end of a
// hole is searched in.
func farAround(pieces []usage.Interval) (when grid, beside int) {
	length := pieces[0].Length
	beside = max(min(int(farthest/length), (maxPoints-len(pieces)-1)/2), 0)
	when = edgesOf(pieces)
	when.first, when.last = when.first.Add(-time.Duration(beside)*length), when.last.Add(time.Duration(beside)*length)
	return when, beside
}
