// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// rememberFor is for how long, in seconds, a refusal is taken to last.
const rememberFor = 6 * 3600.0

// memory is what closer looks have shown of hosts that will be the same in the next interval,
// so that they are not looked at closely in each: those that were refused for a reason that
// does not go away by itself, and how often those are scraped that are scraped seldom.
type memory struct {
	mu     sync.Mutex
	hosts  map[string]refusal
	scrape map[string]beat
}

// every remembers how often a host is scraped.
func (m *memory) every(host string, b beat) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case b.every*overdue <= freshFor:
		delete(m.scrape, host)
	case len(m.scrape) < maxHosts:
		if m.scrape == nil {
			m.scrape = map[string]beat{}
		}
		m.scrape[host] = b
	}
}

// scraped tells a table how often its hosts are scraped.
func (m *memory) scraped(t *edges) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for host, b := range m.scrape {
		if h := t.hosts[host]; h != nil {
			h.beat = b
		}
	}
}

// often is how many looks must have ended alike before the next is spared.
const often = 3

type refusal struct {
	outcome
	looks int     // that ended so, one after the other
	ratio float64 // CPU seconds of all modes over cores x time, at the edges
	at    float64 // Unix seconds
}

// recall takes out of open what is remembered, and returns it.
func (m *memory) recall(t *edges, open map[string][]int) map[spot]outcome {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := map[spot]outcome{}
	for name, pieces := range open {
		r, ok := m.hosts[name]
		if !ok || r.looks < often {
			continue
		}
		rest := make([]int, 0, len(pieces))
		for _, piece := range pieces {
			ratio, whole := t.ratio(t.hosts[name], piece)
			if !whole || math.Abs(ratio-r.ratio) > tolerance*r.ratio || math.Abs(t.edge(piece+1)-r.at) > rememberFor {
				rest = append(rest, piece)
				continue
			}
			o := outcome{cores: t.hosts[name].cores(piece)}
			known[spot{name, piece}] = refuse(o, t, r.reason, r.detail)
		}
		if open[name] = rest; len(rest) == 0 {
			delete(open, name)
		}
	}
	return known
}

// keep remembers refusals, and forgets those of hosts that are well.
func (m *memory) keep(t *edges, looked map[spot]outcome) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hosts == nil {
		m.hosts = map[string]refusal{}
	}
	newest := t.edge(len(t.pieces))
	maps.DeleteFunc(m.hosts, func(_ string, r refusal) bool { return newest-r.at > 2*rememberFor })
	order := slices.SortedFunc(maps.Keys(looked), func(a, b spot) int { return cmp.Compare(a.piece, b.piece) })
	for _, s := range order {
		o := looked[s]
		ratio, whole := t.ratio(t.hosts[s.host], s.piece)
		// Copies of a host that is well look as if it had more than its cores, and not less.
		lasts := o.state == usage.HostRefused && (o.reason == usage.DoubtShort && ratio < 1-tolerance || o.reason == usage.DoubtMixed) && whole
		if !lasts || len(m.hosts) >= maxHosts {
			delete(m.hosts, s.host)
			continue
		}
		was := m.hosts[s.host]
		m.hosts[s.host] = refusal{o, was.looks + 1, ratio, max(was.at, t.edge(s.piece+1))}
	}
}

// ratio is how much a host's counters grew between the edges of a piece, over cores x time. It
// is known if all of its label sets are there at both.
func (t *edges) ratio(h *hostSets, piece int) (float64, bool) {
	var sum grown
	for _, s := range h.sets {
		g := t.grown(s, piece)
		if g.state == partly || g.state == rejected {
			return 0, false
		}
		sum.add(g)
	}
	cores := h.cores(piece)
	return sum.total() / (cores * t.length), cores > 0 && sum.has[busyClass]
}
