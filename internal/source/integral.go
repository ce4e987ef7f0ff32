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

// Power is measured in watts at moments. Its energy is the area under straight lines between the
// moments of a grid: each value stands for half a step on both sides of it. Values at the edges of
// pieces stand for half a step of either, so pieces add up to the energy of all of the time, and
// a moment without a value leaves out its own step alone.

// The parts of answers about power.
var (
	integralParts = []string{partSum, partLeast, partPoints}
	edgeParts     = []string{partValue, partNumber, partUsual, partAlike}
	watchedParts  = []string{partSum, partPoints, partMean, partLeast}
	gaugeSums     = []string{partSum, partLeast, partMost}
	gaugeEdges    = []string{partValue, partAlike}
)

const (
	sumPart, leastPart, pointsPart   = 0, 1, 2
	valuePart, numberPart, usualPart = 0, 1, 2
	watchedPoints, gaugeMost         = 1, 2
	watchedMean, watchedLeast        = 2, 3
	// maxNumbers is how many numbers of series are told apart where some are missing. If there are
	// more, series come and go by themselves.
	maxNumbers = 8
)

// energy is the integral of power over a piece, and the part of the piece that it covers.
type energy struct {
	joules, covered float64
}

// powers is what an expression in watts says of each host, or of a zone.
type powers struct {
	names  []string
	rows   [][]energy // by name and piece
	alike  []string   // names with several series that always have the same value
	varied []string   // names of which series come and go
	nobody bool       // some series have no name
}

// powerOf asks for power by a label; nil: of everything together.
func (g *gathering) powerOf(ctx context.Context, expr string, by []string) (*powers, error) {
	var p *powers
	err := g.inSteps(func(step time.Duration) (err error) {
		p, err = g.powerAt(ctx, expr, by, step)
		return err
	})
	return p, err
}

// inSteps tries a question with finer and coarser steps, if it is about a single piece.
func (g *gathering) inSteps(ask func(step time.Duration) error) error {
	steps := gridSteps(g.pieces[0].Length)
	for {
		err := ask(steps[0])
		if steps = steps[1:]; len(steps) == 0 || len(g.pieces) > 1 || !usage.IsTooLarge(err) {
			return err
		}
	}
}

// affordEachHost refuses a question for a value of each host at each step that is too large.
func (g *gathering) affordEachHost(step time.Duration) error {
	return g.client.within(g.client.extent.hostsSeen(), len(g.pieces)*int(g.pieces[0].Length/step), nil)
}

func (g *gathering) powerAt(ctx context.Context, expr string, by []string, step time.Duration) (*powers, error) {
	window := g.pieces[0].Length
	if len(by) > 0 {
		if err := g.affordEachHost(step); err != nil {
			return nil, err
		}
	}
	folded, err := g.ask(ctx, endsOf(g.pieces), integral(expr, by, window, step), by, integralParts)
	if err != nil || len(folded.order) == 0 {
		return &powers{}, err
	}
	edges, err := g.ask(ctx, edgesOf(g.pieces), atEdge(expr, by), by, edgeParts)
	if err != nil {
		return nil, err
	}
	m := &measuring{step: step.Seconds(), moments: float64(window / step), folded: folded, edges: edges, watched: map[int]*answer{}}
	numbers, hosts := m.unclear(len(g.pieces))
	for _, number := range numbers[:min(len(numbers), maxNumbers)] {
		of := expr
		if len(by) > 0 && isSelector(expr) {
			of = narrowed(expr, namesMatched(by[0], hosts))
		}
		if m.watched[number], err = g.ask(ctx, endsOf(g.pieces), watched(of, by, number, window, step), by, watchedParts); err != nil {
			return nil, err
		}
	}
	p := &powers{}
	for _, r := range folded.sort() {
		name := ""
		if len(by) > 0 {
			if name = r.labels[0]; name == "" {
				p.nobody = true
				continue
			}
		}
		cells, few := make([]energy, len(g.pieces)), false
		for i := range cells {
			var reason string
			cells[i], reason = m.energy(r, i)
			g.reject(reason)
			few = few || cells[i].covered == 0 && reason == "" && r.at(leastPart, i) > 0
		}
		p.names, p.rows = append(p.names, name), append(p.rows, cells)
		if edges.alike(r) {
			p.alike = append(p.alike, name)
		}
		if few {
			p.varied = append(p.varied, name)
		}
	}
	return p, nil
}

// leastAlike is at how many edges series must have the same value to be taken for copies.
const leastAlike = 6

// alike reports whether a row has several series that have the same value at each edge, which
// changes.
func (a *answer) alike(r *row) bool {
	part := len(a.parts) - 1 // the last, in answers that have it
	at := a.like(r)
	changes := false
	for i := range a.columns {
		if at.none(part, i) {
			return false
		}
		changes = changes || at.at(valuePart, i) != at.at(valuePart, 0)
	}
	return changes && a.columns >= leastAlike
}

// measuring makes energy of the answers about an expression in watts.
type measuring struct {
	step, moments float64 // seconds; and in a piece
	folded, edges *answer
	watched       map[int]*answer // by how many series there must be; none: everything is clear
}

// unclear returns how many series there must be of hosts of which some moments are missing or no
// power, and those hosts.
func (m *measuring) unclear(pieces int) (numbers []int, hosts []string) {
	for _, r := range m.folded.sort() {
		before := len(numbers)
		for i := range pieces {
			if number := m.number(r, i); !r.none(sumPart, i) && !m.clear(r, i) {
				numbers = append(numbers, number)
			}
		}
		if len(numbers) > before {
			hosts = append(hosts, strings.Join(r.labels, ""))
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), hosts
}

// number is how many series of a host there must be in a piece.
func (m *measuring) number(r *row, i int) int {
	usual := m.edges.like(r).at(usualPart, i+1)
	if !(usual >= 1 && usual <= maxCells) { // or absent: the host is new
		return 1
	}
	return int(usual)
}

// clear reports whether every series of a host has a value at each moment of a piece, and each is
// power.
func (m *measuring) clear(r *row, i int) bool {
	edge := m.edges.like(r)
	number := edge.at(numberPart, i+1)
	return !math.IsInf(r.at(sumPart, i), 0) && r.at(leastPart, i) > 0 &&
		edge.at(valuePart, i) > 0 && edge.at(valuePart, i+1) > 0 && edge.at(numberPart, i) == number &&
		r.at(pointsPart, i) == m.moments*number && number >= float64(m.number(r, i)) && r.at(sumPart, i) > 0
}

// energy returns what is measured of a host in a piece, and why some of it is refused; empty: it is
// not.
func (m *measuring) energy(r *row, i int) (e energy, reason string) {
	if r.none(sumPart, i) {
		return energy{}, ""
	}
	sum, points := r.at(sumPart, i), m.moments
	if !m.clear(r, i) {
		reason = m.refused(r, i)
		w := m.watched[m.number(r, i)].like(r)
		if sum, points = w.at(sumPart, i), w.at(watchedPoints, i); !(points >= 0 && points <= m.moments) { // or absent
			sum, points = 0, 0
		}
	}
	if first := m.atEdge(r, i, i); first > 0 {
		sum, points = sum+first/2, points+0.5
	}
	if last := m.atEdge(r, i, i+1); last > 0 {
		sum, points = sum-last/2, points-0.5
	}
	e = energy{sum * m.step, min(points/m.moments, 1)}
	if !(e.joules > 0 && e.covered > 0) {
		return energy{}, reason
	}
	if e.joules/(points*m.step) > maxPower {
		return energy{}, rejectOverCapacity
	}
	return e, reason
}

// atEdge is the power of a host at an edge of a piece; 0: it is not known.
func (m *measuring) atEdge(r *row, piece, edge int) float64 {
	at := m.edges.like(r)
	if watts := at.at(valuePart, edge); watts > 0 && watts <= maxPower && at.at(numberPart, edge) >= float64(m.number(r, piece)) {
		return watts
	}
	return 0
}

// refused says why some values of a host are no power: a machine that ran has used some, and a
// sensor without a reading reports 0.
func (m *measuring) refused(r *row, i int) string {
	w, least := m.watched[m.number(r, i)].like(r), r.at(leastPart, i)
	mean, lowest := w.at(watchedMean, i), w.at(watchedLeast, i)
	switch {
	case isOdd(r.at(sumPart, i)), isOdd(least), isOdd(r.at(pointsPart, i)), isOdd(mean), isOdd(lowest):
		return "" // was counted
	case !isAbsent(mean) && math.IsNaN(mean):
		return rejectNaN
	case math.IsInf(mean, 0), math.IsInf(lowest, 0):
		return rejectInfinite
	case lowest < 0:
		return rejectNegative
	case least == 0:
		return rejectZero
	}
	return ""
}

// namesMatched matches some hosts; empty: there are too many.
func namesMatched(label string, hosts []string) string {
	bytes := 0
	for _, host := range hosts {
		bytes += len(host)
	}
	if len(hosts) > maxInQuery || bytes > maxNameBytes || slices.ContainsFunc(hosts, func(h string) bool { return h != usage.HostLabel(h) || strings.Contains(h, "\uFFFD") }) {
		return ""
	}
	return exactly(label, hosts)
}
