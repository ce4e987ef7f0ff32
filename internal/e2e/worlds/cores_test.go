// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds_test

import (
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Cores come and go, and machines that stand still.
func TestCores(t *testing.T) {
	two := func(n int) *worlds.Machine { return loaded(linux("b"), n, quarter) }
	all(t, []tale{
		{
			name: "2 become 6 at minute 45", world: newWorld(linux("a"), phased(two(2), cores(45, 6))),
			expect: []expectation{is(exact, "a"), is(exact, "b", 0, 2), is(known, "b", 1).within(1770, 1800, 5310, 5400)}, more: coversAll,
		},
		{
			name: "6 become 2 at minute 45", world: newWorld(linux("a"), phased(two(6), cores(45, 2))),
			expect: []expectation{is(exact, "a"), is(exact, "b", 0, 2), is(known, "b", 1).within(1770, 1800, 5310, 5400)}, more: coversAll,
		},
		{name: "2 become 6 and 2 again in an interval", world: newWorld(linux("a"), phased(two(2), cores(40, 6), cores(50, 2))), expect: []expectation{is(exact, "a")}, more: coversAll},
		{name: "2 become 6 at a border", world: newWorld(linux("a"), phased(two(2), cores(60, 6))), expect: []expectation{is(exact, "a")}, more: coversAll},
		{name: "one of 4 is offline for half an hour", world: newWorld(linux("a"), phased(two(4), cores(40, 3), cores(70, 4))), expect: []expectation{is(exact, "a")}, more: coversAll},
		{name: "one of 4 is offline for ten minutes", world: newWorld(linux("a"), phased(two(4), cores(40, 3), cores(50, 4))), expect: []expectation{is(exact, "a")}, more: coversAll},
		{name: "1 becomes 2 with a reboot", world: newWorld(linux("a"), phased(two(1), off(44), worlds.Phase{At: minutes(46), Boot: true, Cores: 2})), expect: []expectation{is(exact, "a")}},
		{
			name: "saved to disk for 65 minutes", world: long(newWorld(linux("a"), phased(two(4), off(40), on(105))), 155), run: halfHours(4),
			expect: []expectation{
				is(exact, "a"), is(exact, "b", 0),
				is(known, "b", 1).within(600, 600+15, 1800, 1800+45), is(known, "b", 2).within(0, 15, 0, 45), is(known, "b", 3).within(900, 900+15, 2700, 2700+45),
			},
			more: coversAll,
		},
		{name: "saved to disk for ten minutes", world: newWorld(linux("a"), phased(two(4), off(40), on(50))), expect: []expectation{is(exact, "a")}, more: coversAll},
		{name: "saved to disk over a border, without marks", world: newWorld(linux("a"), phased(scraped(two(4), every(30, silent)), off(50), on(70))), expect: []expectation{is(exact, "a")}, more: coversAll},
	})
}

// coversAll sees that the capacity is the time of the cores that were there, and that it was
// seen.
func coversAll(t *testing.T, s *stage, readings []usage.Reading) {
	for _, r := range readings {
		from, to := since(r.Piece)
		var want float64
		for _, m := range s.Machines {
			_, there := s.Truth(m, from, to)
			want += there
		}
		if c := r.Coverage["ISIS"]; !near(float64(c.Capacity), want, 0.03, 0) || !near(float64(c.Seen), want, 0.03, 0) {
			t.Errorf("%s: coverage is %.0f of %.0f, truth is %.0f of the same", r.Piece, c.Seen, c.Capacity, want)
		}
	}
}
