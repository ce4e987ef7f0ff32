// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
)

// Scrape is one who scrapes a machine: a Prometheus of a pair, or a job.
type Scrape struct {
	Every, Offset time.Duration     // 30s and 7s
	Jitter        time.Duration     // each scrape comes so much later at most
	Labels        map[string]string // replace labels of the machine's series; an empty value removes one
	Holes         []Hole
	// Silent is an agent, or a remote write: a series that is gone just ends, without the mark
	// that Prometheus sets.
	Silent bool
	Total  string // there is a series for all cores together too, with this value as its core
	Only   bool   // and none for each core
	// See changes a value on its way; NaN loses it.
	See func(core int, mode string, at time.Duration, v float64) float64
}

// Hole is a time in which scrapes fail: a series ends with a mark at the first of them, unless
// the one who scrapes was itself away.
type Hole struct {
	From, To time.Duration
	Unmarked bool
}

// track is what one scrape stores as one series.
type track struct {
	series  *engine.Series
	samples []engine.Sample
	seen    int // number of the last scrape that had it
}

// Record appends to an engine what is kept of the machines, or only the samples that are
// chosen; nil: all.
func (w *World) Record(ctx context.Context, e *engine.Engine, chosen func(m *Machine, at time.Duration) bool) error {
	for i, m := range w.Machines {
		scrapes := m.Scrapes
		if scrapes == nil {
			scrapes = []Scrape{{}}
		}
		for j, s := range scrapes {
			random := rand.New(rand.NewPCG(w.Seed, uint64(i)<<32|uint64(j)|hash(m.Name)))
			for _, track := range w.tracks(m, s, random) {
				samples := track.samples
				if chosen != nil {
					samples = slices.DeleteFunc(samples, func(sample engine.Sample) bool {
						return !chosen(m, time.UnixMilli(sample.T).Sub(w.Noon))
					})
				}
				if err := e.Append(ctx, track.series, samples...); err != nil {
					return fmt.Errorf("machine %q: %w", m.Name, err)
				}
			}
		}
	}
	return nil
}

func hash(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return h.Sum64()
}

// tracks runs all scrapes of one machine by one of those who scrape it.
func (w *World) tracks(m *Machine, s Scrape, random *rand.Rand) []*track {
	if s.Every == 0 {
		s.Every, s.Offset = 30*time.Second, s.Offset+7*time.Second
	}
	all := &tracks{known: map[string]*track{}}
	pages := map[int][]line{}
	stretches := w.stretches(m)
	scrape := 0
	for at := w.From - w.From%s.Every + s.Offset; at < w.To; at += s.Every {
		if at < w.From {
			continue
		}
		t := at
		if s.Jitter > 0 {
			t += time.Duration(random.Int64N(int64(s.Jitter))).Truncate(time.Millisecond)
		}
		if s.away(t) {
			continue
		}
		scrape++
		ms := w.Noon.Add(t).UnixMilli()
		if n := current(stretches, t); n >= 0 && !stretches[n].off && !s.fails(t) {
			if pages[n] == nil {
				pages[n] = w.page(all, stretches[n], s)
			}
			for _, line := range pages[n] {
				if v := line.value(m, stretches[n], s, t); !math.IsNaN(v) {
					line.seen = scrape
					line.samples = append(line.samples, engine.Sample{T: ms, V: v})
				}
			}
		}
		if s.Silent {
			continue
		}
		for _, gone := range all.order {
			if gone.seen == scrape-1 { // the last one had it
				gone.samples = append(gone.samples, engine.Sample{T: ms, V: engine.Stale()})
			}
		}
	}
	return all.order
}

// Shows reports whether a machine answers somebody who scrapes it at a time.
func (w *World) Shows(m *Machine, at time.Duration) bool {
	stretches := w.stretches(m)
	n := current(stretches, at)
	return n >= 0 && !stretches[n].off && (m.Scrapes == nil || slices.ContainsFunc(m.Scrapes, func(s Scrape) bool { return !s.fails(at) }))
}

func (s Scrape) away(at time.Duration) bool {
	return slices.ContainsFunc(s.Holes, func(h Hole) bool { return h.Unmarked && h.From <= at && at < h.To })
}

func (s Scrape) fails(at time.Duration) bool {
	return slices.ContainsFunc(s.Holes, func(h Hole) bool { return h.From <= at && at < h.To })
}

func current(stretches []stretch, at time.Duration) int {
	return slices.IndexFunc(stretches, func(s stretch) bool { return s.from <= at && at < s.to })
}

// tracks are the series that one scrape has had.
type tracks struct {
	known map[string]*track
	order []*track
}

func (t *tracks) of(labels map[string]string) *track {
	key := fmt.Sprint(labels) // in order of the names
	found := t.known[key]
	if found == nil {
		found = &track{series: engine.NewSeries(labels)}
		t.known[key] = found
		t.order = append(t.order, found)
	}
	return found
}

// line is one of a page that a machine shows: a counter, or the sum of a mode.
type line struct {
	*track
	core int // -1: all
	mode string
}

// page returns the lines that a scrape sees in a stretch.
func (w *World) page(all *tracks, now stretch, s Scrape) (page []line) {
	common := maps.Clone(now.labels)
	maps.Copy(common, s.Labels)
	add := func(core int, name, mode string) {
		l := maps.Clone(common)
		l["__name__"], l[w.Shape.CPU], l[w.Shape.Mode] = w.Shape.Metric, name, mode
		if _, set := l["job"]; !set {
			l["job"] = "node"
		}
		page = append(page, line{track: all.of(l), core: core, mode: mode})
	}
	for _, mode := range slices.Sorted(maps.Keys(now.load)) {
		for core := range now.cores {
			if !s.Only {
				add(core, w.Shape.Core(core), mode)
			}
		}
		if s.Total != "" || s.Only {
			add(-1, s.Total, mode)
		}
	}
	return page
}

func (l line) value(m *Machine, now stretch, s Scrape, at time.Duration) float64 {
	var v float64
	if l.core >= 0 {
		v = m.counter(now, l.core, l.mode, at)
	} else {
		for core := range now.cores {
			v += m.counter(now, core, l.mode, at)
		}
	}
	if s.See != nil {
		v = s.See(l.core, l.mode, at, v)
	}
	return v
}
