// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// doubted is not exact.
var doubted = []usage.HostState{usage.HostInterpolated, usage.HostRefused}

// long gives a world more history.
func long(w *worlds.World, to float64) *worlds.World {
	w.To = minutes(to)
	return w
}

// Samples are missing for a while.
func TestHoles(t *testing.T) {
	var tales []tale
	for _, how := range []struct {
		name string
		hole func(from, to float64) func(*worlds.Scrape)
	}{{"marked", down}, {"unmarked", away}} {
		b := func(holes ...float64) *worlds.Machine {
			s := every(30)
			for i := 0; i < len(holes); i += 2 {
				how.hole(holes[i], holes[i+1])(&s)
			}
			return scraped(linux("b"), s)
		}
		everywhere := newWorld()
		for i := range 5 {
			everywhere.Machines = append(everywhere.Machines, with(b(55, 65), func(m *worlds.Machine) { m.Name = fmt.Sprint("host-", i) }))
		}
		tales = append(tales,
			tale{
				name: "in an interval, " + how.name, world: newWorld(linux("a"), b(35, 50)),
				expect: []expectation{is(exact, "a"), is(exact, "b").within(1800, 1800, 5400, 5400)},
			},
			tale{
				name: "over a border, " + how.name, world: newWorld(linux("a"), b(55, 65)),
				expect: []expectation{is(exact, "a"), is(exact, "b", 0), is(interpolated, "b", 1, 2).within(1800, 1800, 5400, 5400)},
				more:   reachesBack(2, 55),
			},
			tale{
				name: "of three minutes over a border, " + how.name, world: newWorld(linux("a"), b(58, 61)),
				expect: []expectation{is(exact, "a"), is(exact, "b", 0), is(interpolated, "b", 1, 2)},
			},
			tale{name: "of two scrapes over a border, " + how.name, slack: 30 * time.Second, world: newWorld(linux("a"), b(59.5, 60.4)), expect: []expectation{is(exact, "a")}},
			tale{
				name: "over two borders, " + how.name, world: long(newWorld(linux("a"), b(55, 95)), 155), run: halfHours(4),
				expect: []expectation{is(exact, "a"), is(exact, "b", 0), is(interpolated, "b", 1, 2, 3)},
				more:   reachesBack(3, 55),
			},
			tale{
				name: "over three intervals, " + how.name, world: long(newWorld(linux("a"), b(25, 125)), 185), run: halfHours(6),
				expect: []expectation{is(exact, "a"), is(interpolated, "b", 0, 1, 2, 3, 4), is(exact, "b", 5)},
				more:   reachesBack(4, 25),
			},
			tale{name: "one after the other, " + how.name, slack: 30 * time.Second, world: newWorld(linux("a"), b(10, 14, 26, 34, 57, 59, 59.5, 63, 64, 80))},
			tale{
				name: "of all hosts, as when the server was restarted, " + how.name, world: everywhere,
				expect: []expectation{is(interpolated, "host-0", 1, 2), is(interpolated, "host-4", 1, 2)},
			},
			tale{
				name: "a machine that works more and more, " + how.name, world: newWorld(linux("a"), phased(b(55, 65), rising(48, 72)...)), slack: 5 * time.Minute,
				expect: []expectation{is(exact, "a"), is(interpolated, "b", 1, 2)},
				more:   addsUp("b"),
			},
			// What it did between the last sample and the crash is not known; how long it is up again is.
			tale{
				name: "over a border with a reboot in it, " + how.name, world: newWorld(linux("a"), phased(b(50, 70), off(61), boot(62))), loose: true,
				expect: []expectation{is(exact, "a"), is(doubted, "b", 1).within(1170, 1800, 3510, 5400), is(doubted, "b", 2).within(1650, 1800, 4950, 5400)},
			},
			tale{
				name: "in an interval with a reboot in it, " + how.name, world: newWorld(linux("a"), phased(b(40, 50), off(45), boot(45.5))), loose: true,
				expect: []expectation{is(exact, "a"), is(doubted, "b", 1).within(1440, 1800, 4320, 5400), is(exact, "b", 0, 2)},
			},
			tale{
				name: "over a border with a new pod after it, " + how.name, world: newWorld(linux("a"), phased(b(55, 65), labelled(60.2, "pod", "new"))),
				expect: []expectation{is(exact, "a"), is(exact, "b", 0), is(doubted, "b", 1, 2)},
			},
			tale{
				name: "over a border, and another user after it, " + how.name, world: newWorld(linux("a"), phased(b(55, 65), labelled(61, "user", "grace"))), slack: 10 * time.Minute,
				expect: []expectation{is(exact, "a"), is(exact, "b", 0), is(doubted, "b", 1, 2)},
			},
		)
	}
	flapping := every(30)
	for minute := -45.0; minute < 125; minute++ {
		down(minute+0.4, minute+0.9)(&flapping)
	}
	slow := func(s worlds.Scrape, jitter time.Duration) *worlds.Machine {
		s.Jitter = jitter
		return scraped(linux("b"), s)
	}
	tales = append(tales,
		tale{name: "every second scrape fails", world: newWorld(linux("a"), scraped(linux("b"), flapping)), slack: 30 * time.Second},
		tale{name: "scraped all 5 minutes", world: newWorld(linux("a"), slow(every(300), 0)), expect: []expectation{is(exact, "a")}},
		tale{name: "scraped all 5 minutes with jitter at the borders", world: newWorld(linux("a"), slow(worlds.Scrape{Every: 5 * time.Minute, Offset: 4*time.Minute + 50*time.Second}, 20*time.Second))},
		tale{name: "scraped all 10 minutes", world: newWorld(linux("a"), slow(worlds.Scrape{Every: 10 * time.Minute, Offset: 3 * time.Minute}, 0))},
		tale{name: "scraped with much jitter", world: newWorld(linux("a"), slow(every(60), 50*time.Second)), slack: 60 * time.Second},
		tale{name: "a server that looks back for a minute", world: newWorld(slow(every(60), time.Second), linux("a")), engine: engine.Options{LookbackDelta: time.Minute}, slack: 60 * time.Second},
		tale{name: "a server that looks back for two minutes", world: newWorld(slow(every(60), time.Second), linux("a")), engine: engine.Options{LookbackDelta: 2 * time.Minute}, slack: 60 * time.Second},
		tale{name: "a server that looks back for half an hour, and new pods", world: newWorld(linux("a"), phased(scraped(linux("b"), every(30, silent)), labelled(42, "pod", "new"), labelled(50, "pod", "newer"))), engine: engine.Options{LookbackDelta: 30 * time.Minute}, slack: 60 * time.Second},
	)
	all(t, tales)
}

// rising is a load that grows.
func rising(from, to float64) (all []worlds.Phase) {
	for minute := from; minute <= to; minute++ {
		busy := 0.25 + 0.5*(minute-from)/(to-from)
		all = append(all, worlds.Phase{At: minutes(minute), Load: worlds.Load{"user": busy, "nice": 0, "system": 0, "irq": 0, "softirq": 0, "idle": 1 - busy, "iowait": 0, "steal": 0}})
	}
	return all
}

// addsUp sees that the sum over all intervals of a host is its truth, whatever each has.
func addsUp(host string) func(*testing.T, *stage, []usage.Reading) {
	return func(t *testing.T, s *stage, readings []usage.Reading) {
		var got seconds
		for _, r := range readings {
			b := sum(booked(r, host))
			got.Busy, got.Idle = got.Busy+b.Busy, got.Idle+b.Idle
		}
		var want seconds
		for _, m := range s.Machines {
			if m.Name != host {
				continue
			}
			from, _ := since(readings[0].Piece)
			_, to := since(readings[len(readings)-1].Piece)
			truth, _ := s.Truth(m, from, to)
			for _, modes := range truth {
				one, _ := byMode(s.client.Query, modes)
				want.Busy, want.Idle = want.Busy+one.Busy, want.Idle+one.Idle
			}
		}
		if !near(float64(got.Busy), float64(want.Busy), 0, 60) || !near(float64(got.Idle), float64(want.Idle), 0, 60) { // a scrape before another load
			t.Errorf("%q has %v in all, truth %v", host, got, want)
		}
	}
}

// reachesBack sees that the reading in which a hole ends, and that alone, says where the hole
// begins.
func reachesBack(at int, minute float64) func(*testing.T, *stage, []usage.Reading) {
	return func(t *testing.T, _ *stage, readings []usage.Reading) {
		for i, r := range readings {
			since := r.Since.Sub(worlds.Noon)
			switch {
			case i != at && !r.Since.IsZero():
				t.Errorf("%s: no hole ends here, but one reaches back to %s", r.Piece, since)
			case i == at && (r.Since.IsZero() || since < minutes(minute-1) || since > minutes(minute)):
				t.Errorf("%s: a hole that ends here begins at minute %v, not at %s", r.Piece, minute, since)
			}
		}
	}
}
