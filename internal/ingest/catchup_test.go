// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// order is the end of each run that Prometheus is asked for, each once.
func (r *rig) order() *[]time.Time {
	var ends []time.Time
	r.server.heard = func(req *http.Request) {
		if over, ok := run(req.Form); ok && !slices.Contains(ends, over.To) {
			ends = append(ends, over.To)
		}
	}
	return &ends
}

func TestTheNewestIntervalComesBeforeABacklog(t *testing.T) {
	r := desert(t, func(s *Settings) { s.Lookback = 96 * time.Hour })
	asked := r.order()
	if err := r.energy(); err != nil {
		t.Fatal(err)
	}
	want := []time.Time{start, start.Add(-72 * time.Hour), start.Add(-48 * time.Hour), start.Add(-24 * time.Hour), start.Add(-30 * time.Minute)}
	if !slices.Equal(*asked, want) {
		t.Errorf("asked for runs that end at %v\nwant %v", *asked, want)
	}
}

// An hour goes by with every run of a backlog: the newest interval by then is asked
// for before the next.
func TestABacklogThatTakesHoursDoesNotHoldUpThePresent(t *testing.T) {
	r := aged(t, func(s *Settings) { s.Lookback = 24 * time.Hour })
	r.live.chunk.shrink(16) // as after a day that was too much
	var last time.Time
	long, runs, present := false, 0, 0
	r.server.heard = func(req *http.Request) {
		over, ok := run(req.Form)
		if !ok || over.To.Equal(last) {
			return // about the same run
		}
		last = over.To
		if over.To.Sub(over.From) > 90*time.Minute {
			if long {
				t.Errorf("two runs of the backlog follow each other, to %v", last)
			}
			long = true
			runs++
			r.now = r.now.Add(time.Hour)
			return
		}
		if lag := r.now.Sub(last); long && lag < time.Hour {
			present++
		}
		long = false
	}
	if err := r.energy(); err != nil {
		t.Fatal(err)
	}
	if runs < 3 || present != runs {
		t.Errorf("the present was asked for %d times, want once after each of %d runs of the backlog", present, runs)
	}
	if n := r.states()[usage.Missing]; n != 0 {
		t.Errorf("%d are missing", n)
	}
}

// A backfill that runs ahead of an exporter which was away leaves no hole behind.
func TestAnExporterFillsTheHoleBeforeABackfill(t *testing.T) {
	want := aged(t, func(s *Settings) { s.Lookback = 2 * time.Hour })
	want.both()
	want.now = want.now.Add(12 * time.Hour)
	want.both()

	r := aged(t, func(s *Settings) { s.Lookback = 2 * time.Hour })
	r.both()
	r.now = r.now.Add(12 * time.Hour)
	r.mustBackfill(hours(7, 10))
	r.want(map[usage.State]int{usage.Provisional: 4 + 6})
	r.restart()
	r.both()
	r.want(map[usage.State]int{usage.Provisional: 4 + 24})
	for _, x := range []*rig{want, r} {
		x.now = start.Add(12*time.Hour + 15*time.Minute)
		x.both()
	}
	if got, want := r.dump(), want.dump(); got != want {
		t.Errorf("the record differs:\n%s", firstDifference(got, want))
	}
}

// Whoever fills a store before an exporter has ever run on it finds no hole
// between the two either.
func TestAnExporterGoesOnWhereABackfillHasBegun(t *testing.T) {
	r := aged(t, func(s *Settings) { s.Lookback = time.Hour })
	r.mustBackfill(hours(-12, -8))
	r.both()
	r.want(map[usage.State]int{usage.Provisional: 24})
}
