// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// reach is where a host was last seen before, and first seen after, the row of pieces: an
// interval in which that sample lies. Its length is 0 if there is none.
type reach struct {
	before, after usage.Interval
}

// search finds the other ends of holes that begin before, or end after, the row of pieces.
func (l *look) search(ctx context.Context, open map[string][]int) (map[string]reach, error) {
	t := l.table
	var back, forth []string
	for _, name := range slices.Sorted(maps.Keys(open)) {
		h := t.hosts[name]
		if slices.ContainsFunc(open[name], func(piece int) bool { before, _ := t.nearest(h, piece); return before < 0 && !h.known(piece) }) {
			back = append(back, name)
		}
		if slices.ContainsFunc(open[name], func(piece int) bool { _, after := t.nearest(h, piece); return after < 0 }) {
			forth = append(forth, name)
		}
	}
	step := max(t.pieces[0].Length, minFarStep)
	all := farthest / step * step
	first, last := t.pieces[0].Start, t.pieces[len(t.pieces)-1].End()
	far := map[string]reach{}
	err := l.seen(ctx, back, grid{first.Add(-all), first.Add(-step), step}, func(host string, times []float64) {
		r := far[host]
		r.before = usage.Interval{Start: atSeconds(slices.Max(times)), Length: step}
		far[host] = r
	})
	if err != nil {
		return nil, err
	}
	return far, l.seen(ctx, forth, grid{last.Add(step), last.Add(all), step}, func(host string, times []float64) {
		r := far[host]
		r.after = usage.Interval{Start: atSeconds(slices.Min(times)).Add(-step), Length: step}
		far[host] = r
	})
}

// seen asks at which moments hosts are seen.
func (l *look) seen(ctx context.Context, hosts []string, when grid, found func(host string, times []float64)) error {
	q := l.table.query
	for some := range inQueries(hosts, maxInQuery) {
		s := &seenSink{times: map[string][]float64{}}
		err := l.client.ask(ctx, when, q.seen(some), []string{q.Labels.Host}, s)
		if l.table.alone && hasRefused(err) {
			continue // the other end of a hole stays unknown
		}
		if err != nil {
			return err
		}
		for host, times := range s.times {
			found(host, times)
		}
	}
	return nil
}

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
func (l *look) plan(open map[string][]int, far map[string]reach) ([]group, error) {
	byWindows := map[string]*group{}
	var order []string
	spots := 0
	for _, host := range slices.Sorted(maps.Keys(open)) {
		windows := l.windows(host, open[host], far[host])
		if spots += l.cost(windows); spots > l.left {
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

// windows returns the times of which the raw samples of a host are needed, joined where they
// touch: the open pieces, and those in which its last sample before and its first after them
// lie.
func (l *look) windows(host string, pieces []int, far reach) []usage.Interval {
	t := l.table
	h := t.hosts[host]
	needed := map[int]bool{}
	ends := map[usage.Interval]bool{}
	for _, piece := range pieces {
		before, after := t.nearest(h, piece)
		unborn := before < 0 && far.before.Length == 0 && after != piece+1 // it may have booted before it is seen
		if !h.there(piece) && (unborn || after < 0 && far.after.Length == 0) {
			continue // or dead
		}
		needed[piece] = h.there(piece)
		switch {
		case h.known(piece): // by a sample at most as old as the server looks back
		case before >= 0:
			needed[before] = true
		case far.before.Length > 0:
			ends[far.before] = true
		}
		switch { // the sample after an edge, even where one before it is known: that may be old
		case after >= 0:
			needed[after] = true
		case far.after.Length > 0:
			ends[far.after] = true
		}
	}
	var all []usage.Interval
	for i := range t.pieces {
		if needed[i] {
			all = append(all, t.pieces[i])
		}
	}
	all = append(all, slices.Collect(maps.Keys(ends))...)
	slices.SortFunc(all, func(a, b usage.Interval) int { return a.Start.Compare(b.Start) })
	var joined []usage.Interval
	for _, w := range all {
		if n := len(joined); n > 0 && !w.Start.After(joined[n-1].End()) && w.End().Sub(joined[n-1].Start) <= longestWindow {
			joined[n-1].Length = max(joined[n-1].Length, w.End().Sub(joined[n-1].Start))
			continue
		}
		joined = append(joined, w)
	}
	return joined
}
