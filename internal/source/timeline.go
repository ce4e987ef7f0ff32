// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"math"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// lookBack is how old, in seconds, the newest sample at an edge may be: as old as Prometheus
// lets a sample be by default.
const lookBack = 300.0

// jitter is how many seconds per core the counters of two samples may differ from the time
// between them: a scrape's time is when it began, and a busy machine may answer seconds later.
const jitter = 5.0

// nearBoot is how long before an interval a machine may have booted that is first seen in it,
// in seconds, and still be taken to have run since.
const nearBoot = 600.0

// seldom is how many times longer than an interval scrapes may be apart before all its edges lie
// between two, so that all its neighbours look closer, too.
const seldom = 1.5

// longestDown is how long a reboot may take, in seconds. A machine that is away for longer may
// have run before it booted.
const longestDown = 300.0

// moment is one sample of the counters of a unit.
type moment struct {
	at    float64 // Unix seconds
	by    [classes]float64
	track *track
}

// total is the time of all modes: see grown.total.
func (m *moment) total() float64 {
	return m.by[busyClass] + m.by[idleClass] + m.by[otherClass] + m.by[unlisted]
}

// unit is what has counters of its own: a core or, if the samples are sums, all cores of a
// host together.
type unit struct {
	cores   float64
	moments []moment // ordered by time
}

// segment is a time in which a unit's counters grew by known amounts, taken to be even.
type segment struct {
	from, to float64
	grew     [classes]float64
	track    *track
	hole     bool // scrapes are missing in it
	boot     bool // from the boot to the first sample
	stopped  bool // since it goes on, after it was stopped
}

func (s *segment) total() float64 {
	return s.grew[busyClass] + s.grew[idleClass] + s.grew[otherClass] + s.grew[unlisted]
}

// mark is a time in which counters did what no counter of a running machine does.
type mark struct {
	from, to float64
	reason   usage.DoubtReason // DoubtLeap, DoubtSteppedBack or DoubtHole: nothing is known of it
	by       float64           // seconds; of a step or a leap
}

// story is the life of a unit.
type story struct {
	unit
	segments []segment
	marks    []mark
	scrape   float64   // the usual time between two samples, in seconds
	steps    []float64 // by moment: that time in the rhythm until it; 0: there are too few samples
}

// tell makes segments of a unit's samples. Between two samples the counters may
//
//   - grow by up to cores x time: that is what was used. Less is a machine that was stopped, or
//     a counter that is short of time: see portion;
//   - fall to at most cores x the time between the two: it booted, and everything since then
//     was used by it;
//   - fall to anything else: they stepped back, as in a live migration, and only what lies
//     outside of the step is known;
//   - grow by more: no machine can do that.
//
// Where another track begins another machine may have taken the place, so that neither a fall
// nor a leap means anything.
func tell(u unit) *story {
	s := &story{unit: u, scrape: usualStep(u.moments), steps: stepsOf(u.moments)}
	for i := range u.moments {
		q := &u.moments[i]
		if i == 0 {
			s.born(q)
			continue
		}
		p := &u.moments[i-1]
		dt, d := q.at-p.at, q.total()-p.total()
		hole := dt > 2.5*s.step(i-1)
		slack := u.cores * (tolerance*dt + jitter)
		switch {
		case d < -rounding*u.cores && q.total() <= u.cores*dt+slack:
			boot := max(q.at-q.total()/u.cores, p.at)
			if boot-p.at > longestDown && p.track == q.track {
				s.marks = append(s.marks, mark{p.at, boot, usage.DoubtHole, 0})
			}
			s.segments = append(s.segments, segment{from: boot, to: q.at, grew: q.by, track: q.track, boot: true})
		case d < -jitter*u.cores:
			if p.track == q.track {
				s.marks = append(s.marks, mark{p.at, q.at, usage.DoubtSteppedBack, -d})
			}
		case d > u.cores*dt+slack:
			if p.track == q.track {
				s.marks = append(s.marks, mark{p.at, q.at, usage.DoubtLeap, d})
			}
		case hole && d < u.cores*dt-slack && d >= 0:
			// It was stopped: saved to disk, or a core was taken offline. It used the rest
			// since it goes on.
			from := q.at - d/u.cores
			s.marks = append(s.marks, mark{p.at, from, usage.DoubtHole, 0})
			s.segments = append(s.segments, segment{from: min(from, q.at-1e-3), to: q.at, track: q.track, stopped: true, grew: difference(p, q)})
		default:
			seg := segment{from: p.at, to: q.at, track: q.track, hole: hole, grew: difference(p, q)}
			s.segments = append(s.segments, seg)
		}
	}
	return s
}

func difference(p, q *moment) (d [classes]float64) {
	for c := range d {
		d[c] = q.by[c] - p.by[c]
	}
	return d
}

// born adds what a unit used before its first sample, if it booted shortly before.
func (s *story) born(q *moment) {
	boot := q.at - q.total()/s.cores
	if q.total() > 0 && q.at-boot <= slotSeconds+nearBoot {
		s.segments = append(s.segments, segment{from: boot, to: q.at, grew: q.by, track: q.track, boot: true})
	}
}

var slotSeconds = usage.SlotLength.Seconds()

// position returns the time that an edge has for a unit: that of the newest sample, as the
// server sees it; or, where that sample is too old and another follows, the time at which it
// should have come, so that what was used in a hole is divided; and whether it lies within a
// hole. It depends on the samples around the edge alone, so both its intervals agree.
func (s *story) position(edge, length float64) (at float64, inHole bool) {
	i, found := slices.BinarySearchFunc(s.moments, edge, func(m moment, t float64) int { return cmp.Compare(m.at, t) })
	if found {
		return edge, false
	}
	if i == 0 {
		return edge, false // not born
	}
	age := edge - s.moments[i-1].at
	follows, step := i < len(s.moments), s.step(i-1)
	if follows && (step > seldom*length || age >= lookBack && age < step) {
		return edge, age >= lookBack // no scrape is missing
	}
	if follows && (age >= lookBack || s.steps[i-1] > 0 && age > max(freshFor, overdue*step)) {
		return edge - math.Mod(age, step), true
	}
	if age >= lookBack {
		return edge, false // it died
	}
	return s.moments[i-1].at, false
}

// portion is what a unit used in a piece.
type portion struct {
	by             map[*track]*[classes]float64
	seen, capacity float64
	short          float64 // missing CPU seconds while samples came
	there          bool
	interpolated   bool
	shifted        bool
	since          float64 // start of a hole that ends here
	marks          []mark
}

// live adds the time for which a unit lived in a piece, whatever shift its edges have.
func (p *portion) live(seg *segment, cores, over float64) {
	if over <= 0 {
		return
	}
	p.there = true
	if seg.boot || seg.stopped {
		p.capacity += seg.total() * over / (seg.to - seg.from)
	} else {
		p.capacity += cores * over
	}
}

func (s *story) portion(from, to float64) portion {
	p := portion{by: map[*track]*[classes]float64{}}
	length := to - from
	a, holeA := s.position(from, length)
	b, holeB := s.position(to, length)
	for i := range s.segments {
		seg := &s.segments[i]
		p.live(seg, s.cores, min(seg.to, to)-max(seg.from, from))
		over := min(seg.to, b) - max(seg.from, a)
		if over <= 0 {
			continue
		}
		share := over / (seg.to - seg.from)
		by := p.by[seg.track]
		if by == nil {
			by = &[classes]float64{}
			p.by[seg.track] = by
		}
		for c := range by {
			by[c] += seg.grew[c] * share
		}
		used := seg.total() * share
		p.there = true
		p.seen += used
		if !seg.boot && !seg.stopped {
			p.short += s.cores*over - used
			p.interpolated = p.interpolated || seg.hole && (holeA && seg.from < from || holeB && seg.to > to)
		}
		if (holeA && seg.hole || seg.boot) && seg.from < from && seg.to <= to {
			p.since = seg.from
		}
	}
	p.interpolated = p.interpolated || p.there && s.scrape > seldom*length
	for _, m := range s.marks {
		over := min(m.to, b) - max(m.from, a)
		switch {
		case over <= 0:
		case m.reason != usage.DoubtHole:
			p.there = true
			p.capacity += s.cores * (min(m.to, to) - max(m.from, from))
			p.marks = append(p.marks, m)
		case p.there, m.from > from-lookBack && m.from < to:
			p.there = true
			p.marks = append(p.marks, m) // it may have been off as well
		}
	}
	if b < to && s.moments[len(s.moments)-1].at <= b {
		b = to // it died
	}
	p.shifted = p.there && math.Abs((b-a)-(to-from)) > tolerance*(to-from)
	return p
}
