// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"cmp"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// gridSource is what the carbon loop remembers of one source between rounds.
type gridSource struct {
	grid    Grid
	every   time.Duration // how often it is polled
	pause   backoff
	paused  time.Time               // no request before
	poll    time.Time               // when the next poll is due, if it is needed
	probe   time.Time               // when it is due if it is not
	spare   bool                    // those before it have all that is needed
	outlook time.Time               // when the next forecast request is due: once a slot, so that each is seen at every lead
	foresaw time.Time               // the slot in which it last had a forecast
	asked   map[time.Time]time.Time // slots before the window, with the time of their last request
	eager   time.Duration           // time to the next poll while intervals have no price
	heard   answers                 // in this round
}

// answers are what a round has heard of a source. Both may be false without an error: then
// nothing was due.
type answers struct {
	forecast, past     bool  // whether there was an answer
	noForecast, noPast error // why there was none
}

// newGridSource returns an empty memory: everything is due.
func newGridSource(g Grid) *gridSource {
	return &gridSource{
		grid: g, every: cmp.Or(g.Terms().Every, pollEvery), pause: backoff{longest: max(5*time.Minute, g.Terms().Every)},
		asked: map[time.Time]time.Time{}, eager: firstPoll,
	}
}

// due is when the next poll is.
func (s *gridSource) due(place int) time.Time {
	if place > 0 && s.spare {
		return s.probe
	}
	return s.poll
}

// polled records an answer.
func (s *gridSource) polled(now time.Time) {
	s.poll, s.probe = now.Add(s.every), now.Add(max(s.every, spareEvery))
}

// mend corrects times in the future, which a wall clock that ran ahead has left.
func (s *gridSource) mend(now time.Time) {
	for _, of := range []struct {
		at   *time.Time
		most time.Duration
	}{{&s.poll, s.every}, {&s.probe, max(s.every, spareEvery)}, {&s.outlook, usage.SlotLength}, {&s.paused, 2 * usage.PatientRetryAfter}} {
		if of.at.After(now.Add(of.most)) {
			*of.at = now
		}
	}
}

// hurry brings the next poll forward while intervals have no price: a minute after the last,
// then two, up to the usual time.
func (s *gridSource) hurry(now time.Time, unpriced bool) {
	switch {
	case !unpriced:
		s.eager = firstPoll
	case s.poll.After(now.Add(s.eager)):
		s.poll = now.Add(s.eager)
		s.eager = min(2*s.eager, s.every)
	}
}

// oldSlots lists the slots before the window that pending intervals lie in and that were not
// requested lately, in order.
func (s *gridSource) oldSlots(pending []usage.Pending, window, now time.Time) (wanted []time.Time) {
	for _, p := range pending {
		for _, piece := range p.Interval.Pieces() {
			slot := usage.SlotAt(piece.Start)
			at, asked := s.asked[slot]
			lately := asked && now.Sub(at) < askOldEvery && !at.After(now)
			if slot.Before(window) && !lately && (len(wanted) == 0 || !wanted[len(wanted)-1].Equal(slot)) {
				wanted = append(wanted, slot)
			}
		}
	}
	return wanted
}
