// Package clock makes time a value: what the program waits for goes through a
// Clock, so that weeks of it can be rehearsed in seconds by a simulated one. It
// must not know what is waited for. Start with Clock; Real is the only place
// that reads the machine's clock.
package clock

import (
	"context"
	"sync"
	"time"
)

// Clock tells the time and lets time pass.
type Clock interface {
	Now() time.Time
	// Sleep waits for d, until ctx ends or until something comes through wake, which
	// may be nil.
	Sleep(ctx context.Context, d time.Duration, wake <-chan struct{})
	// Run runs loops side by side and returns when all have ended.
	Run(loops ...func())
}

// Real is the machine's clock.
type Real struct{}

// Now is the time in the machine's own zone.
func (Real) Now() time.Time { return time.Now() }

// Sleep follows the monotonic clock, which does not notice when the wall clock is
// set: whoever waits for a time of day sleeps a minute at most and looks again.
func (Real) Sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-wake:
	}
}

// Run gives each loop a goroutine.
func (Real) Run(loops ...func()) {
	var running sync.WaitGroup
	for _, loop := range loops {
		running.Go(loop)
	}
	running.Wait()
}
