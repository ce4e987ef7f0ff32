// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Pacer keeps the requests to a server apart that wants time between them, whichever feeds send
// them: a server counts what comes from one address, and does not know our chains.
type Pacer struct {
	mu    sync.Mutex
	lanes map[string]*lane
}

// lane is where requests go one behind the other.
type lane struct {
	free  chan struct{} // holds one token while nobody asks
	asked time.Time     // when the last request ended; who has the token may look
}

// turn waits until a request may be sent. Who got its turn calls done after the request.
func (p *Pacer) turn(ctx context.Context, address string, terms usage.Terms, now func() time.Time) (done func(), err error) {
	l := p.lane(laneOf(address, terms.GapByPath))
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.free:
	}
	if err := pause(ctx, l.asked.Add(terms.Gap).Sub(now())); err != nil {
		l.free <- struct{}{}
		return nil, err
	}
	return func() {
		l.asked = now()
		l.free <- struct{}{}
	}, nil
}

func (p *Pacer) lane(name string) *lane {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lanes == nil {
		p.lanes = map[string]*lane{}
	}
	l := p.lanes[name]
	if l == nil {
		l = &lane{free: make(chan struct{}, 1)}
		l.free <- struct{}{}
		p.lanes[name] = l
	}
	return l
}

// laneOf is what a server counts by: all that it is asked, or each path on its own. Nothing of a
// query or a password is kept.
func laneOf(address string, byPath bool) string {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return ""
	case byPath:
		return u.Host + u.Path
	}
	return u.Host
}

// pause waits, no longer than a minute: a clock may have been set back.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(min(d, time.Minute))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
