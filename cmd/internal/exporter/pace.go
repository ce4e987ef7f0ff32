// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"sync"
	"time"
)

const (
	// cheap is how long publishing may take that is done with every change. It takes longer from
	// some ten thousand keys on.
	cheap = 200 * time.Millisecond
	// gather is how long dear publishing waits for more changes: an interval is stored, priced and
	// settled in several transactions.
	gather = 3 * time.Second
	// share is the part of the time that dear publishing may take while one change follows another,
	// as when catching up; longest is how long it waits at most.
	share   = 10
	longest = time.Minute
)

// pace says when changes are published. What is cheap is published at once. What is dear waits until
// everything due is done, or a while if that takes long. The last change is always published.
type pace struct {
	late chan struct{} // rings when something waits that may have to be published by the clock

	mu      sync.Mutex
	took    time.Duration // by the last time
	next    time.Time     // not before
	waiting bool
}

func newPace() *pace { return &pace{late: make(chan struct{}, 1)} }

// now reports whether a change is published now. Otherwise it waits.
func (p *pace) now(at time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.took <= cheap {
		return true
	}
	if !p.waiting {
		p.waiting = true
		if soon := at.Add(gather); p.next.Before(soon) {
			p.next = soon
		}
		select {
		case p.late <- struct{}{}:
		default:
		}
	}
	return false
}

// due is how long what waits has to wait yet; false: nothing waits.
func (p *pace) due(at time.Time) (in time.Duration, waiting bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.next.Sub(at), 0), p.waiting
}

// dear reports whether publishing took long the last time.
func (p *pace) dear() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.took > cheap
}

// begin is to be called before the store is read: what changes from then on waits anew.
func (p *pace) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = false
}

// end is to be called when publishing has ended.
func (p *pace) end(began, ended time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took = ended.Sub(began)
	p.next = ended.Add(min((share-1)*p.took, longest))
}
