// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// inQueries divides hosts among queries.
func inQueries(hosts []string, most int) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for len(hosts) > 0 {
			n, bytes := 0, 0
			for n < min(most, len(hosts)) && (n == 0 || bytes+len(hosts[n]) <= maxNameBytes) {
				bytes += len(hosts[n])
				n++
			}
			if !yield(hosts[:n]) {
				return
			}
			hosts = hosts[n:]
		}
	}
}

// group are hosts that are asked for together, and the time that is asked for.
type group struct {
	hosts   []string
	windows []usage.Interval
}

// plan puts hosts that need the same windows together.
func (l *look) plan(open map[string][]int, far *sights) ([]group, error) {
	byWindows := map[string]*group{}
	var order []string
	spots := 0
	for _, host := range slices.Sorted(maps.Keys(open)) {
		windows, most := l.windows(host, open[host], far)
		if spots += l.cost(windows); spots > l.left || l.each > 0 && most > l.each {
			if !l.table.alone {
				return nil, &usage.Failure{Reason: usage.ReasonLimit, TooLarge: true, Detail: fmt.Sprintf("%d hosts need a closer look", len(open))}
			}
			l.giveUp(host, open[host], fmt.Sprintf("%d hosts need a closer look at once", len(open)))
			continue
		}
		key := keyOf(windows)
		if byWindows[key] == nil {
			byWindows[key] = &group{windows: windows}
			order = append(order, key)
		}
		byWindows[key].hosts = append(byWindows[key].hosts, host)
	}
	l.left -= min(spots, l.left)
	most := atOnce
	if l.folded {
		most = foldedAtOnce
	}
	most = l.client.looksAtOnce(most, l.table.pieces[0].Length)
	var groups []group
	for _, key := range order {
		g := byWindows[key]
		for some := range inQueries(g.hosts, min(max(most/max(l.cost(g.windows), 1), 1), maxInQuery)) {
			groups = append(groups, group{some, g.windows})
		}
	}
	return groups, nil
}

// windows returns the times of which the raw samples of a host are needed for some pieces, and for how
// many pieces of hosts that makes one of these stand with those before it.
func (l *look) windows(host string, pieces []int, far *sights) (windows []usage.Interval, most int) {
	if l.spent == nil {
		l.spent = make([]int, len(l.table.pieces))
	}
	for _, piece := range pieces {
		needed := l.needs(host, piece, far)
		l.spent[piece] += l.cost(needed)
		windows, most = append(windows, needed...), max(most, l.spent[piece])
	}
	return joinedWindows(windows), most
}

// cost is how many pieces windows are.
func (l *look) cost(windows []usage.Interval) (pieces int) {
	for _, w := range windows {
		pieces += max(int(w.Length/l.table.pieces[0].Length), 1)
	}
	return pieces
}

// keyOf tells windows apart. An interval as text has no length.
func keyOf(windows []usage.Interval) string {
	var key strings.Builder
	for _, w := range windows {
		fmt.Fprint(&key, w, w.Length)
	}
	return key.String()
}

// needs returns the times of which the raw samples of a host are needed for a piece: the piece, and
// those in which its last sample before and its first after it lie. They are the same in whatever run
// the piece is read, and nothing else is used for it: see closeUp.within.
func (l *look) needs(host string, piece int, far *sights) (all []usage.Interval) {
	t := l.table
	h := t.hosts[host]
	before, after := t.nearest(h, piece)
	beyond := far.reach(t, host, piece)
	unborn := before < 0 && beyond.before.Length == 0 && after != piece+1 // it may have booted before it is seen
	if !h.there(piece) && (unborn || after < 0 && beyond.after.Length == 0) {
		return nil // or dead
	}
	switch {
	case h.known(piece): // by a sample at most as old as the server looks back
	case before >= 0:
		all = append(all, t.pieces[before])
	case beyond.before.Length > 0:
		all = append(all, beyond.before)
	}
	if h.there(piece) {
		all = append(all, t.pieces[piece])
	}
	switch { // the sample after an edge, even where one before it is known: that may be old
	case after >= 0:
		all = append(all, t.pieces[after])
	case beyond.after.Length > 0:
		all = append(all, beyond.after)
	}
	return all
}

// joinedWindows joins times where they touch.
func joinedWindows(all []usage.Interval) (joined []usage.Interval) {
	slices.SortFunc(all, func(a, b usage.Interval) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Length, b.Length))
	})
	for _, w := range all {
		if n := len(joined); n > 0 && !w.Start.After(joined[n-1].End()) && w.End().Sub(joined[n-1].Start) <= longestWindow {
			joined[n-1].Length = max(joined[n-1].Length, w.End().Sub(joined[n-1].Start))
			continue
		}
		joined = append(joined, w)
	}
	return joined
}
