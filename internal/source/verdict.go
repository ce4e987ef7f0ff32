// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// outcome is what a host used in a piece according to its raw samples.
func (l *look) outcome(c *closeUp, host string, piece int) (o outcome) {
	t, h := l.table, l.table.hosts[host]
	from, to := t.edge(piece), t.edge(piece+1)
	o.cores = h.cores(piece)
	if c == nil {
		if o.cores > 0 || h.known(piece) && h.known(piece+1) {
			return refuse(o, t, usage.DoubtNotLooked, "the server gives no raw samples of it")
		}
		return o
	}
	if reason, detail := c.unusable(from, to); reason != "" {
		return refuse(o, t, reason, detail)
	}
	sum := c.total(from, to)
	o.final = c.last() > to
	if !sum.hole {
		if lawful, _ := t.judge(h, piece); lawful.state == usage.HostExact {
			lawful.final, lawful.booked = o.final, slices.Clone(lawful.booked)
			return lawful // whatever happened between the edges, it was undone
		}
	}
	// Where most hosts have copies, each core is counted once, and such a host is exact by its edges.
	if all := o.cores * t.length; !sum.hole && c.copies > 0 && all > 0 && math.Abs(sum.seen-all) <= tolerance*all {
		o.copies, o.seen, o.capacity, o.booked = c.copies, sum.seen, all, sum.booked()
		o.state = usage.HostExact
		return o
	}
	o.cores, o.copies, o.since = cmp.Or(o.cores, sum.cores), c.copies, sum.since
	o.seen, o.capacity = sum.seen, sum.capacity
	o.holes = c.holesIn(from, to)
	if !sum.there {
		if o.cores == 0 || !h.there(piece) {
			return outcome{final: o.final}
		}
		o.capacity = 0
	}
	if reason, detail := sum.refused(o.cores); reason != "" {
		return refuse(o, t, reason, detail)
	}
	o.booked = sum.booked()
	if sum.shifted && o.seen > 0 {
		o.seen = o.capacity // the rest is booked next door
	}
	o.state = usage.HostExact
	if o.reason, o.detail = sum.doubt(); o.reason != "" {
		o.state = usage.HostInterpolated
	}
	return o
}

// unusable says why nothing can be made of a host's samples in a time, if so.
func (c *closeUp) unusable(from, to float64) (usage.DoubtReason, string) {
	switch {
	case c.mixedIn(from, to), c.busy && c.severalIn(from, to):
		return usage.DoubtMixed, differences(c.tracks)
	case c.broken:
		return usage.DoubtNoCores, "no label of the core, and it grows by no whole number of cores. Set cores_query"
	case len(c.units) > 0 && !c.has[busyClass]:
		return usage.DoubtHalf, "no busy mode"
	case len(c.units) > 0 && !c.has[idleClass] && !c.busy:
		return usage.DoubtNoCores, "no idle mode, so its cores are not known"
	}
	return "", ""
}

// total is what all units of a host used in a piece.
type total struct {
	portion
	cores float64 // that were there
	hole  bool    // an edge lies in a hole
	sums  map[usage.Series]*booked
}

func (c *closeUp) total(from, to float64) total {
	all := total{sums: map[usage.Series]*booked{}}
	for _, u := range c.units {
		_, before := u.position(from, to-from)
		_, after := u.position(to, to-from)
		all.hole = all.hole || before || after
		p := u.portion(from, to)
		if p.there {
			all.cores += u.cores
		}
		p.marks = slices.DeleteFunc(p.marks, func(m mark) bool { // a core was offline, the machine was there
			return m.reason == usage.DoubtHole && c.sampledIn(m.from+u.scrape, m.to-u.scrape)
		})
		all.add(&p)
	}
	if c.busy && len(c.units) > 1 {
		all.once(c.units, from, to)
	}
	return all
}

func (all *total) add(p *portion) {
	all.there = all.there || p.there
	all.interpolated = all.interpolated || p.interpolated
	all.shifted = all.shifted || p.shifted
	all.short += p.short
	all.seen += p.seen
	all.capacity += p.capacity
	all.marks = append(all.marks, p.marks...)
	if p.since > 0 && (all.since == 0 || p.since < all.since) {
		all.since = p.since
	}
	tracks := slices.SortedFunc(maps.Keys(p.by), func(a, b *track) int { return strings.Compare(a.id, b.id) })
	for _, track := range tracks { // a sum depends on its order in the last digit
		by := p.by[track]
		b := all.sums[track.series]
		if b == nil {
			b = &booked{series: track.series}
			all.sums[track.series] = b
		}
		b.busy += by[busyClass]
		b.idle += by[idleClass]
		b.seen += by[busyClass] + by[idleClass] + by[otherClass] + by[unlisted]
	}
}

// refused says why a host's time cannot be right, if so.
func (all *total) refused(cores float64) (usage.DoubtReason, string) {
	if i := slices.IndexFunc(all.marks, func(m mark) bool { return m.reason == usage.DoubtLeap }); i >= 0 {
		m := all.marks[i]
		return usage.DoubtLeap, fmt.Sprintf("its counters grew by %.0f s in %.0f s", m.by, m.to-m.from)
	}
	slack := max(tolerance*all.capacity, jitter*cores)
	seen := fmt.Sprintf("its counters show %.0f of %.0f CPU seconds", all.seen, all.capacity)
	switch {
	case all.short > slack:
		return usage.DoubtShort, seen
	case -all.short > slack:
		return usage.DoubtLeap, seen
	}
	return "", ""
}

// booked lists what each label set used.
func (all *total) booked() (list []booked) {
	for _, s := range slices.SortedFunc(maps.Keys(all.sums), compareSeries) {
		b := all.sums[s]
		list = append(list, booked{s, max(b.busy, 0), max(b.idle, 0), b.seen})
	}
	return list
}

// doubt says why a host is not exact, if so.
func (all *total) doubt() (usage.DoubtReason, string) {
	if i := slices.IndexFunc(all.marks, func(m mark) bool { return m.reason == usage.DoubtSteppedBack }); i >= 0 {
		by := 0.0
		for _, m := range all.marks {
			by += m.by
		}
		return usage.DoubtSteppedBack, fmt.Sprintf("its counters stepped back by %.0f s; what it used in that scrape interval is not booked", by)
	}
	switch {
	case all.interpolated:
		return usage.DoubtHole, "an edge of the interval lies in a hole; what it used in the hole is spread evenly"
	case len(all.marks) > 0:
		return usage.DoubtHole, "it booted or went on in a hole; what it used before is not known"
	case all.shifted:
		return usage.DoubtHole, "its newest sample at an edge is old; the time between belongs to the next interval"
	}
	return "", ""
}

// there reports whether a host is seen at an edge of a piece or between.
func (h *hostSets) there(piece int) bool {
	return h.cores(piece) > 0 || h.known(piece) || h.known(piece+1)
}

// sampled reports whether a host has samples in a piece. At an edge the server may look back for
// one of before.
func (h *hostSets) sampled(piece int) bool {
	counted := h.given != nil || slices.ContainsFunc(h.sets, func(s *labelSet) bool { return s.cores != nil })
	return h.cores(piece) > 0 || !counted && h.there(piece)
}
