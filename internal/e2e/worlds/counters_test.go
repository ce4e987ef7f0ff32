// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds_test

import (
	"math"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func each(change func(v float64) float64) func(int, string, float64) float64 {
	return func(_ int, _ string, v float64) float64 { return change(v) }
}

// of changes one counter of one core.
func of(core int, mode string, change func(v float64) float64) func(int, string, float64) float64 {
	return func(c int, m string, v float64) float64 {
		if c == core && m == mode {
			return change(v)
		}
		return v
	}
}

func plus(d float64) func(float64) float64 { return func(v float64) float64 { return v + d } }

// back is what a counter shows after it went back, which is never below 0.
func back(d float64) func(float64) float64 { return func(v float64) float64 { return max(0, v-d) } }

func times(f float64) func(float64) float64 {
	return func(v float64) float64 { return v * f }
}
func to(x float64) func(float64) float64 { return func(float64) float64 { return x } }

// lost is a sample that did not come.
func lost(float64) float64 { return math.NaN() }

// frozen shows what was first seen.
func frozen() func(int, string, float64) float64 {
	kept := map[int]map[string]float64{}
	return func(core int, mode string, v float64) float64 {
		if kept[core] == nil {
			kept[core] = map[string]float64{}
		}
		if _, seen := kept[core][mode]; !seen {
			kept[core][mode] = v
		}
		return kept[core][mode]
	}
}

// Counters do what counters do not do. If a host is booked at all, it is booked right.
func TestOddCounters(t *testing.T) {
	b := func(more ...func(*worlds.Scrape)) *worlds.Machine { return scraped(linux("b"), every(30, more...)) }
	sixtyFour := func(more ...func(*worlds.Scrape)) *worlds.Machine {
		return scraped(loaded(linux("b"), 64, worlds.Load{"user": 0, "system": 0, "idle": 1, "iowait": 0}), every(60, more...))
	}
	none := func(at ...int) expectation { return is(known, "b", at...).within(0, 0, 115200, 115200) }
	outside := func(states []usage.HostState) []expectation {
		return []expectation{is(exact, "a"), is(exact, "b", 0, 2), is(states, "b", 1).within(1740, 1800, 5220, 5400)}
	}
	tales := []tale{
		{name: "all step back by 500 s", world: newWorld(linux("a"), phased(linux("b"), step(40, each(back(500))))), expect: outside(any3)},
		{name: "all step back to a third", world: newWorld(linux("a"), phased(linux("b"), step(40, each(times(0.33))))), expect: outside(any3)},
		{name: "all step back by 20 s", world: newWorld(linux("a"), phased(linux("b"), step(40, each(back(20))))), expect: outside(any3)},
		{name: "all step back after a short hole", world: newWorld(linux("a"), phased(b(down(39.2, 40.8)), step(40, each(back(500))))), loose: true, expect: []expectation{is(exact, "a"), is(exact, "b", 0, 2), is(doubted, "b", 1).within(1650, 1800, 4950, 5400)}},
		{name: "all step back in a hole over a border", world: newWorld(linux("a"), phased(b(down(55, 65)), step(60.5, each(back(500))))), loose: true, expect: []expectation{is(exact, "a"), is(exact, "b", 0), is(doubted, "b", 1, 2).within(1470, 1800, 4410, 5400)}},
		{name: "all step back at the border", world: newWorld(linux("a"), phased(linux("b"), step(60, each(back(500))))), expect: []expectation{is(exact, "a"), is(exact, "b", 0), is(any3, "b", 1, 2)}, slack: time.Minute},
		{name: "all leap by 500 s", world: newWorld(linux("a"), phased(linux("b"), step(40, each(plus(500))))), expect: outside(any3)},
		{name: "idle leaps by 100 s", world: newWorld(linux("a"), phased(linux("b"), step(40, func(_ int, mode string, v float64) float64 {
			if mode == "idle" {
				v += 100
			}
			return v
		}))), expect: outside(any3)},
		{name: "one leaps by a million and stays", world: newWorld(linux("a"), phased(linux("b"), step(40, of(1, "user", plus(1e6))))), expect: outside(any3)},
		{name: "steal leaps by a million and stays", world: newWorld(linux("a"), phased(linux("b"), step(40, of(1, "steal", plus(1e6))))), expect: outside(any3)},
		{name: "one steps back to 0 and goes on", world: newWorld(linux("a"), phased(linux("b"), step(40, of(1, "system", to(0))))), expect: outside(any3)},
		{name: "steal steps back and goes on", world: newWorld(linux("a"), phased(loaded(linux("b"), 4, worlds.Load{"user": 0.2, "system": 0.05, "idle": 0.7, "iowait": 0, "steal": 0.05}), step(40, of(1, "steal", plus(-30))))), expect: []expectation{is(exact, "a"), is(exact, "b", 0, 2), is(any3, "b", 1)}},
		{name: "iowait falls by 3 s, as it may on linux", world: newWorld(linux("a"), phased(linux("b"), step(40, of(2, "iowait", plus(-3))))), expect: outside(any3)},
		{name: "iowait falls by 3 s for a scrape", world: newWorld(linux("a"), b(seeing(40, 40.5, of(2, "iowait", plus(-3))))), expect: []expectation{is(known, "b")}},
		{name: "a dip of a 64th", world: newWorld(linux("a"), b(seeing(40, 40.5, of(1, "user", plus(-1./64))))), expect: []expectation{is(known, "b")}},
		{name: "a dip of a 64th at a border", world: newWorld(linux("a"), b(seeing(59.5, 60, of(1, "user", plus(-1./64))))), expect: []expectation{is(known, "b")}},
		{name: "a dip of a 64th in a counter that hardly grows", world: newWorld(linux("a"), scraped(loaded(linux("b"), 4, worlds.Load{"user": 0, "system": 0, "idle": 1, "iowait": 0}), every(30, seeing(59.5, 999, of(1, "user", to(0.5-1./64))), seeing(-99, 59.5, of(1, "user", to(0.5)))))), expect: []expectation{is(known, "b")}},
		{name: "windows: a dip of a 64th", shape: &windows, query: askWindows, world: newWorld(windowsHost("a"), scraped(windowsHost("b"), every(30, seeing(40, 40.5, of(1, "privileged", plus(-1./64)))))), expect: []expectation{is(known, "b").within(720, 720, 6480, 6480)}},
		{name: "windows: a dip of a 64th in dpc that stays", shape: &windows, query: askWindows, world: newWorld(windowsHost("a"), phased(scraped(windowsHost("b"), every(30, seeing(-99, 40, of(1, "dpc", to(2))))), step(39, of(1, "dpc", to(2-1./64))))), expect: []expectation{is(known, "b").within(720, 720, 6480, 6480)}},
		{name: "64 idle cores, idle dips by 0.02 s", world: newWorld(linux("a"), sixtyFour(seeing(40, 41, of(17, "idle", plus(-0.02))))), expect: []expectation{none()}},
		{name: "64 idle cores, idle dips by 0.02 s at a border", world: newWorld(linux("a"), sixtyFour(seeing(59, 60, of(17, "idle", plus(-0.02))))), expect: []expectation{none()}},
		{name: "64 idle cores, user dips by 0.02 s", world: newWorld(linux("a"), sixtyFour(seeing(-99, 40, of(17, "user", to(1000))), seeing(40, 999, of(17, "user", to(999.98))))), expect: []expectation{none()}},
		{name: "64 idle cores, user dips by 0.02 s at every border", world: newWorld(linux("a"), sixtyFour(seeing(-99, 999, of(17, "user", to(1000))), seeing(28, 31, of(17, "user", to(999.98))), seeing(59, 60, of(17, "user", to(999.96))))), expect: []expectation{none()}},
		{name: "rounded to hundredths", world: newWorld(linux("a"), b(seeing(-99, 999, each(func(v float64) float64 { return math.Floor(v*100) / 100 })))), expect: []expectation{is(exact, "b")}},
		{name: "rounded to float32", world: newWorld(linux("a"), b(seeing(-99, 999, each(func(v float64) float64 { return float64(float32(v)) })))), expect: []expectation{is(known, "b")}},
		{name: "float noise that falls", world: newWorld(linux("a"), b(seeing(-99, 999, each(func(v float64) float64 { return v + 1e-7*math.Sin(v*1e3) })))), expect: []expectation{is(exact, "b")}},
		{name: "a leap for one scrape", world: newWorld(linux("a"), b(seeing(40, 40.5, of(1, "user", plus(1e6))))), expect: []expectation{is(exact, "b", 0, 2), is(any3, "b", 1)}},
		{name: "a leap for the scrape at a border", world: newWorld(linux("a"), b(seeing(59.5, 60, of(1, "user", plus(1e6))))), expect: []expectation{is(exact, "b", 0), is(any3, "b", 1, 2)}, slack: 30 * time.Second},
		{name: "a leap of 300 s of idle for the scrape at a border", world: newWorld(linux("a"), b(seeing(59.5, 60, of(1, "idle", plus(300))))), expect: []expectation{is(exact, "b", 0), is(any3, "b", 1, 2)}, slack: 30 * time.Second},
		{name: "one is 0 for one scrape", world: newWorld(linux("a"), b(seeing(40, 40.5, of(1, "user", to(0))))), expect: []expectation{is(exact, "b", 0, 2), is(any3, "b", 1)}},
		{name: "one is 0 for the scrape at a border", world: newWorld(linux("a"), b(seeing(59.5, 60, of(1, "user", to(0))))), expect: []expectation{is(exact, "b", 0), is(any3, "b", 1, 2)}, slack: 30 * time.Second},
		{name: "all are 0 for the scrape at a border", world: newWorld(linux("a"), b(seeing(59.5, 60, each(to(0))))), expect: []expectation{is(exact, "b", 0), is(any3, "b", 1, 2)}, slack: 30 * time.Second},
		{name: "one is infinite for the scrape at a border", world: newWorld(linux("a"), b(seeing(59.5, 60, of(1, "user", to(math.Inf(1)))))), expect: []expectation{is(exact, "b", 0), is(any3, "b", 1, 2)}, slack: 30 * time.Second},
		{name: "one is infinite for good", world: newWorld(linux("a"), b(seeing(-99, 999, of(1, "user", to(math.Inf(1)))))), expect: []expectation{is(refused, "b")}},
		{name: "one is negative for good", world: newWorld(linux("a"), b(seeing(-99, 999, of(1, "nice", to(-5))))), expect: []expectation{is(any3, "b")}, slack: 30 * time.Second},
		{name: "one series is not there at a border", world: newWorld(linux("a"), b(seeing(59.5, 60, of(1, "user", lost)))), expect: []expectation{is(known, "b")}, slack: 30 * time.Second},
		{name: "one core is not there at a border", world: newWorld(linux("a"), b(seeing(59.5, 60, func(core int, _ string, v float64) float64 {
			if core == 2 {
				return math.NaN()
			}
			return v
		}))), expect: []expectation{is(known, "b")}, slack: 30 * time.Second},
		{name: "one series begins at minute 40", world: newWorld(linux("a"), b(seeing(-99, 40, of(1, "softirq", lost)))), expect: []expectation{is(known, "b")}},
		{name: "a page that stands still over a border", world: newWorld(linux("a"), b(seeing(55, 65, frozen()))), expect: []expectation{is(exact, "b", 0), is(any3, "b", 1, 2)}, slack: 30 * time.Second},
		{name: "a page that stands still for good", world: newWorld(linux("a"), b(seeing(40, 999, frozen()))), expect: []expectation{is(exact, "b", 0), is(refused, "b", 1, 2)}},
		{name: "a page that stands still in an interval", world: newWorld(linux("a"), b(seeing(40, 50, frozen()))), expect: []expectation{is(any3, "b")}},
		{
			name: "a core that is parked, and still shown", world: newWorld(linux("a"), scraped(loaded(linux("b"), 4, quarter), every(30, parked(40, 3)))), loose: true,
			expect: []expectation{is(exact, "b", 0), is(any3, "b", 1).within(1500, 1500, 4500, 4500), is(any3, "b", 2).within(1350, 1350, 4050, 4050)},
		},
		{name: "milliseconds", world: newWorld(linux("a"), b(seeing(-99, 999, each(times(1000))))), expect: []expectation{is(refused, "b")}},
		{name: "no idle mode", world: newWorld(linux("a"), loaded(linux("b"), 4, worlds.Load{"user": 0.2, "system": 0.05})), loose: true, expect: []expectation{is(refused, "b")}, more: because("b", usage.DoubtNoCores, usage.DoubtHalf)},
		{name: "only idle", world: newWorld(linux("a"), loaded(linux("b"), 4, worlds.Load{"idle": 0.75})), loose: true, expect: []expectation{is(refused, "b")}, more: because("b", usage.DoubtHalf, usage.DoubtShort)},
	}
	for i := range tales {
		tales[i].expect = append(tales[i].expect, is(exact, "a"))
	}
	all(t, tales)
}

// parked is a core that does not go on after a minute.
func parked(from float64, core int) func(*worlds.Scrape) {
	still := frozen()
	return seeing(from, 999, func(c int, mode string, v float64) float64 {
		if c == core {
			return still(c, mode, v)
		}
		return v
	})
}

// Where no host has idle time, none is booked, and that is said.
func TestNoHostHasIdleTime(t *testing.T) {
	busy := worlds.Load{"user": 0.2, "system": 0.05}
	for name, load := range map[string]worlds.Load{"only busy": busy, "only idle": {"idle": 0.75, "iowait": 0}} {
		t.Run(name, func(t *testing.T) {
			s := open(t, newWorld(loaded(linux("a"), 4, load), loaded(linux("b"), 4, load)), noOptions, nil)
			answer, _, err := s.client.Read(t.Context(), halfHours(3))
			readings := answer.All()
			if err != nil {
				if f := usage.FailureOf(err); f == nil || f.Reason != usage.ReasonPartial {
					t.Errorf("fails with %v, want partial", err)
				}
				return
			}
			for _, r := range readings {
				checkForm(t, r)
				for _, host := range []string{"a", "b"} {
					if state, why := stateOf(r, host); state != usage.HostRefused {
						t.Errorf("%s: %q is %s (%s)", r.Piece, host, state, why)
					}
				}
			}
		})
	}
}

// A recorded sum over the cores, by mode, is read as counters too.
func TestRecordedSums(t *testing.T) {
	shape := worlds.Node()
	shape.Metric = "carbon:cpu_seconds:sum"
	all(t, []tale{
		{
			name: "steady", shape: &shape, loose: true,
			world: newWorld(scraped(linux("a"), every(60, only)), scraped(linux("b"), every(60, only))),
		},
		{
			name: "a rule that was not evaluated over a border", shape: &shape, loose: true,
			world: newWorld(scraped(linux("a"), every(60, only)), scraped(linux("b"), every(60, only, away(50, 70)))),
		},
	})
}
