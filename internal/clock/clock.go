// Package clock makes time a value: all waiting goes through a Clock, so that a simulated one
// can run weeks of the program in seconds. It must not know what is waited for. Start with
// Clock; Real is the only code that reads the machine's clock.
package clock

import (
	"context"
	"sync"
	"time"
)

// Clock tells the time and lets callers wait.
type Clock interface {
	Now() time.Time
	// Sleep waits for d, until ctx ends, or until something arrives on wake, which may be nil.
	Sleep(ctx context.Context, d time.Duration, wake <-chan struct{})
	// Run runs loops concurrently and returns when all have ended.
	Run(loops ...func())
}

// Real is the machine's clock.
type Real struct{}

// Now returns the time in the machine's own zone.
func (Real) Now() time.Time { return time.Now() }

// Sleep follows the monotonic clock, which does not notice when the wall clock is set. To wait
// for a time of day, sleep a minute at most and look again.
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
