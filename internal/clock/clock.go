// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package clock makes time a value: all waiting goes through a Clock, so that a simulated one
// can run weeks of the program in seconds. It must not know what is waited for. Start with
// Clock; Real is the only code that reads the machine's clock.
package clock

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Clock tells the time and lets callers wait.
type Clock interface {
	Now() time.Time
	// Sleep waits for d, until ctx ends, or until something arrives on wake, which may be nil.
	Sleep(ctx context.Context, d time.Duration, wake <-chan struct{})
	// Jitter returns d less a part of up to half, so that programs which failed together do not
	// come back together.
	Jitter(d time.Duration) time.Duration
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

// Jitter takes a random part.
func (Real) Jitter(d time.Duration) time.Duration { return jitter(d, rand.Int64N) }

func jitter(d time.Duration, below func(n int64) int64) time.Duration {
	return d - time.Duration(below(max(int64(d)/2, 0)+1))
}

// Run gives each loop a goroutine.
func (Real) Run(loops ...func()) {
	var running sync.WaitGroup
	for _, loop := range loops {
		running.Go(loop)
	}
	running.Wait()
}
