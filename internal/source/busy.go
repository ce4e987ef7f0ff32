// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Hosts whose counters are of busy time alone, such as domains of a hypervisor and containers.
// Where a query says how many cores they have, they are idle for as long as they are there and
// not busy. The law then only says that they are not busier than that.

const (
	// overhead is how much busier such a host may seem than its cores allow: its hypervisor's
	// work for it counts, too. It is booked with what its cores allow.
	overhead = 0.10
	// justBorn is how many scrapes such a host may have run before its first.
	justBorn = 1.5
)

// someWithoutIdle reports whether any label set has no idle time.
func (t *edges) someWithoutIdle() bool {
	if t.query.CoresQuery == "" || len(t.sets) == 0 {
		return false
	}
	for _, s := range t.sets {
		counts := false
		for id, row := range s.cells {
			if row != nil && t.modes[id].class == idleClass && slices.ContainsFunc(row, func(v float64) bool { return v > 0 }) {
				counts = true
				break
			}
		}
		if !counts {
			return true
		}
	}
	return false
}

// twice reports whether a counter of a host is there more than once at both edges of a piece.
func (h *hostSets) twice(piece int) bool {
	return h.several != nil && h.several[piece] && h.several[piece+1]
}

// withoutIdle books a host that has no idle mode, but of which the cores are known.
func (t *edges) withoutIdle(o outcome, h *hostSets, piece int, sets []*labelSet, each []grown, sum grown) (outcome, bool) {
	used, capacity := sum.total(), o.cores*t.length
	several := len(sets) > 1 || h.several != nil && (h.several[piece] || h.several[piece+1]) || h.moved != nil && h.moved[piece+1]
	if several || h.apart(piece) || used > capacity*(1+overhead) || sum.falls > rounding*o.cores {
		return o, true
	}
	old := t.old(h, piece) || t.old(h, piece+1)
	o.seen = capacity
	idle := max(capacity-used, 0) / float64(len(sets))
	for i := range each {
		if used > capacity {
			each[i].by[busyClass] *= capacity / used
		}
		each[i].by[idleClass] = idle
	}
	return t.exact(o, h, piece, sets, each), old
}

// countsIdle reports whether the tracks of a host have idle time.
func countsIdle(tracks []*track, classOf func(string) class) bool {
	for _, t := range tracks {
		for _, modes := range t.cores {
			for mode, p := range modes {
				if classOf(mode) == idleClass && slices.ContainsFunc(p.v, func(v float64) bool { return v > 0 }) {
					return true
				}
			}
		}
	}
	return false
}

// standStill reports whether no counter of a host has ever counted anything.
func standStill(tracks []*track) bool {
	for _, t := range tracks {
		for _, modes := range t.cores {
			for _, p := range modes {
				if slices.ContainsFunc(p.v, func(v float64) bool { return v != 0 }) {
					return false
				}
			}
		}
	}
	return true
}

// assembleBusy turns tracks of busy time into units: all cores of a track together. Tracks that
// follow each other are one row of samples, as are copies. Two that are there at the same time
// and are no copies are a machine that moves: the old place goes on until the new one has it.
func (c *closeUp) assembleBusy(tracks []*track, classOf func(string) class, cores float64) {
	c.busy = true
	var all []*core
	for _, t := range tracks {
		modes := map[string]*points{}
		for cpu, of := range t.cores {
			for mode, p := range of {
				if class := classOf(mode); class != idleClass && class != partClass {
					modes[mode+"\x00"+cpu] = p
					c.has[class] = true
				}
			}
		}
		moments := momentsOf(modes, func(name string) class { mode, _, _ := strings.Cut(name, "\x00"); return classOf(mode) }, t)
		if len(moments) > 0 {
			all = append(all, &core{t, moments, usualStep(moments)})
		}
	}
	slices.SortStableFunc(all, func(a, b *core) int {
		return cmp.Or(compareSeries(a.track.series, b.track.series), cmp.Compare(b.span(), a.span()), strings.Compare(a.track.id, b.track.id))
	})
	var rows []*core
	for _, one := range all {
		if i := slices.IndexFunc(rows, func(r *core) bool { return r.takes(one, &c.copies) }); i < 0 {
			rows = append(rows, one)
		}
	}
	for _, r := range rows {
		c.units = append(c.units, tellBusy(unit{cores, r.moments}))
	}
}

// takes joins another row of samples to this one if it is a copy, or if neither has a sample
// while the other is there.
func (c *core) takes(o *core, copies *int) bool {
	overlap, copied := false, true
	for i := range o.moments {
		if c.covers(o.moments[i].at) {
			overlap = true
			copied = copied && c.agrees(&o.moments[i])
		}
	}
	for i := range c.moments {
		overlap = overlap || o.covers(c.moments[i].at)
	}
	if overlap && !copied {
		return false
	}
	if overlap {
		*copies++
	}
	for _, m := range o.moments {
		if !c.covers(m.at) {
			if overlap {
				m.track = c.track
			}
			c.moments = append(c.moments, m)
		}
	}
	slices.SortStableFunc(c.moments, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	c.step = usualStep(c.moments)
	return true
}

// tellBusy makes segments of samples of busy time. Between two samples the counter may
//
//   - grow by up to cores x time: the rest of that was idle;
//   - fall to less than cores x time: it began anew, in another place or after a restart. What
//     was used before, since the sample before, is not known. In the same place, and after a
//     while without samples, it was stopped;
//   - fall to 0, or stay there: the machine is switched off;
//   - do anything else: see tell.
func tellBusy(u unit) *story {
	s := &story{unit: u, scrape: usualStep(u.moments), steps: stepsOf(u.moments)}
	for i := range s.moments {
		q := &s.moments[i]
		if i == 0 {
			s.bornBusy(q)
			continue
		}
		p := &s.moments[i-1]
		dt, d := q.at-p.at, q.total()-p.total()
		limit := s.cores * (dt*(1+overhead) + jitter)
		seg := segment{from: p.at, to: q.at, track: q.track, hole: dt > 2.5*s.step(i-1)}
		switch {
		case q.total() == 0:
			continue
		case d < -rounding*s.cores && q.total() <= limit && seg.hole && p.track == q.track:
			// It was stopped, and is known to have run since for as long as it was busy at least.
			seg.from, seg.boot, seg.hole = max(q.at-q.total()/s.cores, p.at), true, false
			if seg.from-p.at > longestDown {
				s.marks = append(s.marks, mark{p.at, seg.from, usage.DoubtHole, 0})
			}
			seg.grew = s.filled(q.by, q.at-seg.from)
		case d < -rounding*s.cores && q.total() <= limit:
			seg.grew = s.filled(q.by, dt)
		case d < -rounding*s.cores:
			if p.track == q.track {
				s.marks = append(s.marks, mark{p.at, q.at, usage.DoubtSteppedBack, -d})
			}
			continue
		case d > limit:
			if p.track == q.track {
				s.marks = append(s.marks, mark{p.at, q.at, usage.DoubtLeap, d})
			}
			continue
		default:
			seg.grew = s.filled(difference(p, q), dt)
		}
		s.segments = append(s.segments, seg)
	}
	return s
}

// filled adds the idle time of a segment to its busy time.
func (s *story) filled(busy [classes]float64, dt float64) [classes]float64 {
	capacity := s.cores * dt
	used := busy[busyClass] + busy[otherClass] + busy[unlisted]
	if used > capacity {
		for class := range busy {
			busy[class] *= capacity / used
		}
	}
	busy[idleClass] = max(capacity-used, 0)
	return busy
}

// bornBusy adds what a machine used before its first sample, if it began since the last scrape
// that has missed it.
func (s *story) bornBusy(q *moment) {
	ran := q.total() / s.cores
	if ran > 0 && ran <= justBorn*s.scrape {
		s.segments = append(s.segments, segment{from: q.at - ran, to: q.at, track: q.track, boot: true, grew: s.filled(q.by, ran)})
	}
}

// once takes back the idle time that a machine has twice while it moves: it is there once.
func (all *total) once(units []*story, from, to float64) {
	var spans []span
	for _, u := range units {
		for _, seg := range u.segments {
			if a, b := max(seg.from, from), min(seg.to, to); a < b {
				spans = append(spans, span{a, b})
			}
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	each, union, end := 0.0, 0.0, math.Inf(-1)
	for _, s := range spans {
		each += s.to - s.from
		union += max(s.to-max(s.from, end), 0)
		end = max(end, s.to)
	}
	if each == 0 || union >= each {
		return
	}
	busy, idle := 0.0, 0.0
	for _, b := range all.sums {
		busy += b.busy
		idle += b.idle
	}
	left := max((busy+idle)*union/each-busy, 0)
	all.seen, all.capacity = busy+left, all.capacity*union/each
	all.cores /= float64(len(units))
	for _, b := range all.sums {
		if idle > 0 {
			b.idle *= left / idle
		}
		b.seen = b.busy + b.idle
	}
}
