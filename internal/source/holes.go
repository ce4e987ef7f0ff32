// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"math"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// span is a time, in Unix seconds.
type span struct{ from, to float64 }

// over is how long two spans overlap, in seconds.
func (s span) over(o span) float64 { return max(min(s.to, o.to)-max(s.from, o.from), 0) }

// holesIn lists the times in a piece in which scrapes of a host are missing, over an edge of it.
// All cores of a host are scraped together.
func (c *closeUp) holesIn(from, to float64) []span {
	var all []span
	for _, u := range c.units {
		for _, seg := range u.segments {
			if seg.hole && seg.from < to && seg.to > from && (seg.from < from || seg.to > to) {
				all = append(all, span{seg.from, seg.to})
			}
		}
	}
	slices.SortFunc(all, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	return slices.CompactFunc(all, func(a, b span) bool { return a.over(b) > 0 })
}

// holes lists the holes of each host that lie over an edge of a piece.
func (t *edges) holes(looked map[spot]outcome) map[string][]span {
	all := map[string][]span{}
	from, to := t.asked()
	for _, name := range t.names {
		for i := from; i < to; i++ {
			for _, hole := range looked[spot{name, i}].holes {
				if !slices.ContainsFunc(all[orUnknown(name)], func(o span) bool { return o.over(hole) > 0 }) {
					all[orUnknown(name)] = append(all[orUnknown(name)], hole)
				}
			}
		}
	}
	return all
}

// piecesTo returns a row of pieces, longer by those in which holes end.
func piecesTo(pieces []usage.Interval, holes map[string][]span) []usage.Interval {
	end := 0.0
	for _, of := range holes {
		for _, hole := range of {
			end = max(end, hole.to)
		}
	}
	all := slices.Clone(pieces)
	for len(all) < len(pieces)+mostBeside && seconds(all[len(all)-1].End()) < end {
		all = append(all, all[len(all)-1].Next())
	}
	return all
}

// bridge spreads what is first seen after a hole over the time for which it was not seen: what
// shares of a host did since the last sample before it. Cores are reserved in a hole as they are
// beside it.
func (all *allShares) bridge(host string, holes []span, pieces []usage.Interval) {
	at := func(i int) span { return span{seconds(pieces[i].Start), seconds(pieces[i].End())} }
	for _, hole := range holes {
		after := slices.IndexFunc(pieces, func(p usage.Interval) bool { return hole.to <= seconds(p.End()) })
		if after < 0 {
			continue // it has not ended
		}
		unseen := span{hole.from, at(after).to}
		for _, s := range all.byHost[host] {
			s.spread(unseen, after, at)
			s.keep(hole, after, at)
		}
	}
}

// spread divides what a share did in a piece evenly over the time that it was seen for.
func (s *share) spread(unseen span, piece int, at func(int) span) {
	if unseen.from >= at(piece).from {
		return
	}
	if at(piece).from-unseen.from > bornWithin.Seconds() {
		return // the counter was not found so far back, so this is what it counted since
	}
	used := s.after[piece]
	if math.IsNaN(used) {
		return // it has ended
	}
	s.busy[piece] = 0
	for i := range piece + 1 {
		if math.IsNaN(s.busy[i]) && unseen.over(at(i)) > 0 {
			s.busy[i] = 0
		}
		s.busy[i] += used * unseen.over(at(i)) / (unseen.to - unseen.from)
	}
}

// keep fills in the cores that were reserved in a hole: as many as beside it. Where nothing was
// seen at all, as many as in the piece after it.
func (s *share) keep(hole span, after int, at func(int) span) {
	for i := range after + 1 {
		unseen := hole.over(at(i))
		if unseen == 0 {
			continue
		}
		rate := s.rate[i]
		if rate == 0 {
			rate = s.rate[after]
		}
		// A sample may have stood for some of the hole already, and where it begins and ends is known
		// to a step: what is almost all of a piece is all of it.
		whole := rate * (at(i).to - at(i).from)
		if s.reserved[i] += rate * unseen; s.reserved[i] > whole-1.5*rate*reservedStep.Seconds() {
			s.reserved[i] = whole
		}
	}
}
