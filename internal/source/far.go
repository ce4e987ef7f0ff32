// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// sights are the moments at which hosts are seen far from an open piece, in Unix seconds.
type sights struct {
	back, forth map[string][]float64
	step        time.Duration
}

// reach is where a host was last seen before, and first seen after a piece and those beside it: an
// interval in which that sample lies. Its length is 0 if there is none.
type reach struct {
	before, after usage.Interval
}

// search finds the other ends of holes that reach beyond the pieces beside an open one.
func (l *look) search(ctx context.Context, open map[string][]int) (*sights, error) {
	t := l.table
	var back, forth []string
	first, last := len(t.pieces), 0
	for _, name := range slices.Sorted(maps.Keys(open)) {
		h := t.hosts[name]
		first, last = min(first, slices.Min(open[name])), max(last, slices.Max(open[name]))
		if slices.ContainsFunc(open[name], func(piece int) bool { before, _ := t.nearest(h, piece); return before < 0 && !h.known(piece) }) {
			back = append(back, name)
		}
		if slices.ContainsFunc(open[name], func(piece int) bool { _, after := t.nearest(h, piece); return after < 0 }) {
			forth = append(forth, name)
		}
	}
	far := &sights{step: farStep(t.pieces[0].Length)}
	from, ahead := t.beyond(first, far.step)
	behind, to := t.beyond(last, far.step)
	from.last, to.first = behind.last, ahead.first
	var err error
	if far.back, err = l.seen(ctx, back, from); err == nil {
		far.forth, err = l.seen(ctx, forth, to)
	}
	return far, err
}

// farStep is how far the moments of a search are apart.
func farStep(length time.Duration) time.Duration {
	return max(length, minFarStep/length*length)
}

// beyond returns the moments at which a host is searched that is not seen in a piece, nor beside it.
// They are the same for a piece in whatever run it is.
func (t *edges) beyond(piece int, step time.Duration) (back, forth grid) {
	begin, end := t.pieces[max(piece-t.beside, 0)].Start, t.pieces[min(piece+t.beside, len(t.pieces)-1)].End()
	all := farthest / step * step
	before, after := begin.Add(step-1).Truncate(step), end.Truncate(step)
	return grid{before.Add(-all), before, step}, grid{after.Add(step), after.Add(all), step}
}

// seen asks at which moments hosts are seen.
func (l *look) seen(ctx context.Context, hosts []string, when grid) (map[string][]float64, error) {
	q, all := l.table.query, map[string][]float64{}
	for some := range inQueries(hosts, maxInQuery) {
		s := &seenSink{times: map[string][]float64{}}
		err := l.client.ask(ctx, when, q.seen(some), []string{q.Labels.Host}, s)
		if l.table.alone && hasRefused(err) {
			continue // the other end of a hole stays unknown
		}
		if err != nil {
			return nil, err
		}
		maps.Copy(all, s.times)
	}
	return all, nil
}

// reach returns what was found of a host around a piece.
func (s *sights) reach(t *edges, host string, piece int) (r reach) {
	back, forth := t.beyond(piece, s.step)
	newest, earliest := 0.0, 0.0
	for _, at := range s.back[host] {
		if at >= seconds(back.first) && at <= seconds(back.last) {
			newest = max(newest, at)
		}
	}
	for _, at := range s.forth[host] {
		if at >= seconds(forth.first) && at <= seconds(forth.last) && (earliest == 0 || at < earliest) {
			earliest = at
		}
	}
	if newest > 0 {
		r.before = usage.Interval{Start: atSeconds(newest), Length: s.step}
	}
	if earliest > 0 {
		r.after = usage.Interval{Start: atSeconds(earliest).Add(-s.step), Length: s.step}
	}
	return r
}
