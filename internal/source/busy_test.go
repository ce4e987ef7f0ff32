// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"fmt"
	"math"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// works is samples of busy time alone: a minute apart, some seconds used in each.
type works struct {
	at, counter float64
	track       *track
	moments     []moment
}

func worksFrom(at, counter float64) *works {
	w := &works{at: at, counter: counter, track: &track{}}
	return w.see()
}

func (w *works) see() *works {
	m := moment{at: minute(w.at), track: w.track}
	m.by[busyClass] = w.counter
	w.moments = append(w.moments, m)
	return w
}

// until lets it run with a sample each minute, busy for some seconds in each.
func (w *works) until(at, busy float64) *works {
	for w.at < at {
		w.at++
		w.counter += busy
		w.see()
	}
	return w
}

func (w *works) unseen(at, busy float64) *works {
	w.counter += busy * (at - w.at)
	w.at = at
	return w
}

func (w *works) anew(counter float64) *works {
	w.at++
	w.counter = counter
	return w.see()
}

func (w *works) elsewhere() *works {
	w.track = &track{}
	return w
}

// Two cores, so that a minute has 120 core seconds.
func TestBusyTimeAlone(t *testing.T) {
	type piece struct {
		busy, idle float64
		how        string
	}
	steady := piece{busy: 900, idle: 2700}
	for _, test := range []struct {
		name string
		life *works
		want [2]piece // from 12:00 and from 12:30
	}{
		{"it is there throughout", worksFrom(-30, 5000).until(90, 30), [2]piece{steady, steady}},
		{"it is there and does nothing", worksFrom(-30, 5000).until(90, 0), [2]piece{{idle: 3600}, {idle: 3600}}},
		{"it begins at minute 10", worksFrom(10, 30).until(90, 30), [2]piece{{busy: 630, idle: 1800}, steady}},
		{"it is first seen at minute 10, and began long before", worksFrom(10, 5000).until(90, 30), [2]piece{{busy: 600, idle: 1800}, steady}},
		{"it ends at minute 20", worksFrom(-30, 5000).until(20, 30), [2]piece{{busy: 600, idle: 1800}, {}}},
		{"it moves at minute 10 to where its counter is new", worksFrom(-30, 5000).until(10, 30).anew(20).until(90, 30), [2]piece{{busy: 890, idle: 2710}, steady}},
		{"it is switched off at minute 10, and stays listed", worksFrom(-30, 5000).until(10, 30).anew(0).until(90, 0), [2]piece{{busy: 300, idle: 900}, {}}},
		{"scrapes are missing over an edge", worksFrom(-30, 5000).until(20, 30).unseen(40, 60).see().until(90, 30), [2]piece{{600 + 600, 3600 - 1200, "interpolated"}, {600 + 600, 3600 - 1200, "interpolated"}}},
		{"it is stopped for six minutes", worksFrom(-30, 5000).until(10, 30).unseen(15, 0).anew(60).until(90, 30), [2]piece{{300 + 60 + 14*30, 900 + 14*90, "hole"}, steady}},
		{"it moves in a hole", worksFrom(-30, 5000).until(10, 30).unseen(15, 0).elsewhere().anew(100).until(90, 30), [2]piece{{300 + 100 + 14*30, 3600 - 820, ""}, steady}},
		{"its hypervisor works for it, too", worksFrom(-30, 5000).until(90, 126), [2]piece{{busy: 3600}, {busy: 3600}}},
		{"its counter leaps", worksFrom(-30, 5000).until(10, 30).anew(90_000).until(90, 30), [2]piece{{870, 2610, "leap"}, steady}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := tellBusy(unit{2, test.life.moments})
			for i, want := range test.want {
				p := s.portion(minute(float64(30*i)), minute(float64(30*(i+1))))
				var got piece
				for _, by := range p.by {
					got.busy += by[busyClass]
					got.idle += by[idleClass]
				}
				if p.interpolated {
					got.how = "interpolated"
				}
				for _, m := range p.marks {
					got.how += string(m.reason)
				}
				got.busy, got.idle = math.Round(got.busy), math.Round(got.idle)
				if got != want {
					t.Errorf("piece %d: got %+v, want %+v", i, got, want)
				}
				if p.short > 1e-6 || p.short < -1e-6 {
					t.Errorf("piece %d: %g s are missing", i, p.short)
				}
			}
		})
	}
}

// busyQuestion is of counters without mode and core.
func busyQuestion() Query {
	q := question()
	q.Labels.CPU, q.Labels.Mode, q.CoresQuery = "", "", "cores"
	return q
}

func busyCloseUp(all ...*works) *closeUp {
	c := &closeUp{tracks: map[string]*track{}}
	for i, w := range all {
		p := &points{}
		for _, m := range w.moments {
			p.at, p.v = append(p.at, m.at), append(p.v, m.by[busyClass])
		}
		t := &track{series: isis, id: fmt.Sprint(i), cores: map[string]map[string]*points{"": {"": p}}}
		c.tracks[t.id] = t
	}
	c.assemble(busyQuestion(), 2, false)
	return c
}

func TestAMachineThatMoves(t *testing.T) {
	for _, test := range []struct {
		name       string
		seen       []*works
		busy, idle float64 // in the half hour from noon
		copies     int
	}{
		{"one place", []*works{worksFrom(-30, 5000).until(60, 30)}, 900, 2700, 0},
		{"two scrapers of one place", []*works{worksFrom(-30, 5000).until(60, 30), worksFrom(-29.5, 5015).until(60, 30)}, 900, 2700, 1},
		{"the new place is seen when the old one is not any more", []*works{worksFrom(-30, 5000).until(10, 30), worksFrom(11, 20).until(60, 30)}, 890, 2710, 0},
		{"both places are seen for five minutes", []*works{worksFrom(-30, 5000).until(15, 30), worksFrom(11, 1).until(15, 0).until(60, 30)}, 450 + 1 + 450, 3600 - 901, 0},
		{"the old place stays listed, and stands still", []*works{worksFrom(-30, 5000).until(10, 30).until(60, 0), worksFrom(10, 10).until(60, 30)}, 300 + 10 + 600, 3600 - 910, 0},
		{"it moves away and back", []*works{worksFrom(-30, 5000).until(10, 30), worksFrom(11, 30).until(20, 30), worksFrom(21, 30).until(60, 30)}, 900, 2700, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := busyCloseUp(test.seen...)
			sum := c.total(minute(0), minute(30))
			b := sum.sums[isis]
			if b == nil || math.Abs(b.busy-test.busy) > 0.5 || math.Abs(b.idle-test.idle) > 0.5 || c.copies != test.copies {
				t.Errorf("got %+v and %d copies, want %v busy, %v idle and %d", b, c.copies, test.busy, test.idle, test.copies)
			}
			if reason, detail := sum.refused(2); reason != "" {
				t.Errorf("is refused: %s %s", reason, detail)
			}
			if reason, detail := c.unusable(minute(0), minute(30)); reason != "" {
				t.Errorf("is unusable: %s %s", reason, detail)
			}
		})
	}
}

// What the edges say where there is no idle time.
func TestBusyTimeAtTheEdges(t *testing.T) {
	counter := func(values ...string) string { return series("a", "", every(noonEnd-3600, values)) }
	for _, test := range []struct {
		name            string
		counters, cores string
		want            []usage.Sample
		doubts          string
	}{
		{name: "it is idle for the rest of its cores", counters: counter("0", "1000", "1900", "2800"), cores: inPieces("a", "2", "2", "2"), want: []usage.Sample{sample("a", 900, 2700)}},
		{name: "it is switched off", counters: counter("5", "5", "5", "5"), cores: inPieces("a")},
		{name: "it is busy, and its cores are not known", counters: counter("0", "1000", "1900", "2800"), cores: inPieces("a"), doubts: "a refused no_cores"},
		{name: "a little more than its cores allow", counters: counter("0", "3700", "7400", "11100"), cores: inPieces("a", "2", "2", "2"), want: []usage.Sample{sample("a", 3600, 0)}},
		{name: "much more than its cores allow", counters: counter("0", "3700", "11100", "14800"), cores: inPieces("a", "2", "2", "2"), doubts: "a refused not_looked"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &server{counters: says(matrix(test.counters)), cores: says(matrix(test.cores))}
			c := s.client(t)
			c.Query = busyQuestion()
			answer, _, err := c.Read(t.Context(), halfHour)
			readings := answer.All()
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(readings[0].Samples); got != fmt.Sprint(test.want) && len(readings[0].Samples)+len(test.want) > 0 {
				t.Errorf("got %s, want %v", got, test.want)
			}
			if got := doubts(readings[0]); got != test.doubts {
				t.Errorf("doubts %q, want %q", got, test.doubts)
			}
		})
	}
}
