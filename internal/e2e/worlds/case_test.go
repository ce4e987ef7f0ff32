// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds_test

import (
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// tale is a world and what is right of it. Unless expected otherwise, every host must be booked
// with its truth in every interval, as exact or interpolated.
type tale struct {
	name   string
	world  *worlds.World
	shape  *worlds.Shape // nil: node_exporter's
	query  func(*source.Query)
	engine engine.Options
	run    []usage.Interval // three half hours if nil
	expect []expectation
	// slack is how much CPU time of a host may be its neighbour's or lost, as time of all of its
	// cores: one scrape if it is 0 and something happens to the host.
	slack time.Duration
	// loose worlds have hosts that cannot be counted from the truth.
	loose bool
	more  func(t *testing.T, s *stage, readings []usage.Reading)
}

// expectation is what is right of one host in some intervals.
type expectation struct {
	host       string
	at         []int // nil: all
	states     []usage.HostState
	busy, idle *[2]float64 // in place of the truth
}

var (
	exact        = []usage.HostState{usage.HostExact}
	interpolated = []usage.HostState{usage.HostInterpolated}
	known        = []usage.HostState{usage.HostExact, usage.HostInterpolated}
	refused      = []usage.HostState{usage.HostRefused}
	any3         = usage.HostStates()
)

// is expects states of a host, with the truth if it is booked.
func is(states []usage.HostState, host string, at ...int) expectation {
	return expectation{host: host, at: at, states: states}
}

// within expects numbers from one to another.
func (e expectation) within(busyFrom, busyTo, idleFrom, idleTo float64) expectation {
	e.busy, e.idle = &[2]float64{busyFrom, busyTo}, &[2]float64{idleFrom, idleTo}
	return e
}

func (tc tale) test(t *testing.T) {
	t.Helper()
	if tc.shape != nil {
		tc.world.Shape = *tc.shape
	}
	if tc.run == nil {
		tc.run = halfHours(3)
	}
	s := open(t, tc.world, tc.engine, tc.query)
	readings := s.read(t, tc.run)
	for i, r := range readings {
		checkForm(t, r)
		for _, m := range tc.world.Machines {
			tc.checkHost(t, s, r, i, m)
		}
		if !tc.loose {
			tc.checkSite(t, s, r)
		}
	}
	s.checkChunks(t, tc.run, readings, tc.slackOf)
	if tc.more != nil {
		tc.more(t, s, readings)
	}
}

func (tc tale) expected(i int, host string) expectation {
	found := expectation{host: host, states: known}
	for _, e := range tc.expect { // the last one wins
		if e.host == host && (len(e.at) == 0 || slices.Contains(e.at, i)) {
			found = e
		}
	}
	return found
}

// checkHost holds a host's numbers against the truth.
func (tc tale) checkHost(t *testing.T, s *stage, r usage.Reading, i int, m *worlds.Machine) {
	t.Helper()
	from, to := since(r.Piece)
	e := tc.expected(i, m.Name)
	state, why := stateOf(r, m.Name)
	if !slices.Contains(e.states, state) {
		t.Errorf("%s: %q is %s (%s), want %v", r.Piece, m.Name, state, why, e.states)
	}
	if state == usage.HostRefused && slices.Contains(e.states, state) {
		return // checkForm has seen that it is not booked
	}
	got := booked(r, m.Name)
	if e.busy != nil {
		checkWithin(t, r, m.Name, "busy", float64(sum(got).Busy), *e.busy)
		checkWithin(t, r, m.Name, "idle", float64(sum(got).Idle), *e.idle)
		return
	}
	truth, _ := s.Truth(m, from, to)
	share := tc.slackOf(s, m, from, to)
	for _, d := range s.Machines { // several may have one name
		if d != m && d.Name == m.Name {
			more, _ := s.Truth(d, from, to)
			maps.Copy(truth, more)
		}
	}
	want := map[usage.Series]seconds{}
	for series, modes := range truth {
		want[series], _ = byMode(s.client.Query, modes)
	}
	for series := range union(got, want) {
		g, w := got[series], want[series]
		if total := sum(want); !near(float64(g.Busy), float64(w.Busy), 0.01, share*ratio(total.Busy, total)+1e-3) ||
			!near(float64(g.Idle), float64(w.Idle), 0.01, share*ratio(total.Idle, total)+1e-3) {
			t.Errorf("%s: %v is booked with %.1f busy and %.1f idle, truth %.1f and %.1f (%s %s)", r.Piece, series, g.Busy, g.Idle, w.Busy, w.Idle, state, why)
		}
	}
}

// slackOf is how many CPU seconds of a machine may be its neighbour interval's or lost: what all
// its cores do from scrape to scrape, for each thing that happens.
func (tc tale) slackOf(s *stage, m *worlds.Machine, from, to time.Duration) float64 {
	events := 0
	for _, p := range m.Phases {
		if p.At >= from-10*time.Minute && p.At < to {
			events++
		}
	}
	slack := tc.slack
	if slack == 0 && (events > 0 || !s.Steady(m, from-10*time.Minute, to)) {
		slack = 30 * time.Second
	}
	return slack.Seconds() * float64(mostCores(m)*max(1, events))
}

func mostCores(m *worlds.Machine) int {
	most := m.Cores
	for _, p := range m.Phases {
		most = max(most, p.Cores)
	}
	return most
}

func ratio(part usage.CPUSeconds, of seconds) float64 {
	if of.Total() == 0 {
		return 1
	}
	return float64(part / of.Total())
}

func checkWithin(t *testing.T, r usage.Reading, host, what string, got float64, want [2]float64) {
	t.Helper()
	if !(got >= want[0]*0.99-0.1 && got <= want[1]*1.01+0.1) {
		t.Errorf("%s: %q is booked with %.1f s %s, want %v to %v", r.Piece, host, got, what, want[0], want[1])
	}
}

// checkSite holds the counts of hosts and cores and the coverage against the truth.
func (tc tale) checkSite(t *testing.T, s *stage, r usage.Reading) {
	t.Helper()
	from, to := since(r.Piece)
	steady, shift := true, 0.0
	cores, least, most, unseen := map[string]int{}, map[string]float64{}, map[string]float64{}, map[string]float64{}
	hosts := map[string]map[string]bool{}
	for _, m := range s.Machines {
		truth, there := s.Truth(m, from, to)
		steady = steady && s.Steady(m, from-10*time.Minute, to)
		state, _ := stateOf(r, m.Name)
		slack := tc.slackOf(s, m, from, to)
		shift += slack
		for series, modes := range truth {
			if hosts[series.Project] == nil {
				hosts[series.Project] = map[string]bool{}
			}
			hosts[series.Project][m.Name] = true
			cores[series.Project] += int(math.Round(there / (to - from).Seconds()))
			_, share := byMode(s.client.Query, modes)
			least[series.Project] += share - slack
			most[series.Project] += float64(mostCores(m)) * (to - from).Seconds()
			if state == usage.HostRefused {
				unseen[series.Project] += share
			}
		}
	}
	for project := range r.Present {
		if hosts[project] == nil && steady {
			t.Errorf("%s: hosts of a project that has none, %q: %v", r.Piece, project, r.Present[project])
		}
	}
	for project, all := range hosts {
		p, c := r.Present[project], r.Coverage[project]
		if p.Hosts < len(all) || steady && p.Hosts > len(all) {
			t.Errorf("%s: %d hosts of %q, want %d", r.Piece, p.Hosts, project, len(all))
		}
		if steady && p.Cores != cores[project] {
			t.Errorf("%s: %d cores of %q, want %d", r.Piece, p.Cores, project, cores[project])
		}
		if float64(c.Capacity) < least[project]*0.97 || float64(c.Capacity) > most[project]*1.03 {
			t.Errorf("%s: capacity of %q is %.0f, want %.0f to %.0f", r.Piece, project, c.Capacity, least[project], most[project])
		}
		if seen := least[project] - unseen[project]; steady && math.Abs(float64(c.Seen)-seen) > 0.02*most[project]+shift {
			t.Errorf("%s: of %q %.0f core seconds are seen, want %.0f", r.Piece, project, c.Seen, seen)
		}
	}
}

func all(t *testing.T, tales []tale) {
	t.Helper()
	for _, tc := range tales {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.test(t)
		})
	}
}

var noOptions engine.Options
