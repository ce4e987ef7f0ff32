package clock

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Simulated is a clock whose time passes only when everybody sleeps: it then jumps
// to the moment at which the first of them wants to wake. The goroutine that makes
// it and the loops given to Run are its players, and one of them runs at a time, in
// an order that depends on nothing but the times asked for. Time stands still
// while a player computes or waits for a socket.
//
// Only players may sleep. A player that waits for another in any other way than by
// Sleep or Run, for example for a lock that the other holds while it sleeps, waits
// for ever.
type Simulated struct {
	mu     sync.Mutex
	now    time.Time
	asleep []*sleeper // in the order in which they went to sleep
}

type sleeper struct {
	ctx   context.Context
	until time.Time
	wake  <-chan struct{}
	turn  chan struct{} // closed when it may go on
}

// NewSimulated is a clock that stands at a time. The caller is its first player.
func NewSimulated(now time.Time) *Simulated { return &Simulated{now: now} }

// Now is the simulated time.
func (s *Simulated) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// Sleep lets others run. A sleep of no time lets all run that are to run now.
func (s *Simulated) Sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	s.mu.Lock()
	me := s.lieDown(ctx, d, wake)
	s.next()
	s.mu.Unlock()
	<-me.turn
}

// Run makes a player of each loop and gives them the caller's turn. The last of
// them to end gives it back.
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

// next gives the turn to whoever has been woken, else to the first to wake.
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

// woken is asked while nobody runs: what was sent through wake has been sent.
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
