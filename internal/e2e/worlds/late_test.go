// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds_test

import (
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// What comes late is read the second time, and the first time it is known that it may come.
func TestLateSamples(t *testing.T) {
	for _, tc := range []struct {
		name string
		late func(m *worlds.Machine, at time.Duration) bool // what comes after the first reading
	}{
		{"one host, from the middle of the interval on", func(m *worlds.Machine, at time.Duration) bool { return m.Name == "b" && at > minutes(40) }},
		{"one host, from before the interval on", func(m *worlds.Machine, at time.Duration) bool { return m.Name == "b" && at > minutes(20) }},
		{"one host, the last seconds", func(m *worlds.Machine, at time.Duration) bool { return m.Name == "b" && at > minutes(54) }},
		{"all hosts, from the middle of the interval on", func(_ *worlds.Machine, at time.Duration) bool { return at > minutes(40) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := empty(t, newWorld(scraped(linux("a"), every(30, silent)), scraped(linux("b"), every(30, silent))), noOptions, nil)
			now := minutes(62)
			s.record(t, func(m *worlds.Machine, at time.Duration) bool { return at < now && !tc.late(m, at) })
			interval := halfHours(2)[1:]
			first := s.read(t, interval)[0]
			checkForm(t, first)
			if first.Final {
				t.Errorf("a host is not there at the end, but it is final: %+v", first)
			}
			s.record(t, func(m *worlds.Machine, at time.Duration) bool { return at < now && tc.late(m, at) })
			s.record(t, func(_ *worlds.Machine, at time.Duration) bool { return at >= now })
			check := tale{expect: []expectation{is(exact, "a"), is(exact, "b")}}
			second := s.read(t, interval)[0]
			checkForm(t, second)
			check.checkSite(t, s, second)
			for _, m := range s.Machines {
				check.checkHost(t, s, second, 1, m)
			}
			if !second.Final {
				t.Errorf("all is there, but it is not final: %+v", second)
			}
		})
	}
}

// A hole at the end of what there is may be a death or not. When it is closed, the reading in
// which it ends says from where on to read again, and then all of it is known.
func TestAHoleThatIsOpen(t *testing.T) {
	for name, hole := range map[string]func(from, to float64) func(*worlds.Scrape){"marked": down, "unmarked": away} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := empty(t, newWorld(linux("a"), scraped(linux("b"), every(30, hole(50, 70)))), noOptions, nil)
			second, third := halfHours(3)[1:2], halfHours(3)[2:]
			s.record(t, func(_ *worlds.Machine, at time.Duration) bool { return at < minutes(62) })
			open := s.read(t, second)[0]
			checkForm(t, open)
			if b := sum(booked(open, "b")); b.Busy > 1818 || b.Busy > 0 && b.Busy < 1170 {
				t.Errorf("booked %v of 20 to 30 minutes", b)
			}
			if open.Final {
				t.Error("one host is not there at the end, but it is final")
			}
			s.record(t, func(_ *worlds.Machine, at time.Duration) bool { return at >= minutes(62) })
			closed := s.read(t, third)[0]
			if at := closed.Since.Sub(worlds.Noon); closed.Since.IsZero() || at < minutes(49) || at > minutes(50) {
				t.Errorf("the hole that ends here begins at minute 50, not at %s", closed.Since)
			}
			check := tale{expect: []expectation{is(exact, "a"), is(interpolated, "b")}}
			for i, r := range []usage.Reading{s.read(t, second)[0], closed} {
				for _, m := range s.Machines {
					check.checkHost(t, s, r, i, m)
				}
				if !r.Final {
					t.Errorf("%s: all is there, but it is not final", r.Piece)
				}
			}
		})
	}
}

// What is not there yet, and what is there no more, is empty and not 0.
func TestOutsideOfTheHistory(t *testing.T) {
	w := newWorld(linux("a"))
	w.From = minutes(35)
	s := open(t, w, noOptions, nil)
	for i, r := range s.read(t, halfHours(6)) {
		checkForm(t, r)
		if n := len(booked(r, "a")); n > 0 && (i == 0 || i == 5) {
			t.Errorf("%s: booked, but nothing is there: %v", r.Piece, r)
		}
		if b := sum(booked(r, "a")); i == 1 && !near(float64(b.Busy), 1500, 0.02, 0) || (i == 2 || i == 3) && !near(float64(b.Busy), 1800, 0.001, 0) {
			t.Errorf("%s: booked %v", r.Piece, b)
		}
	}
}
