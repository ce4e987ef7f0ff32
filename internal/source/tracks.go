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

// track is one scraper's view of a host: the series that have all labels in common but core and
// mode. A host usually has one. It has several if a label has changed, if two servers or jobs
// scrape it, or if several machines hide behind one host label.
type track struct {
	series usage.Series
	others []label // the labels that are not for attribution, in the order of their names
	id     string
	cores  map[string]map[string]*points // by core and mode
}

type label struct{ name, value string }

// points are the samples of one series.
type points struct {
	at, v []float64
}

// closeUp is what is known of a host from its raw samples.
type closeUp struct {
	tracks map[string]*track
	mixed  []float64 // times at which its tracks are not those of one machine
	copies int       // tracks that count once together with another
	broken bool      // a sum of cores that grows by no whole number of them
	units  []*story
	has    [classes]bool
	busy   bool // there is no idle time in its counters: see assembleBusy
}

// mixedIn reports whether the tracks are not those of one machine in some time.
func (c *closeUp) mixedIn(from, to float64) bool {
	return slices.ContainsFunc(c.mixed, func(at float64) bool { return at > from && at <= to })
}

// sampledIn reports whether any core has a sample in a time.
func (c *closeUp) sampledIn(from, to float64) bool {
	return slices.ContainsFunc(c.units, func(u *story) bool {
		return slices.ContainsFunc(u.moments, func(m moment) bool { return m.at > from && m.at < to })
	})
}

// last is the time of the newest sample.
func (c *closeUp) last() float64 {
	last := 0.0
	for _, u := range c.units {
		last = max(last, u.moments[len(u.moments)-1].at)
	}
	return last
}

// core is the samples of one core in one track.
type core struct {
	track   *track
	moments []moment
	step    float64 // the usual time between two samples, in seconds
}

// assemble turns tracks into units: every core once, whoever scraped it. Sums repeat the last
// sample for as long as the server looks back: a machine that runs has no two samples alike.
func (c *closeUp) assemble(q Query, coresOf float64, folded bool) {
	classOf := q.classOf()
	tracks := slices.SortedFunc(maps.Values(c.tracks), func(a, b *track) int { return strings.Compare(a.id, b.id) })
	if q.CoresQuery != "" && coresOf > 0 && !countsIdle(tracks, classOf) {
		c.assembleBusy(tracks, classOf, coresOf)
		return
	}
	if q.CoresQuery != "" && coresOf == 0 && standStill(tracks) {
		return // it is switched off
	}
	byName := map[string][]*core{}
	for _, t := range tracks {
		cores := map[string]*core{}
		for name, modes := range t.cores {
			for mode := range modes {
				c.has[classOf(mode)] = true
			}
			moments := momentsOf(modes, classOf, t)
			if folded {
				moments = slices.CompactFunc(moments, func(a, b moment) bool { return a.by == b.by })
			}
			if len(moments) > 0 {
				cores[name] = &core{t, moments, usualStep(moments)}
			}
		}
		dropSums(cores)
		for name, core := range cores {
			byName[name] = append(byName[name], core)
		}
	}
	copies := map[*track]bool{}
	dropWholes(byName, copies)
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		moments := c.layer(byName[name], copies)
		n := 1.0
		if name == foldedCore {
			n = cmp.Or(coresOf, rateOf(moments))
			c.broken = c.broken || n == 0 && len(moments) > 1
		}
		if n > 0 && len(moments) > 0 {
			c.units = append(c.units, tell(unit{n, moments}))
		}
	}
	c.copies = len(copies)
}

// rateOf returns the number of cores that a unit's counters show by how fast they grow; 0 if that
// is no whole number.
func rateOf(moments []moment) float64 {
	var rates []float64
	for i := range len(moments) - 1 {
		if dt := moments[i+1].at - moments[i].at; dt > 0 {
			rates = append(rates, (moments[i+1].total()-moments[i].total())/dt)
		}
	}
	if len(rates) == 0 {
		return 0
	}
	slices.Sort(rates)
	return wholeCores(rates[len(rates)/2])
}

// momentsOf puts the modes of one core beside each other. A mode that appears later had its
// first value before; one that is gone stays where it was.
func momentsOf(modes map[string]*points, classOf func(string) class, t *track) []moment {
	var times []float64
	for _, p := range modes {
		times = append(times, p.at...)
	}
	slices.Sort(times)
	times = slices.Compact(times)
	moments := make([]moment, len(times))
	for i, at := range times {
		moments[i] = moment{at: at, track: t}
	}
	for _, name := range slices.Sorted(maps.Keys(modes)) {
		class, p, j := classOf(name), modes[name], 0
		if len(p.v) == 0 {
			continue
		}
		last := p.v[0]
		for i, at := range times {
			for j < len(p.at) && p.at[j] <= at {
				last = p.v[j]
				j++
			}
			moments[i].by[class] += last
		}
	}
	return moments
}

// dropSums removes what is no core but the sum of the others, or the same as the only other.
func dropSums(cores map[string]*core) {
	if len(cores) < 3 {
		return // of two cores neither is the sum: see sums in query.go for what is named so
	}
	last := map[string]float64{}
	all := 0.0
	for name, c := range cores {
		last[name] = c.moments[len(c.moments)-1].total()
		all += last[name]
	}
	for name, v := range last {
		if v > 0 && math.Abs(v-(all-v)) <= 0.005*v {
			delete(cores, name)
			return
		}
	}
}

// dropWholes removes samples of all cores together where there are those of single cores.
func dropWholes(byName map[string][]*core, copies map[*track]bool) {
	for _, whole := range byName[foldedCore] {
		whole.moments = slices.DeleteFunc(whole.moments, func(m moment) bool {
			for name, single := range byName {
				if name != foldedCore && slices.ContainsFunc(single, func(c *core) bool { return c.covers(m.at) }) {
					copies[whole.track] = true
					return true
				}
			}
			return false
		})
	}
	byName[foldedCore] = slices.DeleteFunc(byName[foldedCore], func(c *core) bool { return len(c.moments) == 0 })
}

// layer puts the samples of one core, from all tracks that have it, into one row. Where two
// have it at the same time they must be copies. Copies with the same labels are one row of
// samples, as if one server had scraped more often; of others, the one that names more counts,
// and the rest where it has none. Tracks that follow each other are joined.
func (c *closeUp) layer(all []*core, copies map[*track]bool) []moment {
	slices.SortStableFunc(all, func(a, b *core) int {
		return cmp.Or(compareSeries(a.track.series, b.track.series), cmp.Compare(b.span(), a.span()), strings.Compare(a.track.id, b.track.id))
	})
	var row []moment
	namesake := map[*track]*track{} // of a copy that names less
	for i, one := range all {
		for _, m := range one.moments {
			covered := false
			for _, above := range all[:i] {
				if !above.covers(m.at) {
					continue
				}
				copies[one.track] = true
				if !above.agrees(&m) {
					c.mixed = append(c.mixed, m.at)
				}
				covered = covered || above.track.series != one.track.series
				if naming(above.track.series) > naming(one.track.series) && namesake[one.track] == nil {
					namesake[one.track] = above.track
				}
			}
			if !covered {
				row = append(row, m)
			}
		}
	}
	slices.SortStableFunc(row, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	for i := range row { // one machine, whoever saw it
		if named := namesake[row[i].track]; named != nil {
			row[i].track = named
		}
		if i > 0 && row[i].track.series == row[i-1].track.series && (copies[row[i].track] || copies[row[i-1].track]) {
			row[i].track = row[i-1].track
		}
	}
	return row
}

// covers reports whether a time lies between two samples without a hole.
func (c *core) covers(at float64) bool {
	i, found := slices.BinarySearchFunc(c.moments, at, func(o moment, t float64) int { return cmp.Compare(o.at, t) })
	return found || i > 0 && i < len(c.moments) && c.moments[i].at-c.moments[i-1].at <= 2.5*c.step
}

// span is rounded, so that a single scrape does not decide.
func (c *core) span() float64 {
	return math.Round((c.moments[len(c.moments)-1].at - c.moments[0].at) / lookBack)
}

// agrees reports whether a sample of another track could be one of this core's: its counters
// lie between those before and after it.
func (c *core) agrees(m *moment) bool {
	i, found := slices.BinarySearchFunc(c.moments, m.at, func(o moment, t float64) int { return cmp.Compare(o.at, t) })
	before, after := c.moments[max(i-1, 0)], c.moments[min(i, len(c.moments)-1)]
	if found {
		before = c.moments[i]
	}
	if after.total() < before.total() {
		return true // a reboot, at either side of which the other may be
	}
	for class := range m.by {
		if m.by[class] < before.by[class]-jitter || m.by[class] > after.by[class]+jitter {
			return false
		}
	}
	return true
}

// differences says how many machines there seem to be, and in which label they differ.
func differences(tracks map[string]*track) string {
	values := map[string]map[string]bool{}
	for _, t := range tracks {
		for _, l := range t.others {
			if values[l.name] == nil {
				values[l.name] = map[string]bool{}
			}
			values[l.name][l.value] = true
		}
	}
	var differ []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if len(values[name]) > 1 {
			differ = append(differ, name)
		}
	}
	text := fmt.Sprintf("%d machines share this host label", len(tracks))
	if len(differ) > 0 {
		text += fmt.Sprintf("; they differ in %s: set prometheus.labels.host to a label of their own", strings.Join(differ, ", "))
	}
	return text
}
