// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package profiles makes small sites, one for each exporter that a profile is for: the series
// that the exporter shows, with the labels that it has in the wild, and the usage behind them,
// as plain sums. It must not know how the program reads. Start with Site; there is a file for
// each exporter.
package profiles

import (
	"slices"
	"strings"
	"time"
)

// Noon is when the first interval of all sites begins. All times of a site are relative to it.
var Noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// History is how long all sites are recorded.
var History = Span{From: -3 * time.Hour, To: 5 * time.Hour}

// always is longer than the history of any site.
var always = Span{From: -24 * time.Hour, To: 24 * time.Hour}

// Site is what one exporter's site leaves in a Prometheus, and who did what there.
type Site struct {
	Profile string
	Section string // more lines of the section prometheus, without indentation
	Draws   string // the section power; empty: 10 W busy and 1 W idle

	Series []Series
	Every  time.Duration // between scrapes, which come at whole multiples of it; 30s if 0
	Holes  []Span        // in which nothing is scraped
	HoleOf string        // the only job that has them; empty: all
	// Unaligned scrapes come at any time, those of one target together.
	Unaligned bool

	Work []*Work
	Rest []Rest
}

// Power is the section power of the site.
func (s *Site) Power() string {
	if s.Draws == "" {
		return "power: {busy_watts: 10, idle_watts: 1}"
	}
	return "power:\n  " + strings.ReplaceAll(strings.TrimSpace(s.Draws), "\n", "\n  ")
}

// Key is whose usage it is.
type Key struct{ Project, Machine, User string }

// Span is a time from one moment to another.
type Span struct{ From, To time.Duration }

// at is a time after noon.
func at(minutes float64) time.Duration { return time.Duration(minutes * float64(time.Minute)) }

// span is a time between two moments after noon.
func span(from, to float64) Span { return Span{at(from), at(to)} }

// and is what two spans have in common.
func (s Span) and(o Span) Span {
	return Span{max(s.From, o.From), max(min(s.To, o.To), s.From, o.From)}
}

func (s Span) seconds() float64 { return (s.To - s.From).Seconds() }

func (s Span) holds(t time.Duration) bool { return s.From <= t && t < s.To }

// Pace is a time in which a counter grows steadily.
type Pace struct {
	Span
	Rate float64 // CPU seconds in a second
}

// Work is what cores do for somebody while they are there. They are idle when they are not busy.
type Work struct {
	Key   Key
	Life  []Span // always, if there is none
	Cores float64
	Busy  []Pace
	// Slacks are more moments, beside the ends of its life, about which nobody sees all of it.
	Slacks []time.Duration
}

// busy returns work at one pace.
func busy(rate float64) []Pace { return []Pace{{always, rate}} }

// grown is how far counters of some paces have grown in a time.
func grown(paces []Pace, in Span) (sum float64) {
	for _, p := range paces {
		sum += p.Rate * p.and(in).seconds()
	}
	return sum
}

// In returns the CPU seconds of some work in a time. Somebody may be busy with more cores than
// they asked for, and has no idle ones then.
func (w *Work) In(s Span) (busy, idle float64) {
	life := w.Life
	if life == nil {
		life = []Span{always}
	}
	var there float64
	for _, l := range life {
		there += l.and(s).seconds()
		busy += grown(w.Busy, l.and(s))
	}
	return busy, max(w.Cores*there-busy, 0)
}

// Rest is what is left of a machine's work by those who have shares of it.
type Rest struct {
	Key    Key
	Of     *Work
	Shares []*Work
}

// Slack returns by how much what is seen may be off, of those who came or went about a time: of
// who is gone nobody has seen what they did since the last scrape, and for how long they had
// their cores is known to a minute.
func (s *Site) Slack(in Span) map[Key]Amount {
	all := map[Key]Amount{}
	about := Span{in.From - time.Minute, in.To + time.Minute}
	add := func(k Key, w *Work) {
		moments := slices.Clone(w.Slacks)
		for _, l := range w.Life {
			moments = append(moments, l.From, l.To)
		}
		for _, moment := range moments {
			if !about.holds(moment) {
				continue
			}
			busy := 0.0
			for _, p := range w.Busy {
				busy = max(busy, p.Rate)
			}
			lost, kept := busy*s.every().Seconds(), max(w.Cores, busy)*time.Minute.Seconds()
			all[k] = Amount{all[k].Busy + lost, all[k].Idle + lost + kept}
		}
	}
	for _, w := range s.Work {
		if len(s.Rest) > 0 || w.Slacks != nil {
			add(w.Key, w)
		}
	}
	for _, r := range s.Rest {
		add(r.Key, &Work{Cores: r.Of.Cores, Busy: r.Of.Busy, Slacks: r.Of.Slacks})
		for _, w := range r.Shares {
			add(r.Key, w)
		}
	}
	return all
}

func (s *Site) every() time.Duration {
	if s.Every == 0 {
		return 30 * time.Second
	}
	return s.Every
}

// Amount is CPU seconds.
type Amount struct{ Busy, Idle float64 }

// Truth returns who used what in a time.
func (s *Site) Truth(in Span) map[Key]Amount {
	all := map[Key]Amount{}
	add := func(k Key, busy, idle float64) {
		if busy != 0 || idle != 0 {
			all[k] = Amount{all[k].Busy + busy, all[k].Idle + idle}
		}
	}
	for _, w := range s.Work {
		busy, idle := w.In(in)
		add(w.Key, busy, idle)
	}
	for _, r := range s.Rest {
		busy, idle := r.Of.In(in)
		for _, w := range r.Shares {
			b, i := w.In(in)
			busy, idle = busy-b, idle-i
		}
		add(r.Key, busy, idle)
	}
	return all
}
