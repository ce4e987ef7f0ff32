// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package clock

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// clocks runs a test on both clocks; the real one in a bubble.
func clocks(t *testing.T, test func(t *testing.T, c Clock)) {
	t.Run("simulated", func(t *testing.T) { test(t, NewSimulated(start)) })
	t.Run("real", func(t *testing.T) { synctest.Test(t, func(t *testing.T) { test(t, Real{}) }) })
}

func TestSleep(t *testing.T) {
	full := make(chan struct{}, 1)
	closed := make(chan struct{})
	close(closed)
	ended, end := context.WithCancel(t.Context())
	end()
	for _, s := range []struct {
		name  string
		ctx   context.Context
		sleep time.Duration
		wake  func() <-chan struct{}
		want  time.Duration
	}{
		{"an hour", t.Context(), time.Hour, func() <-chan struct{} { return nil }, time.Hour},
		{"no time", t.Context(), 0, func() <-chan struct{} { return nil }, 0},
		{"less than no time", t.Context(), -time.Hour, func() <-chan struct{} { return nil }, 0},
		{"woken before", t.Context(), time.Hour, func() <-chan struct{} { full <- struct{}{}; return full }, 0},
		{"never woken", t.Context(), time.Hour, func() <-chan struct{} { return full }, time.Hour},
		{"a channel that is closed", t.Context(), time.Hour, func() <-chan struct{} { return closed }, 0},
		{"a context that has ended", ended, time.Hour, func() <-chan struct{} { return nil }, 0},
	} {
		t.Run(s.name, func(t *testing.T) {
			c := NewSimulated(start)
			c.Sleep(s.ctx, s.sleep, s.wake())
			if got := c.Now().Sub(start); got != s.want {
				t.Errorf("simulated: slept %s, want %s", got, s.want)
			}
		})
	}
	if len(full) != 0 {
		t.Error("a wake was not taken")
	}
}

func TestPlayersMeetAtTheTimesTheyAskedFor(t *testing.T) {
	clocks(t, func(t *testing.T, c Clock) {
		var mu sync.Mutex
		var got []string
		began := c.Now()
		every := func(name string, d time.Duration, n int) func() {
			return func() {
				for range n {
					c.Sleep(t.Context(), d, nil)
					mu.Lock()
					got = append(got, fmt.Sprintf("%s %s", name, c.Now().Sub(began)))
					mu.Unlock()
				}
			}
		}
		c.Run(every("a", 3*time.Minute, 3), every("b", 4*time.Minute, 2), func() {
			c.Run(every("inner", 5*time.Minute, 1), every("inner", 7*time.Minute, 1))
			every("after inner", time.Minute, 1)()
		})
		want := []string{"a 3m0s", "b 4m0s", "inner 5m0s", "a 6m0s", "inner 7m0s", "b 8m0s", "after inner 8m0s", "a 9m0s"}
		// The order at 8 minutes is the machine's, with the real clock.
		if got[5] == "after inner 8m0s" {
			got[5], got[6] = got[6], got[5]
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		if now := c.Now().Sub(began); now != 9*time.Minute {
			t.Errorf("ends after %s", now)
		}
	})
}

func TestOneWakesAnotherAndEndsIt(t *testing.T) {
	clocks(t, func(t *testing.T, c Clock) {
		began := c.Now()
		wake := make(chan struct{}, 1)
		ctx, end := context.WithCancel(t.Context())
		var woke []time.Duration
		c.Run(func() {
			for ctx.Err() == nil {
				c.Sleep(ctx, 1000*time.Hour, wake)
				woke = append(woke, c.Now().Sub(began))
			}
		}, func() {
			for range 2 {
				c.Sleep(t.Context(), time.Hour, nil)
				wake <- struct{}{}
			}
			c.Sleep(t.Context(), time.Hour, nil)
			end()
			c.Sleep(t.Context(), time.Hour, nil)
		})
		if want := []time.Duration{time.Hour, 2 * time.Hour, 3 * time.Hour}; !reflect.DeepEqual(woke, want) {
			t.Errorf("woke after %v, want %v", woke, want)
		}
		if now := c.Now().Sub(began); now != 4*time.Hour {
			t.Errorf("ends after %s", now)
		}
	})
}

// TestASleepOfNoTimeIsTheLast: whoever looks at what others do at a time sleeps
// until then, and once more for no time.
func TestASleepOfNoTimeIsTheLast(t *testing.T) {
	c := NewSimulated(start)
	var got []string
	wake := make(chan struct{}, 1)
	c.Run(func() {
		c.Sleep(t.Context(), time.Hour, nil)
		c.Sleep(t.Context(), 0, nil)
		got = append(got, "looks")
	}, func() {
		c.Sleep(t.Context(), time.Hour, nil)
		got = append(got, "works")
		wake <- struct{}{}
		c.Sleep(t.Context(), time.Second, nil)
		got = append(got, "works on")
	}, func() {
		c.Sleep(t.Context(), 2*time.Hour, wake)
		got = append(got, "is woken")
	})
	if want := []string{"works", "is woken", "looks", "works on"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestPlayersTakeTurns would be a data race if two ran at a time, and another
// order if anything but the times asked for decided it.
func TestPlayersTakeTurns(t *testing.T) {
	play := func() (said []int) {
		c := NewSimulated(start)
		var loops []func()
		for n := range 20 {
			loops = append(loops, func() {
				for i := range 50 {
					said = append(said, n)
					c.Sleep(t.Context(), time.Duration((n*7+i*3)%11)*time.Second, nil)
				}
			})
		}
		c.Run(loops...)
		return said
	}
	first := play()
	if len(first) != 20*50 {
		t.Fatalf("%d turns", len(first))
	}
	for range 5 {
		if !reflect.DeepEqual(play(), first) {
			t.Fatal("another order")
		}
	}
}

// TestEndedFromOutside: a signal ends a rehearsal.
func TestEndedFromOutside(t *testing.T) {
	c := NewSimulated(start)
	ctx, end := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer end()
	loop := func() {
		for ctx.Err() == nil {
			c.Sleep(ctx, time.Minute, nil)
		}
	}
	c.Run(loop, loop)
}

func TestRunOfNothing(t *testing.T) {
	clocks(t, func(_ *testing.T, c Clock) { c.Run() })
}

// TestJitter: a simulated clock jitters alike in every run, the machine's does not.
func TestJitter(t *testing.T) {
	waits := func(c Clock) (all []time.Duration) {
		for range 20 {
			all = append(all, c.Jitter(time.Hour))
		}
		return all
	}
	for name, c := range map[string]Clock{"real": Real{}, "simulated": NewSimulated(start)} {
		for _, d := range waits(c) {
			if d < time.Hour/2 || d > time.Hour {
				t.Errorf("%s: %v, want between half an hour and an hour", name, d)
			}
		}
		if d := c.Jitter(0); d != 0 {
			t.Errorf("%s: 0 becomes %v", name, d)
		}
	}
	if one, other := waits(NewSimulated(start)), waits(NewSimulated(start)); !reflect.DeepEqual(one, other) {
		t.Errorf("two simulated clocks: %v and %v", one, other)
	}
	if one, other := waits(Real{}), waits(Real{}); reflect.DeepEqual(one, other) {
		t.Errorf("the machine's clock: twice %v", one)
	}
}
