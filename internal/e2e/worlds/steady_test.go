// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds_test

import (
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// with changes a machine.
func with(m *worlds.Machine, change func(*worlds.Machine)) *worlds.Machine {
	change(m)
	return m
}

func loaded(m *worlds.Machine, cores int, load worlds.Load) *worlds.Machine {
	m.Cores, m.Load, m.Skew = cores, load, 0
	return m
}

func scraped(m *worlds.Machine, by ...worlds.Scrape) *worlds.Machine {
	m.Scrapes = by
	return m
}

func phased(m *worlds.Machine, phases ...worlds.Phase) *worlds.Machine {
	m.Phases = phases
	return m
}

var (
	windows = worlds.Windows()
	// windowsLoad is what a tenth busy machine shows. Interrupt and dpc are part of privileged.
	windowsLoad = worlds.Load{"user": 0.07, "privileged": 0.03, "interrupt": 0, "dpc": 0, "idle": 0.9}
)

func askWindows(q *source.Query) {
	q.BusyModes, q.IdleModes = []string{"user", "privileged"}, []string{"idle"}
	q.OtherModes = []string{"interrupt", "dpc"}
}

func windowsHost(name string) *worlds.Machine { return loaded(linux(name), 4, windowsLoad) }

// Machines to which nothing happens are exact, whatever they show.
func TestSteadyMachines(t *testing.T) {
	all(t, []tale{
		{
			name: "quarter busy", world: newWorld(linux("a"), linux("b")),
			expect: []expectation{is(exact, "a"), is(exact, "b").within(1800, 1800, 5400, 5400)},
			more: func(t *testing.T, _ *stage, readings []usage.Reading) {
				for _, r := range readings {
					if !r.Final || !r.Since.IsZero() {
						t.Errorf("%s: nothing is missing, but final is %v and a hole reaches back to %v", r.Piece, r.Final, r.Since)
					}
				}
			},
		},
		{
			name: "idle is 0 busy, which is known", world: newWorld(loaded(linux("a"), 64, worlds.Load{"user": 0, "system": 0, "idle": 1, "iowait": 0})),
			expect: []expectation{is(exact, "a").within(0, 0, 115200, 115200)},
		},
		{
			name: "all busy", world: newWorld(loaded(linux("a"), 2, worlds.Load{"user": 0.9, "system": 0.1, "idle": 0, "iowait": 0})),
			expect: []expectation{is(exact, "a").within(3600, 3600, 0, 0)},
		},
		{
			name: "steal", world: newWorld(loaded(linux("a"), 4, worlds.Load{"user": 0.2, "system": 0.05, "idle": 0.15, "iowait": 0, "steal": 0.6})),
			expect: []expectation{is(exact, "a").within(1800, 1800, 1080, 1080)},
		},
		{
			name: "a host of virtual machines, whose guest time is in user too", world: newWorld(loaded(linux("a"), 4, worlds.Load{"user": 0.45, "nice": 0.02, "system": 0.03, "idle": 0.5, "iowait": 0, "steal": 0, "guest": 0.4, "guest_nice": 0.01})),
			expect: []expectation{is(exact, "a").within(3600, 3600, 3600, 3600)},
		},
		{
			name: "windows: core in place of cpu", shape: &windows, query: askWindows, world: newWorld(windowsHost("a")),
			expect: []expectation{is(exact, "a").within(720, 720, 6480, 6480)},
		},
		{
			name: "freebsd: interrupt is in no list", world: newWorld(loaded(linux("a"), 4, worlds.Load{"user": 0.2, "nice": 0, "system": 0.05, "interrupt": 0.08, "idle": 0.67}), linux("b")),
			expect: []expectation{is(exact, "a").within(1800, 1800, 4824, 4824)},
			more:   unlisted("interrupt", 0.04),
		},
		{
			name: "freebsd: the first of the idle modes is one that it lacks", world: newWorld(loaded(linux("a"), 4, worlds.Load{"user": 0.2, "nice": 0, "system": 0.05, "idle": 0.75})),
			query: func(q *source.Query) { q.IdleModes = []string{"iowait", "idle"} },
		},
		{
			name: "a mode of its own", world: newWorld(loaded(linux("a"), 4, worlds.Load{"user": 0.2, "system": 0.05, "idle": 0.65, "turbo": 0.1})),
			more: unlisted("turbo", 0.1),
		},
		{
			name: "opentelemetry's state in place of mode", world: newWorld(linux("a"), linux("b")),
			shape: &worlds.Shape{
				Metric: "system_cpu_time_seconds_total", CPU: "cpu", Mode: "state", Core: func(n int) string { return "cpu" + string(rune('0'+n)) },
				Project: "project", Machine: "type", Host: "host_name", User: "owner",
			},
			expect: []expectation{is(exact, "a"), is(exact, "b")},
		},
		{
			name: "counters that began years ago", world: newWorld(with(linux("a"), func(m *worlds.Machine) { m.Uptime = 30000 * time.Hour })),
			expect: []expectation{is(exact, "a")},
		},
		{
			name: "three containers that each show the cores of their host", world: newWorld(loaded(linux("a"), 8, quarter), loaded(linux("b"), 8, quarter), loaded(linux("c"), 8, quarter)),
			expect: []expectation{is(any3, "a"), is(any3, "b"), is(any3, "c")},
		},
		{
			name: "matchers with a comma at their end", world: newWorld(linux("a"), linux("b")),
			query:  func(q *source.Query) { q.Matchers = ` job="node", ` },
			expect: []expectation{is(exact, "a"), is(exact, "b")},
		},
		{
			name: "machines without a user and without a project", world: newWorld(with(linux("a"), func(m *worlds.Machine) { m.User = "" }), with(linux("b"), func(m *worlds.Machine) { m.Project, m.Type, m.User = "", "", "" })),
			expect: []expectation{is(exact, "a"), is(exact, "b")},
		},
	})
}

// unlisted sees that a mode is named with its share of the site's time.
func unlisted(mode string, share float64) func(*testing.T, *stage, []usage.Reading) {
	return func(t *testing.T, _ *stage, readings []usage.Reading) {
		for _, r := range readings {
			if got := r.Unlisted[mode]; !near(got, share, 0.05, 0) || len(r.Unlisted) != 1 {
				t.Errorf("%s: unlisted modes are %v, want %s with %v", r.Piece, r.Unlisted, mode, share)
			}
		}
	}
}
