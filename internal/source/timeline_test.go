// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// life is the samples of one core, made step by step. Times are minutes after noon.
type life struct {
	track   *track
	at      float64
	by      [classes]float64
	moments []moment
}

func lifeFrom(at, counter float64) *life {
	l := &life{track: &track{}, at: at}
	l.by[busyClass], l.by[idleClass] = counter/4, counter*3/4
	return l.see()
}

func (l *life) see() *life {
	l.moments = append(l.moments, moment{at: minute(l.at), by: l.by, track: l.track})
	return l
}

// runs lets it run until then with a sample each minute, a quarter busy.
func (l *life) runs(until float64) *life {
	for l.at+1 <= until {
		l.unseen(l.at + 1).see()
	}
	return l
}

// unseen lets it run until then without a sample.
func (l *life) unseen(until float64) *life {
	l.by[busyClass] += 15 * (until - l.at)
	l.by[idleClass] += 45 * (until - l.at)
	l.at = until
	return l
}

// off lets time pass for which the counters stand still.
func (l *life) off(until float64) *life {
	l.at = until
	return l
}

// shifts adds to the counters.
func (l *life) shifts(by float64) *life {
	l.by[busyClass] += by / 2
	l.by[idleClass] += by / 2
	return l
}

// boots sets the counters to 0.
func (l *life) boots() *life {
	l.by = [classes]float64{}
	return l
}

// changes is another track from here on.
func (l *life) changes() *life {
	l.track = &track{}
	return l
}

func TestTheLifeOfACore(t *testing.T) {
	type piece struct {
		seen, capacity float64
		how            string // interpolated, shifted, and the reasons of marks
	}
	full := piece{seen: 1800, capacity: 1800}
	for _, test := range []struct {
		name string
		life *life
		want [4]piece // from 11:30, 12:00, 12:30 and 13:00
	}{
		{"it runs", lifeFrom(-60, 5000).runs(120), [4]piece{full, full, full, full}},
		{"it is born at minute 10", lifeFrom(10.5, 30).runs(120), [4]piece{{}, {1170, 1200, ""}, full, full}},
		{"it is born at minute 10, seen from minute 20 on", lifeFrom(20, 600).runs(120), [4]piece{{}, {1200, 1200, ""}, full, full}},
		{"it is first seen at minute 10, and began long before", lifeFrom(10, 5000).runs(120), [4]piece{{}, {1200, 1200, ""}, full, full}},
		{"it has not used anything when it is first seen", lifeFrom(10, 0).runs(120), [4]piece{{}, {1200, 1200, ""}, full, full}},
		{"it dies at minute 20", lifeFrom(-60, 5000).runs(20), [4]piece{full, {1200, 1200, ""}, {}, {}}},
		{"it dies two minutes before the end", lifeFrom(-60, 5000).runs(28), [4]piece{full, {1680, 1680, ""}, {}, {}}},
		{"it reboots at minute 10", lifeFrom(-60, 5000).runs(10).off(10.5).boots().runs(120), [4]piece{full, {1740, 1770, ""}, full, full}},
		{"it reboots within its first hour", lifeFrom(-60, 0).runs(10).off(11.25).boots().runs(120), [4]piece{full, {1680, 1725, ""}, full, full}},
		{"it is off for eight minutes", lifeFrom(-60, 5000).runs(10).off(18).boots().runs(120), [4]piece{full, {1320, 1320, "hole"}, full, full}},
		{"it is off over an edge", lifeFrom(-60, 5000).runs(20).off(40).boots().runs(120), [4]piece{full, {1200, 1200, "hole"}, {1200, 1200, "hole"}, full}},
		{"it is saved to disk for an hour", lifeFrom(-60, 5000).runs(10).off(70).runs(120), [4]piece{full, {600, 600, "hole"}, {}, {1200, 1200, "hole"}}},
		{"it is stopped for a while, and scrapes see that", stopped(lifeFrom(-60, 5000).runs(10), 10).runs(120), [4]piece{full, {1200, 1800, ""}, full, full}},
		{"its counters step back", lifeFrom(-60, 50_000).runs(10).shifts(-1000).runs(120), [4]piece{full, {1740, 1800, "stepped_back"}, full, full}},
		{"its counters leap", lifeFrom(-60, 5000).runs(10).shifts(4000).runs(120), [4]piece{full, {1740, 1800, "leap"}, full, full}},
		{"a dip of rounding size", lifeFrom(-60, 50_000).runs(10).shifts(-61).runs(120), [4]piece{full, {1739, 1800, ""}, full, full}},
		{"another machine takes its place, long since booted", lifeFrom(-60, 5000).runs(10).changes().shifts(90_000).runs(120), [4]piece{full, {1740, 1740, ""}, full, full}},
		{"another machine takes its place, booted a while ago", lifeFrom(-60, 90_000).runs(10).changes().shifts(-80_000).runs(120), [4]piece{full, {1740, 1740, ""}, full, full}},
		{"a label changes", lifeFrom(-60, 5000).runs(10).changes().runs(120), [4]piece{full, full, full, full}},
		{"scrapes are missing within an interval", lifeFrom(-60, 5000).runs(5).unseen(20).runs(120), [4]piece{full, full, full, full}},
		{"scrapes are missing over an edge", lifeFrom(-60, 5000).runs(20).unseen(40).runs(120), [4]piece{full, {1800, 1800, "interpolated"}, {1800, 1800, "interpolated"}, full}},
		{"scrapes are missing over three intervals", lifeFrom(-60, 5000).runs(-10).unseen(70).runs(120), [4]piece{{1800, 1800, "interpolated"}, {1800, 1800, "interpolated"}, {1800, 1800, "interpolated"}, {1800, 1800, "interpolated"}}},
		{"two scrapes are missing at an edge", lifeFrom(-60, 5000).runs(28).unseen(31).runs(120), [4]piece{full, {1800, 1800, "interpolated"}, {1800, 1800, "interpolated"}, full}},
		{"one scrape is missing at an edge", lifeFrom(-60, 5000).runs(29).unseen(31).runs(120), [4]piece{full, {1740, 1800, "shifted"}, {1860, 1800, "shifted"}, full}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := tell(unit{1, test.life.moments})
			for i, want := range test.want {
				from, to := minute(float64(30*(i-1))), minute(float64(30*i))
				p := s.portion(from, to)
				how := ""
				if p.interpolated {
					how += "interpolated"
				}
				if p.shifted {
					how += "shifted"
				}
				for _, m := range p.marks {
					how += string(m.reason)
				}
				if got := (piece{math.Round(p.seen), math.Round(p.capacity), how}); got != want {
					t.Errorf("piece %d: got %v, want %v", i, got, want)
				}
				if p.there != (want.capacity > 0) {
					t.Errorf("piece %d: there is %v", i, p.there)
				}
			}
		})
	}
}

// stopped is a life in which samples come and the counters stand still for some minutes.
func stopped(l *life, minutes int) *life {
	for range minutes {
		l.off(l.at + 1).see()
	}
	return l
}

// Its time in a hole is divided between the intervals, and each knows where the hole began.
func TestTimeInAHoleIsDividedEvenly(t *testing.T) {
	l := lifeFrom(-60, 5000).runs(20)
	l.at = 40
	l.by[busyClass] += 900 // all of it, of 1200 s
	l.by[idleClass] += 300
	s := tell(unit{1, l.see().runs(120).moments})
	first, second := s.portion(minute(0), minute(30)), s.portion(minute(30), minute(60))
	if a, b := first.by[l.track][busyClass], second.by[l.track][busyClass]; a != 20*15+450 || b != 20*15+450 {
		t.Errorf("got %v and %v busy seconds", a, b)
	}
	if first.since != 0 || second.since != minute(20) {
		t.Errorf("the hole begins at %v and %v", first.since, second.since)
	}
}

// An edge is the same for both its intervals.
func TestTheTimeOfAnEdge(t *testing.T) {
	for _, test := range []struct {
		name   string
		life   *life
		want   float64 // minutes after noon
		inHole bool
	}{
		{"a sample is at it", lifeFrom(-10, 0).runs(10), 0, false},
		{"the newest sample", lifeFrom(-10.5, 0).runs(10), -0.5, false},
		{"a minute old, with a hole behind it", lifeFrom(-10, 0).runs(-1).unseen(1).see().runs(10), -1, false},
		{"three minutes old, with a hole behind it", lifeFrom(-10, 0).runs(-2.9).unseen(1).see().runs(10), 0, true},
		{"four minutes old, with a hole behind it", lifeFrom(-10, 0).runs(-4).unseen(20).see().runs(30), 0, true},
		{"older than the server looks back", lifeFrom(-30, 0).runs(-5).unseen(1).see().runs(10), 0, true},
		{"not born", lifeFrom(1, 0).runs(10), 0, false},
		{"dead for a minute", lifeFrom(-10, 0).runs(-1), -1, false},
		{"dead for long", lifeFrom(-30, 0).runs(-5), 0, false},
		{"the last of all", lifeFrom(-10, 0).runs(0), 0, false},
	} {
		s := tell(unit{1, test.life.moments})
		at, inHole := s.position(minute(0), 1800)
		if inHole {
			test.want = 0
		}
		if at != minute(test.want) || inHole != test.inHole {
			t.Errorf("%s: got minute %v, in a hole: %v", test.name, (at-minute(0))/60, inHole)
		}
	}
}

// A machine of several cores, whose samples are sums, is one core of so many times the speed.
func TestSumsOfCores(t *testing.T) {
	l := lifeFrom(-60, 5000).runs(10).boots().off(11).runs(120)
	for i := range l.moments {
		for c := range l.moments[i].by {
			l.moments[i].by[c] *= 4
		}
	}
	if p := tell(unit{4, l.moments}).portion(minute(0), minute(30)); p.seen != 4*1740 || p.short != 0 {
		t.Errorf("got %+v", p)
	}
}

// random is a life of anything that machines do.
func random(r *rand.Rand) *life {
	l := lifeFrom(-60+60*r.Float64(), []float64{0, 30, 5000}[r.IntN(3)])
	for l.at < 150 {
		next := l.at + 40*r.Float64()
		switch r.IntN(8) {
		case 0:
			l.off(l.at + 10*r.Float64()).boots().unseen(l.at + r.Float64()).see()
		case 1:
			l.unseen(next).see()
		case 2:
			l.off(next).see()
		case 3:
			l.unseen(l.at + 1).shifts(-500).see()
		case 4:
			l.unseen(l.at + 1).shifts(500).see()
		case 5:
			l.unseen(l.at + 1).changes().see()
		default:
			l.runs(next)
		}
		if l.by[busyClass] < 0 || l.by[idleClass] < 0 {
			l.boots().see()
			l.moments = slices.DeleteFunc(l.moments, func(m moment) bool { return m.by[busyClass] < 0 || m.by[idleClass] < 0 })
		}
	}
	slices.SortStableFunc(l.moments, func(a, b moment) int { return int(math.Copysign(1, a.at-b.at)) })
	l.moments = slices.CompactFunc(l.moments, func(a, b moment) bool { return a.at == b.at })
	return l
}

// However time is cut into pieces, what they add up to is what the counters grew by.
func TestPortionsAddUp(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := tell(unit{1, random(r).moments})
		length := []float64{1, 5, 15, 30, 60}[r.IntN(5)] + r.Float64()
		first, last := -240.0, 400.0
		var sum [classes]float64
		var edges []float64
		for at := first; at < last; at += length {
			edges = append(edges, minute(at))
		}
		for i, at := range edges[1:] {
			p := s.portion(edges[i], at)
			for _, by := range p.by {
				for c := range sum {
					sum[c] += by[c]
				}
			}
			if most := 60 * length * (1 + tolerance); p.seen > most+jitter && !p.shifted {
				t.Fatalf("seed %d, until %v: %v seconds of %v", seed, at, p.seen, 60*length)
			}
			if math.IsNaN(p.seen) || p.capacity < 0 || !p.shifted && p.seen > p.capacity*(1+tolerance)+lookBack+jitter*math.Ceil(length) { // a sample late may bring so much
				t.Fatalf("seed %d, until %v: %+v", seed, at, p)
			}
		}
		var want [classes]float64
		for _, seg := range s.segments {
			for c := range want {
				want[c] += seg.grew[c]
			}
		}
		for c := range want {
			if math.Abs(sum[c]-want[c]) > 1e-9*max(want[c], 1) {
				t.Fatalf("seed %d: the pieces add up to %v, the growth is %v", seed, sum, want)
			}
		}
	}
}

// FuzzTimeline tells any row of samples: no portion is negative or more than its time but by a
// scrape's shift, and pieces add up.
func FuzzTimeline(f *testing.F) {
	f.Add([]byte{60, 15, 45, 60, 15, 45, 200, 0, 0}, uint8(30))
	f.Add([]byte{60, 200, 45, 255, 255, 255, 1, 128, 128, 60, 15, 45}, uint8(1))
	f.Fuzz(func(t *testing.T, steps []byte, length uint8) {
		var moments []moment
		m := moment{at: minute(0), track: &track{}}
		for ; len(steps) >= 3; steps = steps[3:] {
			m.at += 1 + float64(steps[0])
			for i, c := range []class{busyClass, idleClass} {
				if step := float64(steps[1+i]); step < 250 {
					m.by[c] += step
				} else {
					m.by[c] = step - 250
				}
			}
			moments = append(moments, m)
		}
		s := tell(unit{1, moments})
		each, sum, want := 60*float64(length%60+1), 0.0, 0.0
		for at := minute(-120); at < m.at+600; at += each {
			p := s.portion(at, at+each)
			sum += p.seen
			if math.IsNaN(p.seen) || p.capacity < 0 {
				t.Fatalf("%+v", p)
			}
			for _, mark := range p.marks {
				if !slices.Contains([]usage.DoubtReason{usage.DoubtLeap, usage.DoubtSteppedBack, usage.DoubtHole}, mark.reason) {
					t.Fatalf("%+v", mark)
				}
			}
		}
		for i := range s.segments {
			want += s.segments[i].total()
		}
		if math.Abs(sum-want) > 1e-6*max(math.Abs(want), 1) {
			t.Errorf("the pieces add up to %v, the growth is %v", sum, want)
		}
	})
}
