// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Intervals shorter and longer than half an hour, beside scrapes of all lengths.
func TestLengths(t *testing.T) {
	jittered := func(name string, seconds int, jitter time.Duration) *worlds.Machine {
		s := every(seconds)
		s.Jitter = jitter
		return scraped(linux(name), s)
	}
	unlike := func() *worlds.World {
		late := worlds.Scrape{Every: time.Minute, Offset: 58 * time.Second, Jitter: 4 * time.Second} // around the borders
		return newWorld(scraped(linux("a"), every(15)), scraped(linux("b"), every(60)), jittered("c", 60, 3*time.Second), scraped(linux("d"), late), jittered("e", 20, time.Second))
	}
	day := newWorld(scraped(loaded(linux("a"), 2, quarter), every(60)), phased(scraped(loaded(linux("b"), 2, quarter), every(60)), boot(100), labelled(500, "pod", "new")))
	day.To = 24*time.Hour + 5*time.Minute
	all(t, []tale{
		{name: "1m, 60 s scrapes beside faster ones", world: unlike(), run: run(time.Minute, 30), slack: 65 * time.Second, more: never0},
		{name: "1m, a hole of ten minutes", world: newWorld(linux("a"), scraped(linux("b"), every(15, away(5.1, 15.1)))), run: run(time.Minute, 20), expect: []expectation{is(exact, "a"), is(interpolated, "b", 6, 7, 8, 9, 10, 11, 12, 13)}, slack: 62 * time.Second, more: never0},
		{name: "1m, scrapes all 5 minutes", world: newWorld(linux("a"), scraped(linux("b"), every(300))), run: run(time.Minute, 20), more: never0, expect: []expectation{is(known, "a"), is(known, "b")}, slack: 10 * time.Second},
		{name: "2m, a pair all 60 s", world: newWorld(linux("a"), scraped(linux("b"), every(60), every(60, as("replica", "b")))), run: run(2*time.Minute, 15), slack: 65 * time.Second, more: never0},
		{name: "5m", world: unlike(), run: run(5*time.Minute, 12), slack: 65 * time.Second, more: never0},
		{name: "5m, a reboot", world: newWorld(linux("a"), phased(linux("b"), off(22), boot(23.5))), run: run(5*time.Minute, 12), slack: 65 * time.Second},
		{name: "15m", world: unlike(), run: run(15*time.Minute, 6), slack: 65 * time.Second},
		{name: "45m", world: unlike(), run: run(45*time.Minute, 2), slack: 65 * time.Second},
		{name: "1h", world: unlike(), run: run(time.Hour, 2), slack: 65 * time.Second},
		{name: "1h, a hole over the border of its half hours", world: newWorld(linux("a"), scraped(linux("b"), every(30, down(25, 35)))), run: run(time.Hour, 2), expect: []expectation{is(exact, "a"), is(interpolated, "b", 0, 1)}},
		{name: "24h", world: day, run: run(24*time.Hour, 1), slack: 65 * time.Second},
	})
}

// never0 sees that a host is booked or in doubt in every interval, or at least missing in the
// coverage, and that of its time nothing is lost in between.
func never0(t *testing.T, s *stage, readings []usage.Reading) {
	for _, m := range s.Machines {
		for _, r := range readings {
			c := r.Coverage[m.Project]
			unseen := float64(c.Capacity-c.Seen) > 0.5*float64(m.Cores)*r.Piece.Length.Seconds()
			if state, _ := stateOf(r, m.Name); len(booked(r, m.Name)) == 0 && state != usage.HostRefused && !unseen {
				t.Errorf("%s: %q is neither booked nor in doubt, and %.0f of %.0f are covered", r.Piece, m.Name, c.Seen, c.Capacity)
			}
		}
	}
	for _, m := range s.Machines {
		addsUpTo(t, s, readings, m.Name, 65*4)
	}
}

// addsUpTo sees that the sum over all readings is the truth, but for some seconds at its ends.
func addsUpTo(t *testing.T, s *stage, readings []usage.Reading, name string, slack float64) {
	t.Helper()
	var got, want usage.CPUSeconds
	for _, r := range readings {
		got += sum(booked(r, name)).Total()
	}
	from, _ := since(readings[0].Piece)
	_, to := since(readings[len(readings)-1].Piece)
	for _, m := range s.Machines {
		if m.Name == name {
			truth, _ := s.Truth(m, from, to)
			for _, modes := range truth {
				one, _ := byMode(s.client.Query, modes)
				want += one.Total()
			}
		}
	}
	if !near(float64(got), float64(want), 0, slack) {
		t.Errorf("%q has %.0f s in all, truth %.0f to %.0f", name, got, want, slack)
	}
}

// Hosts with any name can be looked at closer: each name here is in trouble, beside names that
// it matches as a pattern.
func TestStrangeNames(t *testing.T) {
	w := newWorld(scraped(linux("aXb:9100"), every(60)))
	names := []string{
		"a.b:9100", "a|aXb:9100", "(a+)", `"quoted"`, `back\slash`, `\d+`, "läb-ü🙂", "tab\tline\nend", "{}", "$^*?", " lead and trail ", ".*", ".+", "[a-z]", "$1", `\\`, "`", "'",
		"${host}", "%s%d", strings.Repeat("long", 60), "A.B:9100", "a.b", "a.b:91000", "#", "//",
	}
	for i, name := range names {
		hole := every(60, away(55, 65))
		if i%2 == 1 {
			hole = every(60, down(55, 65))
		}
		m := scraped(loaded(linux(name), 1, quarter), hole)
		m.Project, m.User = "project "+name[:min(len(name), 40)], "user "+name[:min(len(name), 40)]
		w.Machines = append(w.Machines, m)
	}
	tc := tale{name: "a hole over a border", world: w, expect: []expectation{is(exact, "aXb:9100")}}
	for _, name := range names {
		tc.expect = append(tc.expect, is(exact, name, 0), is(interpolated, name, 1, 2))
	}
	tc.test(t)
}

// Many hosts that fail at once are bounded work: what is not looked at is refused, is not
// final, and says so.
func TestManyFailAtOnce(t *testing.T) {
	few := worlds.Load{"user": 0.25, "idle": 0.75}
	for name, trouble := range map[string]func(i int) *worlds.Machine{
		"a hole over a border": func(int) *worlds.Machine {
			return scraped(loaded(linux(""), 2, few), every(60, away(55, 65)))
		},
		"a reboot": func(i int) *worlds.Machine {
			return phased(scraped(loaded(linux(""), 2, few), every(60)), boot(31+28*float64(i%97)/97))
		},
		"a new pod": func(i int) *worlds.Machine {
			return phased(scraped(loaded(linux(""), 2, few), every(60)), labelled(31+28*float64(i%97)/97, "pod", "new"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(scraped(loaded(linux("calm"), 2, few), every(60)))
			for i := range 500 {
				m := trouble(i)
				m.Name = fmt.Sprintf("10.0.%d.%d:9100", i/200, i%200)
				w.Machines = append(w.Machines, m)
			}
			s := open(t, w, noOptions, nil)
			begin := time.Now()
			readings := s.read(t, halfHours(3))
			if asked := len(s.Asked()); asked > 100 {
				t.Errorf("%d requests for three intervals", asked)
			}
			t.Logf("took %v", time.Since(begin).Round(time.Millisecond))
			tc := tale{slack: 65 * time.Second, loose: true}
			for i, r := range readings {
				checkForm(t, r)
				left := 0
				for _, d := range r.Doubts {
					if d.Reason == usage.DoubtNotLooked {
						left++
						tc.expect = append(tc.expect, is(refused, d.Host, i))
					}
				}
				if left > 0 && r.Final {
					t.Errorf("%s: %d hosts are not looked at, and it is final", r.Piece, left)
				}
				for _, m := range w.Machines {
					tc.checkHost(t, s, r, i, m)
					if t.Failed() {
						t.FailNow() // 499 say the same
					}
				}
			}
		})
	}
}

// A site where every host is in two places is asked in the form that suits it, not host by
// host for each interval.
func TestACommonFailureIsCheap(t *testing.T) {
	few := worlds.Load{"user": 0.25, "idle": 0.75}
	w := newWorld()
	for i := range 300 {
		w.Machines = append(w.Machines, scraped(loaded(linux(fmt.Sprintf("host-%d", i)), 2, few), every(60), every(60, as("replica", "b"))))
	}
	s := open(t, w, noOptions, nil)
	tc := tale{}
	for _, some := range [][]usage.Interval{halfHours(3), halfHours(1)} {
		readings := s.read(t, some)
		for i, r := range readings {
			checkForm(t, r)
			tc.checkSite(t, s, r)
			for _, m := range w.Machines {
				tc.checkHost(t, s, r, i, m)
				if t.Failed() {
					t.FailNow()
				}
			}
		}
	}
	s.Asked()
	s.read(t, halfHours(3))
	if asked := len(s.Asked()); asked > 10 {
		t.Errorf("%d requests for three intervals, at the third reading", asked)
	}
}
