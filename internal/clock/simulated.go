// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package clock

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Simulated is a clock whose time passes only when everybody sleeps: it then jumps to the first
// moment at which one of them wants to wake. Its players are the goroutine that creates it and
// the loops given to Run. One of them runs at a time, in an order that depends only on the
// times that they sleep for. Time stands still while a player computes or waits for a socket.
//
// Only players may sleep. A player that waits for another in any way other than Sleep or Run,
// for example for a lock that the other holds while it sleeps, waits for ever.
type Simulated struct {
	mu     sync.Mutex
	now    time.Time
	asleep []*sleeper // in the order in which they fell asleep
	random *rand.Rand // the same numbers in every run
}

type sleeper struct {
	ctx   context.Context
	until time.Time
	wake  <-chan struct{}
	turn  chan struct{} // closed when the sleeper may continue
}

// NewSimulated returns a clock that shows now. The caller is its first player.
func NewSimulated(now time.Time) *Simulated {
	return &Simulated{now: now, random: rand.New(rand.NewPCG(1, 2))}
}

// Now returns the simulated time.
func (s *Simulated) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// Sleep lets other players run. A sleep of 0 lets all run that are due now.
func (s *Simulated) Sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	s.mu.Lock()
	me := s.lieDown(ctx, d, wake)
	s.next()
	s.mu.Unlock()
	<-me.turn
}

// Jitter takes parts that are the same in every run, for players that ask in the same order.
func (s *Simulated) Jitter(d time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return jitter(d, s.random.Int64N)
}

// Run makes each loop a player, in place of the caller, which continues when the last loop
// ends.
func (s *Simulated) Run(loops ...func()) {
	if len(loops) == 0 {
		return
	}
	ended := make(chan struct{})
	left := len(loops)
	s.mu.Lock()
	for _, loop := range loops {
		me := s.lieDown(context.Background(), 0, nil)
		go func() {
			<-me.turn
			loop()
			s.mu.Lock()
			defer s.mu.Unlock()
			if left--; left == 0 {
				close(ended)
				return
			}
			s.next()
		}()
	}
	s.next()
	s.mu.Unlock()
	<-ended
}

func (s *Simulated) lieDown(ctx context.Context, d time.Duration, wake <-chan struct{}) *sleeper {
	me := &sleeper{ctx: ctx, until: s.now.Add(max(d, 0)), wake: wake, turn: make(chan struct{})}
	s.asleep = append(s.asleep, me)
	return me
}

// next lets a player continue: one that was woken, else the first to wake.
func (s *Simulated) next() {
	n := slices.IndexFunc(s.asleep, (*sleeper).woken)
	if n < 0 {
		n = 0
		for i, other := range s.asleep {
			if other.until.Before(s.asleep[n].until) {
				n = i
			}
		}
		if until := s.asleep[n].until; until.After(s.now) {
			s.now = until
		}
	}
	close(s.asleep[n].turn)
	s.asleep = slices.Delete(s.asleep, n, n+1)
}

// woken is called while nobody runs, so everything sent on wake has arrived.
func (l *sleeper) woken() bool {
	if l.ctx.Err() != nil {
		return true
	}
	select {
	case <-l.wake:
		return true
	default:
		return false
	}
}
