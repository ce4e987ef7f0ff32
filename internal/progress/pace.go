// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package progress

import "time"

const (
	// window is how far back the rate looks: long enough to be steady, short enough
	// to follow a server that slows down.
	window = 30 * time.Second
	// fewest is the smallest number of steps to look at, so that the rate of large,
	// slow steps does not jump.
	fewest = 5
	// most is how many steps are kept; closer ones are merged.
	most = 64
	// early is the time at the start without a rate, as it would be random.
	early = 2 * time.Second
)

// pace is the rate of the recent past.
type pace struct {
	start time.Time
	steps []step // by time; the window starts at the first
}

type step struct {
	at   time.Time
	done int
}

func begin(now time.Time) pace { return pace{start: now, steps: []step{{at: now}}} }

func (p *pace) add(now time.Time, done int) {
	last := &p.steps[len(p.steps)-1]
	if len(p.steps) > fewest && now.Sub(last.at) < window/most {
		// Close enough to be the same step.
		last.done = done
		return
	}
	p.steps = append(p.steps, step{at: now, done: done})
	for len(p.steps) > fewest+1 && (now.Sub(p.steps[1].at) >= window || len(p.steps) > most) {
		p.steps = p.steps[1:]
	}
}

// perSecond is the rate over the window that ends now, if there is one yet: not at the
// start, and not before anything was done.
func (p *pace) perSecond(now time.Time) (float64, bool) {
	first, last := p.steps[0], p.steps[len(p.steps)-1]
	if now.Sub(p.start) < early || last.done == first.done || !now.After(first.at) {
		return 0, false
	}
	return float64(last.done-first.done) / now.Sub(first.at).Seconds(), true
}

// left is the remaining time at the current rate.
func (p *pace) left(now time.Time, rest int) (time.Duration, bool) {
	rate, ok := p.perSecond(now)
	if !ok || rest < 0 {
		return 0, false
	}
	seconds := float64(rest) / rate
	if seconds > longest.Seconds() {
		return longest, true
	}
	return time.Duration(seconds * float64(time.Second)), true
}
