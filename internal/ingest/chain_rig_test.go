// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// station is a server of carbon intensity in a format of the tests. It has values of any length,
// comes late, revises and dies.
type station struct {
	name  string
	now   func() time.Time
	grain time.Duration
	late  time.Duration // after the end of a value
	// truth is the value that begins at a time, as it is told now; below 0: there is none.
	truth func(at, now time.Time) usage.GramsPerKWh
	basis usage.Basis
	ahead bool // whether it has forecasts, each 7 g too high
	terms func(*usage.Terms)

	status int // of every answer; 0: well. Set it while nobody asks, or by fail
	asked  int
	mu     sync.Mutex // a loop asks while the test goes on
}

func (s *station) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked++
	status := s.status
	s.mu.Unlock()
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	from, _ := strconv.ParseInt(r.URL.Query().Get("from"), 10, 64)
	to, _ := strconv.ParseInt(r.URL.Query().Get("to"), 10, 64)
	for at := time.Unix(from, 0).UTC().Truncate(s.grain); at.Before(time.Unix(to, 0)); at = at.Add(s.grain) {
		v := s.truth(at, s.now())
		if v < 0 {
			continue
		}
		if !at.Add(s.grain + s.late).After(s.now()) {
			fmt.Fprintln(w, at.Unix(), int64(s.grain.Seconds()), "actual", float64(v))
		}
		if s.ahead {
			fmt.Fprintln(w, at.Unix(), int64(s.grain.Seconds()), "forecast", float64(v+7))
		}
	}
	fmt.Fprintln(w, "end")
}

// fail makes every answer of a running station one of this status; 0: it is well again.
func (s *station) fail(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

// grid is the station as a source.
func (s *station) grid() Grid {
	return &intensity.Feed{
		API: stationAPI{s}, Upstream: local(s), Name: s.name, GridName: "FR", Now: s.now,
	}
}

// stationAPI reads a station.
type stationAPI struct{ *station }

func (a stationAPI) Terms() usage.Terms {
	t := usage.Terms{Basis: a.basis, Forecasts: a.ahead, Longest: 10 * 24 * time.Hour}
	if a.station.terms != nil {
		a.station.terms(&t)
	}
	return t
}

func (a stationAPI) Values(ctx context.Context, get intensity.Get, from, to time.Time) (intensity.Answer, error) {
	text, err := get(ctx, fmt.Sprintf("http://%s.test/?from=%d&to=%d", a.name, from.Unix(), to.Unix()), nil)
	var answer intensity.Answer
	for line := range strings.Lines(string(text)) {
		var start, length int64
		var v intensity.Value
		if _, err := fmt.Sscan(line, &start, &length, &v.Kind, &v.Intensity); err == nil {
			v.From, v.To = time.Unix(start, 0).UTC(), time.Unix(start+length, 0).UTC()
			answer.Values = append(answer.Values, v)
		}
	}
	return answer, err
}

func (a stationAPI) Outlook(ctx context.Context, get intensity.Get, from, to time.Time) (intensity.Answer, error) {
	return a.Values(ctx, get, from, to)
}

// wave is a truth that is different in every five minutes, and between stations.
func wave(of usage.GramsPerKWh) func(at, now time.Time) usage.GramsPerKWh {
	return func(at, _ time.Time) usage.GramsPerKWh { return of + usage.GramsPerKWh(at.Unix()/300%97) }
}

// meanOf is the truth of a station in a half hour.
func (s *station) meanOf(slot time.Time) usage.GramsPerKWh {
	if s.grain >= usage.SlotLength {
		return s.truth(slot.Truncate(s.grain), s.now())
	}
	var sum, n usage.GramsPerKWh
	for at := slot; at.Before(slot.Add(usage.SlotLength)); at = at.Add(s.grain) {
		sum, n = sum+s.truth(at, s.now()), n+1
	}
	return sum / n
}

// chained is a rig whose usage is priced by stations, and the value that stands in for them.
func chained(t testing.TB, fixed usage.GramsPerKWh, stations ...*station) *rig {
	r := newRig(t, func(s *Settings) { s.Grid = nil })
	for _, s := range stations {
		s.now = func() time.Time { return r.now }
	}
	r.chain(fixed, stations...)
	return r
}

// chain replaces the sources, as a reload does.
func (r *rig) chain(fixed usage.GramsPerKWh, stations ...*station) {
	set := r.spine.current()
	set.Grid = nil
	for _, s := range stations {
		set.Grid = append(set.Grid, s.grid())
	}
	if fixed > 0 {
		set.Grid = append(set.Grid, &intensity.Static{Intensity: fixed, GridName: "FR", Now: func() time.Time { return r.now }})
	}
	r.spine.Reload(set)
}

// round is a minute of both loops, whatever fails.
func (r *rig) round() {
	set := r.spine.current()
	r.energy() //nolint:errcheck // tests look at the outcome
	r.grams.forget(set)
	r.grams.askAll(context.Background(), set)
	unpriced, err := r.grams.reprice(context.Background(), set)
	if err != nil {
		r.t.Fatal(err)
	}
	r.grams.next(set, unpriced)
}

// elapse lets time pass, a round every ten minutes.
func (r *rig) elapse(d time.Duration) { r.elapseBy(10*time.Minute, d) }

// elapseBy lets time pass with rounds that far apart.
func (r *rig) elapseBy(step, d time.Duration) {
	for end := r.now.Add(d); r.now.Before(end); {
		r.now = r.now.Add(step)
		r.round()
	}
}

// priced is what is known of all intervals, by their start.
func (r *rig) priced() map[time.Time]usage.Proof {
	r.t.Helper()
	known, err := r.store.Known(context.Background(), usage.Period{From: start.Add(-72 * time.Hour), To: r.now})
	if err != nil {
		r.t.Fatal(err)
	}
	all := map[time.Time]usage.Proof{}
	for at := range known {
		all[at] = r.proof(usage.IntervalAt(at, r.spine.current().Interval))
	}
	return all
}

// providers counts the intervals by what priced them.
func (r *rig) providers() map[string]int {
	counts := map[string]int{}
	for _, p := range r.priced() {
		if len(p.Prices) == 0 {
			counts[""]++
		} else {
			counts[p.Prices[0].Provider]++
		}
	}
	return counts
}
