// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package door

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// places are the requests inside and those that wait, in order of arrival.
type places struct {
	limits Limits

	mu      sync.Mutex
	inside  map[*visit]bool
	of      map[client]int // number inside, by client
	waiting []*visit
	looked  time.Time // time of the last search for stalled ones
}

func newPlaces(l Limits) places {
	return places{limits: l, inside: map[*visit]bool{}, of: map[client]int{}}
}

// enter waits for a place. It returns nil if there is none within the limits, or if the client
// has closed the connection.
func (p *places) enter(ctx context.Context, c client) *visit {
	v := &visit{client: c, let: make(chan bool, 1)}
	p.queue(v)
	select {
	case ok := <-v.let:
		return v.orNil(ok)
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, p.limits.Wait)
	defer cancel()
	tick := time.NewTicker(p.limits.Stall / 4)
	defer tick.Stop()
	for {
		p.dropStalled()
		select {
		case ok := <-v.let:
			return v.orNil(ok)
		case <-tick.C:
		case <-ctx.Done():
			p.turnAway(v)
		}
	}
}

// queue appends a visit to the queue and admits whoever can be. If the queue is too long, the
// client with the most waiting visits loses its last one.
func (p *places) queue(v *visit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = append(p.waiting, v)
	p.admit()
	if len(p.waiting) > p.limits.Waiting {
		p.answer(lastOfBusiest(p.waiting), false)
	}
}

// leave gives up a place.
func (p *places) leave(v *visit) {
	v.end()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free(v)
	p.admit()
}

// turnAway ends the waiting of a visit, if it still waits.
func (p *places) turnAway(v *visit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.Contains(p.waiting, v) {
		p.answer(v, false)
	}
}

// answer tells a waiting visit whether it is admitted.
func (p *places) answer(v *visit, in bool) {
	i := slices.Index(p.waiting, v)
	p.waiting = slices.Delete(p.waiting, i, i+1)
	if in {
		p.inside[v] = true
		p.of[v.client]++
	}
	v.let <- in
}

// free frees the place of a visit that is still inside.
func (p *places) free(v *visit) {
	if !p.inside[v] {
		return // it was cut off
	}
	delete(p.inside, v)
	if p.of[v.client]--; p.of[v.client] == 0 {
		delete(p.of, v.client)
	}
}

// fewestFirst orders by the number that their clients have inside.
func (p *places) fewestFirst(a, b *visit) int { return cmp.Compare(p.of[a.client], p.of[b.client]) }

// admit fills free places: first the clients with the fewest visits inside; of equal ones, the
// first to arrive.
func (p *places) admit() {
	for len(p.waiting) > 0 && len(p.inside) < p.limits.Places {
		next := slices.MinFunc(p.waiting, p.fewestFirst)
		if p.of[next.client] >= p.limits.PerClient {
			return
		}
		p.answer(next, true)
	}
}

// dropStalled cuts off stalled visits, the longest stall first, as many as others wait for. One
// search serves everybody who waits.
func (p *places) dropStalled() {
	p.mu.Lock()
	if time.Since(p.looked) < p.limits.Stall/8 {
		p.mu.Unlock()
		return
	}
	p.looked = time.Now()
	stalled := p.stalled()
	var dropped []*visit
	for _, v := range slices.SortedStableFunc(slices.Values(p.waiting), p.fewestFirst) {
		full := p.of[v.client] >= p.limits.PerClient // only its own would make room
		i := slices.IndexFunc(stalled, func(s *visit) bool { return !full || s.client == v.client })
		if i < 0 {
			continue
		}
		dropped = append(dropped, stalled[i])
		p.free(stalled[i])
		stalled = slices.Delete(stalled, i, i+1)
		p.answer(v, true)
	}
	p.mu.Unlock()
	for _, v := range dropped {
		v.cut()
	}
}

// stalled lists the stalled visits inside, the longest stall first.
func (p *places) stalled() (all []*visit) {
	since := map[*visit]time.Duration{}
	for v := range p.inside {
		if since[v] = v.stalled(); since[v] >= p.limits.Stall {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, func(a, b *visit) int { return cmp.Compare(since[b], since[a]) })
	return all
}

// lastOfBusiest returns the last visit to arrive of the client with the most visits.
func lastOfBusiest(visits []*visit) *visit {
	counts := map[client]int{}
	for _, v := range visits {
		counts[v.client]++
	}
	var last *visit
	for _, v := range visits {
		if last == nil || counts[v.client] >= counts[last.client] {
			last = v
		}
	}
	return last
}
