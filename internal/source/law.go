// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"math"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The law: the CPU seconds of all modes of one machine grow by cores x time, whatever runs on
// it.
const (
	// tolerance is how far a host may be from the law and still be booked as it is. The clock
	// of a scrape is not that of an edge: a scrape that is missed shifts a scrape interval
	// from one piece to its neighbour.
	tolerance = 0.03
	// rounding is how far, in seconds per core, a counter may go back by nothing but the way in
	// which it is computed. Windows counts in 64ths of a second.
	rounding = 0.1
	// alikeWithin is how far, in seconds per core, the counters of one machine may be apart if
	// they are read by two scrapers.
	alikeWithin = 60.0
	// freshFor is how old, in seconds, the newest sample at an edge may be: a minute is the
	// usual scrape interval. Of hosts that are known to be scraped less often it may be overdue
	// times the time between two scrapes.
	freshFor, overdue = 62.0, 1.25
	// farApart is more than two series of one counter can be apart at one moment: the server
	// looks back five minutes for a sample.
	farApart = 300.0
	// maxCounter, in seconds, is more than any counter: 100 000 cores for 300 years.
	maxCounter = 1e15
)

// outcome is what a host used in a piece.
type outcome struct {
	state          usage.HostState // "": it was not there
	reason         usage.DoubtReason
	detail         string
	cores          float64
	seen, capacity float64 // CPU seconds of all modes, and cores x time
	booked         []booked
	copies         int     // series that count once, not twice
	final          bool    // whether a later reading can find no more
	since          float64 // start of a hole that ends here, Unix seconds; 0: none
	holes          []span  // that lie over an edge of the piece
}

// booked is what one label set of a host used: CPU seconds busy, idle and of all modes.
type booked struct {
	series           usage.Series
	busy, idle, seen float64
}

// grown is how much the counters of a label set grew in a piece.
type grown struct {
	by    [classes]float64
	has   [classes]bool
	falls float64 // the deepest fall of any mode
	state grownState
}

type grownState int

const (
	nowhere  grownState = iota // not seen at either edge
	partly                     // at one edge, or not in all modes
	rejected                   // with a value that is no counter
	whole
)

func (t *edges) grown(s *labelSet, piece int) (g grown) {
	modes := 0
	for _, id := range t.ordered {
		if !s.has(id) {
			continue
		}
		before, after := s.cell(id, piece), s.cell(id, piece+1)
		switch {
		case before == refused || after == refused:
			g.state = rejected
			return g
		case math.IsNaN(before) && math.IsNaN(after):
			continue
		case math.IsNaN(before) || math.IsNaN(after):
			g.state = partly
			continue
		}
		class := t.modes[id].class
		if class == idleClass && after == 0 && t.query.CoresQuery != "" {
			continue // LXD says so of containers, of which it does not know idle time
		}
		modes++
		g.by[class] += after - before
		g.has[class] = true
		g.falls = max(g.falls, before-after)
	}
	if g.state == nowhere && modes > 0 {
		g.state = whole
	}
	return g
}

func (g *grown) add(o grown) {
	for c := range g.by {
		g.by[c] += o.by[c]
		g.has[c] = g.has[c] || o.has[c]
	}
	g.falls = max(g.falls, o.falls)
}

// total is the time of all modes but those that are parts of others.
func (g *grown) total() float64 {
	return g.by[busyClass] + g.by[idleClass] + g.by[otherClass] + g.by[unlisted]
}

// lawful returns the CPU seconds of all modes if they are cores x time. Modes that are neither
// busy nor idle may be parts of others, as those of Windows are.
func (g *grown) lawful(cores, length float64) (float64, bool) {
	all := g.total()
	for _, total := range []float64{all, all - g.by[otherClass]} {
		if math.Abs(total-cores*length) <= tolerance*cores*length {
			return total, true
		}
	}
	return all, false
}

// judge holds a host to the law in a piece. If look is true, the edges alone don't say what it
// used; what they say is right nevertheless if a closer look finds no hole at them. What is
// booked is overwritten by the next call.
func (t *edges) judge(h *hostSets, piece int) (o outcome, look bool) {
	o.cores = h.cores(piece)
	var sum grown
	sets, each := t.here[:0], t.grew[:0]
	defer func() { t.here, t.grew = sets, each }()
	seen, doubtful := o.cores > 0, false
	for _, s := range h.sets {
		g := t.grown(s, piece)
		switch g.state {
		case rejected:
			return refuse(o, t, usage.DoubtInvalid, "a counter that is not a number of seconds"), false
		case partly:
			doubtful = true
		case whole:
			sum.add(g)
			sets, each = append(sets, s), append(each, g)
		case nowhere:
			doubtful = doubtful || s.cores != nil && s.cores[piece] >= 1 // it lived between the edges
		}
	}
	switch {
	case doubtful, seen && len(sets) == 0:
		return o, true
	case len(sets) == 0:
		o.final = true
		return o, t.nearby(h, piece)
	case !sum.has[busyClass] && !sum.has[idleClass]:
		return refuse(o, t, usage.DoubtHalf, "no mode of its is in busy_modes or idle_modes; it has "+t.modesOf(h)), false
	case !sum.has[busyClass]:
		return refuse(o, t, usage.DoubtHalf, "no busy mode; it has "+t.modesOf(h)), false
	case !sum.has[idleClass] && t.query.CoresQuery != "" && o.cores == 0 && sum.total() == 0:
		return outcome{final: true}, false // it is switched off
	case !sum.has[idleClass] && !(t.query.CoresQuery != "" && o.cores > 0):
		return refuse(o, t, usage.DoubtNoCores, "no idle mode, so its cores are not known; it has "+t.modesOf(h)+". Set cores_query"), false
	case !sum.has[idleClass]:
		return t.withoutIdle(o, h, piece, sets, each, sum)
	}
	if o.cores == 0 {
		o.cores = wholeCores(sum.total() / t.length)
	}
	old := t.old(h, piece) || t.old(h, piece+1)
	if h.apart(piece) || o.cores == 0 || sum.falls > rounding*o.cores {
		return o, true
	}
	if total, ok := sum.lawful(o.cores, t.length); ok {
		o.seen = total
		return t.exact(o, h, piece, sets, each), old
	}
	// Copies: one host in two jobs. The label set that names more comes first.
	if len(sets) > 1 && t.alike(sets, piece, o.cores) {
		if total, ok := each[0].lawful(o.cores, t.length); ok {
			o.seen, o.copies = total, len(sets)-1
			return t.exact(o, h, piece, sets[:1], each[:1]), old
		}
	}
	return o, true
}

// wholeCores returns the number of cores that CPU seconds per second are, or 0.
func wholeCores(n float64) float64 {
	cores := math.Round(n)
	if cores < 1 || math.Abs(n-cores) > min(tolerance*cores, 0.25) {
		return 0
	}
	return cores
}

func (t *edges) exact(o outcome, h *hostSets, piece int, sets []*labelSet, each []grown) outcome {
	o.state, o.final, o.capacity = usage.HostExact, true, o.cores*t.length
	if h.spread != nil && max(h.spread[piece], h.spread[piece+1]) > 0 {
		o.copies = max(o.copies, 1)
	}
	t.booked = t.booked[:0]
	for i, s := range sets {
		t.booked = append(t.booked, booked{s.series, max(each[i].by[busyClass], 0), max(each[i].by[idleClass], 0), each[i].total()})
	}
	o.booked = t.booked
	return o
}

func refuse(o outcome, t *edges, reason usage.DoubtReason, detail string) outcome {
	o.state, o.reason, o.detail = usage.HostRefused, reason, detail
	o.booked, o.seen, o.capacity = nil, 0, o.cores*t.length
	return o
}

// nearby reports whether a host that is not seen in a piece is seen elsewhere, so that the piece
// may lie in a hole.
func (t *edges) nearby(h *hostSets, piece int) bool {
	for i := range t.pieces {
		if i != piece && h.sampled(i) {
			return true
		}
	}
	return false
}

// nearest returns the last piece before, and the first after a piece, in which a host has
// samples; -1: none of those beside it. Farther than that it is searched, in whatever run.
func (t *edges) nearest(h *hostSets, piece int) (before, after int) {
	before, after = -1, -1
	for i := piece - 1; i >= max(piece-t.beside, 0) && before < 0; i-- {
		if h.sampled(i) {
			before = i
		}
	}
	for i := piece + 1; i <= min(piece+t.beside, len(t.pieces)-1) && after < 0; i++ {
		if h.sampled(i) {
			after = i
		}
	}
	return before, after
}

// old reports whether the newest sample at an edge is too old to stand for the edge: scrapes are
// missing. Both pieces that meet there look closer then, and use the same.
func (t *edges) old(h *hostSets, edge int) bool {
	if h.times == nil {
		return false
	}
	at := h.times[edge]
	return t.edge(edge)-at > freshFor && !(h.beat.has(at) && t.edge(edge)-at <= h.beat.every*overdue) // not NaN
}

// modesOf lists the modes of a host, for a person.
func (t *edges) modesOf(h *hostSets) string {
	var names []string
	for _, id := range t.ordered {
		for _, s := range h.sets {
			if s.has(id) {
				names = append(names, fmt.Sprintf("%.40q", t.modes[id].name))
				break
			}
		}
	}
	const most = 12
	if len(names) > most {
		names = append(names[:most], "...")
	}
	return strings.Join(names, ", ")
}
