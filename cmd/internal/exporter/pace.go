// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"sync"
	"time"
)

const (
	// few are so few keys that publishing them is done with every change, however long it takes on
	// a busy machine: usually a tenth of a second.
	few = 5_000
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
	took    time.Duration // by the last time; 0: there are few keys
	next    time.Time     // not before
	waiting bool
}

func newPace() *pace { return &pace{late: make(chan struct{}, 1)} }

// now reports whether a change is published now. Otherwise it waits.
func (p *pace) now(at time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.took == 0 {
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

// dear reports whether there were many keys the last time.
func (p *pace) dear() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.took > 0
}

// begin is to be called before the store is read: what changes from then on waits anew.
func (p *pace) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = false
}

// end is to be called when so many keys were published.
func (p *pace) end(keys int, began, ended time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.took = 0; keys > few {
		p.took = max(ended.Sub(began), time.Millisecond) // a simulated clock may stand still
	}
	p.next = ended.Add(min((share-1)*p.took, longest))
}
