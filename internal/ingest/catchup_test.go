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
		if req.Form.Get("step") == "" {
			return
		}
		end := time.Unix(int64(number(req.Form, "end")), 0).UTC()
		if !slices.Contains(ends, end) {
			ends = append(ends, end)
		}
	}
	return &ends
}

func TestTheNewestIntervalComesBeforeABacklog(t *testing.T) {
	r := aged(t, func(s *Settings) { s.Lookback = 96 * time.Hour })
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
	r := aged(t, func(s *Settings) { s.Lookback = 96 * time.Hour })
	var last float64
	long, present := false, 0
	r.server.heard = func(req *http.Request) {
		if req.Form.Get("step") == "" || number(req.Form, "end") == last {
			return // about the same run
		}
		last = number(req.Form, "end")
		if last-number(req.Form, "start") > 3600 {
			if long {
				t.Errorf("two runs of the backlog follow each other, to %v", time.Unix(int64(last), 0).UTC())
			}
			long = true
			r.now = r.now.Add(time.Hour)
			return
		}
		if lag := r.now.Sub(time.Unix(int64(last), 0)); long && lag < time.Hour {
			present++
		}
		long = false
	}
	if err := r.energy(); err != nil {
		t.Fatal(err)
	}
	if present != 4 {
		t.Errorf("the present was asked for %d times, want once after each run of the backlog", present)
	}
	if n := r.states()[usage.Missing]; n != 0 {
		t.Errorf("%d are missing", n)
	}
}

// A backfill that runs ahead of an exporter which was away leaves no hole behind.
func TestAnExporterFillsTheHoleBeforeABackfill(t *testing.T) {
	want := aged(t)
	want.both()
	want.now = want.now.Add(72 * time.Hour)
	want.both()

	r := aged(t)
	r.both()
	r.now = r.now.Add(72 * time.Hour)
	r.mustBackfill(hours(40, 60))
	r.want(map[usage.State]int{usage.Provisional: 48 + 24, usage.Settled: 16})
	r.restart()
	r.both()
	if n := r.states(); n[usage.Missing] != 0 || n[usage.Settled]+n[usage.Provisional] != 48+144 {
		t.Errorf("intervals by state are %v", n)
	}
	for _, x := range []*rig{want, r} {
		x.now = start.Add(72*time.Hour + 15*time.Minute)
		x.both()
	}
	if got, want := r.dump(), want.dump(); got != want {
		t.Errorf("the record differs:\n%s", firstDifference(got, want))
	}
}

// Whoever fills a store before an exporter has ever run on it finds no hole
// between the two either.
func TestAnExporterGoesOnWhereABackfillHasBegun(t *testing.T) {
	r := aged(t)
	r.mustBackfill(hours(-96, -60))
	r.both()
	r.want(map[usage.State]int{usage.Settled: 72 + 72, usage.Provisional: 48})
}
