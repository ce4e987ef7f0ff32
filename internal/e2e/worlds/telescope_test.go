// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// at asks the engine itself for a number at a moment after noon; false: it has none.
func (s *stage) at(t testing.TB, promql string, at time.Duration) (float64, bool) {
	t.Helper()
	answer, err := http.PostForm(s.URL+"/api/v1/query", url.Values{
		"query": {promql}, "time": {strconv.FormatFloat(float64(worlds.Noon.Add(at).UnixMilli())/1000, 'f', 3, 64)},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var said struct {
		Status string
		Data   struct{ Result []struct{ Value [2]any } }
	}
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil || said.Status != "success" || len(said.Data.Result) > 1 {
		t.Fatalf("%s: %+v, %v", promql, said, err)
	}
	if len(said.Data.Result) == 0 {
		return 0, false
	}
	v, err := strconv.ParseFloat(said.Data.Result[0].Value[1].(string), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v, true
}

func (s *stage) selector(m *worlds.Machine, modes []string, more string) string {
	return fmt.Sprintf(`%s{world=%q,%s=%q,%s=~%q%s}`, s.Shape.Metric, m.Labels["world"], s.Shape.Host, m.Name, s.Shape.Mode, strings.Join(modes, "|"), more)
}

// A world's counters in the engine grow as its truth does.
func TestWorldsAreTrue(t *testing.T) {
	m := phased(linux("a"), worlds.Phase{At: minutes(40), Load: worlds.Load{"user": 0.6, "nice": 0, "system": 0, "irq": 0, "softirq": 0, "idle": 0.4, "iowait": 0, "steal": 0}})
	s := open(t, newWorld(m), noOptions, nil)
	for i := range 3 {
		from, to := minutes(30*float64(i)), minutes(30*float64(i+1))
		truth, cores := s.Truth(m, from, to)
		if cores != 7200 || len(truth) != 1 {
			t.Fatalf("%v cores x seconds, and time of %v", cores, truth)
		}
		for _, modes := range truth {
			want, _ := byMode(s.client.Query, modes)
			before, _ := s.at(t, "sum("+s.selector(m, s.client.Query.BusyModes, "")+")", from)
			after, _ := s.at(t, "sum("+s.selector(m, s.client.Query.BusyModes, "")+")", to)
			slack := 1e-6
			if i == 1 { // the load changes, as seen with the next scrape
				slack = 30 * 4
			}
			if !near(after-before, float64(want.Busy), 0, slack) {
				t.Errorf("half hour %d: the counters grow by %v, truth %v", i, after-before, want.Busy)
			}
		}
	}
}

// Telescoping: what a run of intervals adds up to is the growth of the raw counters over it,
// whatever holes the scrapes have and whenever they come, unless a hole lies over an end of
// the run itself.
func TestTelescoping(t *testing.T) {
	for seed := range (*seeds + 1) / 2 {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 7))
			w := newWorld()
			w.Seed, w.From, w.To = seed, minutes(-30), minutes(150)
			for i := range 4 {
				w.Machines = append(w.Machines, throughout(random, fmt.Sprint("host-", i)))
			}
			lengths := []float64{5, 10, 15, 30, 30, 60}
			length := lengths[random.IntN(len(lengths))]
			s := open(t, w, noOptions, nil)
			all := run(minutes(length), int(120/length))
			readings := s.read(t, all)
			for _, m := range w.Machines {
				s.checkTelescopes(t, m, readings)
			}
			s.checkChunks(t, all, readings, nil)
		})
	}
}

// throughout is a machine that lives throughout, works now more and now less, and is scraped
// with holes.
func throughout(random *rand.Rand, name string) *worlds.Machine {
	m := linux(name)
	m.Cores, m.Skew, m.Uptime = 1+random.IntN(6), 0.1*random.Float64(), time.Duration(1+random.IntN(1000))*time.Hour
	for at := -30.0; at < 150; at += 1 + 20*random.Float64() {
		busy, steal := 0.8*random.Float64(), 0.1*random.Float64()
		if random.IntN(3) == 0 {
			busy, steal = 0, 0
		}
		idle := 1 - busy*0.9 - steal
		m.Phases = append(m.Phases, worlds.Phase{At: minutes(at), Load: worlds.Load{
			"user": busy * 0.6, "nice": 0, "system": busy * 0.25, "irq": 0, "softirq": busy * 0.05, "idle": idle * 0.95, "iowait": idle * 0.05, "steal": steal,
		}})
	}
	s := worlds.Scrape{Every: []time.Duration{15 * time.Second, 30 * time.Second, time.Minute}[random.IntN(3)], Silent: random.IntN(2) == 0}
	s.Offset = time.Duration(random.Int64N(s.Every.Milliseconds())) * time.Millisecond
	s.Jitter = time.Duration(random.Int64N(5000)) * time.Millisecond
	for range random.IntN(5) {
		from := -20 + 160*random.Float64()
		s.Holes = append(s.Holes, worlds.Hole{From: minutes(from), To: minutes(from + 0.5 + 25*random.Float64()*random.Float64()), Unmarked: random.IntN(2) == 0})
	}
	return scraped(m, s)
}

// checkTelescopes adds up every run of readings whose ends have samples on both sides.
func (s *stage) checkTelescopes(t *testing.T, m *worlds.Machine, readings []usage.Reading) {
	t.Helper()
	type edge struct {
		index      int
		busy, idle float64
	}
	var edges []edge
	q := s.client.Query
	within := m.Scrapes[0].Every + m.Scrapes[0].Jitter + time.Second
	for i := range len(readings) + 1 {
		var at time.Duration
		if i < len(readings) {
			at, _ = since(readings[i].Piece)
		} else {
			_, at = since(readings[i-1].Piece)
		}
		when := "timestamp(" + s.selector(m, []string{"idle"}, `,cpu="0"`) + ")"
		last, before := s.at(t, when, at)
		next, after := s.at(t, when, at+within)
		edgeAt := float64(worlds.Noon.Add(at).Unix())
		if !before || !after || last < edgeAt-within.Seconds() || next <= edgeAt {
			continue // a hole
		}
		e := edge{index: i}
		e.busy, _ = s.at(t, "sum("+s.selector(m, q.BusyModes, "")+")", at)
		e.idle, _ = s.at(t, "sum("+s.selector(m, q.IdleModes, "")+")", at)
		edges = append(edges, e)
	}
	for i, from := range edges {
		for _, to := range edges[i+1:] {
			var got seconds
			for _, r := range readings[from.index:to.index] {
				b := sum(booked(r, m.Name))
				got.Busy, got.Idle = got.Busy+b.Busy, got.Idle+b.Idle
			}
			may := 1e-6 + 0.5e-6*float64(to.index-from.index) // a reading is told to the microsecond, and these machines count finer
			if !near(float64(got.Busy), to.busy-from.busy, 1e-9, may) || !near(float64(got.Idle), to.idle-from.idle, 1e-9, may) {
				t.Errorf("%q, holes %v: from edge %d to %d %.6f busy and %.6f idle are booked, the counters grew by %.6f and %.6f", m.Name,
					m.Scrapes[0].Holes, from.index, to.index, got.Busy, got.Idle, to.busy-from.busy, to.idle-from.idle)
				return
			}
		}
	}
}
