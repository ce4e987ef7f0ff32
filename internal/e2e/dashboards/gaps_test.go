// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The six days of two machine types, with three holes of 26 hours: nobody scrapes the exporter;
// it is scraped and gets nothing, so that its last interval stays on /metrics; and it collects, and
// of one of the types no machine runs.
const hole = 26 * time.Hour

var (
	holesEnd   = usage.FloorEpoch(when, day)
	holesBegin = holesEnd.AddDate(0, 0, -6)
	unscraped  = holesBegin.Add(day)
	stale      = holesBegin.Add(3 * day)
	resting    = holesBegin.Add(4*day + 12*time.Hour)
)

func within(at, from time.Time) bool { return !at.Before(from) && at.Before(from.Add(hole)) }

// withHoles is a Prometheus with those six days.
func withHoles(t *testing.T) *site {
	t.Helper()
	e, address := enginetest.Serve(t, engine.Options{})
	samples := map[string][]engine.Sample{}
	add := func(name string, at time.Time, v float64) { samples[name] = append(samples[name], engine.At(at, v)) }
	var last float64
	for at := holesBegin; !at.After(holesEnd); at = at.Add(time.Minute) {
		if within(at, unscraped) {
			continue
		}
		if !within(at, stale) {
			last = float64(usage.FloorEpoch(at, usage.SlotLength).Unix())
		}
		add("last", at, last)
		add("length", at, usage.SlotLength.Seconds())
		add("steady", at, 16)
		if !within(at, resting) {
			add("resting", at, 4)
		}
	}
	series := map[string]map[string]string{
		"last":    {"__name__": "carbon_last_complete_interval_timestamp_seconds"},
		"length":  {"__name__": "carbon_interval_seconds"},
		"steady":  {"__name__": "carbon_power_watts", "machine": "steady", "mode": "busy", "project": "p", "group": "g", "user": "u"},
		"resting": {"__name__": "carbon_power_watts", "machine": "resting", "mode": "busy", "project": "p", "group": "g", "user": "u"},
	}
	for name, labels := range series {
		labels["job"], labels["instance"] = "carbon", "a:9977"
		if err := e.Append(t.Context(), engine.NewSeries(labels), samples[name]...); err != nil {
			t.Fatal(err)
		}
	}
	return &site{now: holesEnd, url: address}
}

func TestWhatIsNotKnownIsAGapAndWhatDoesNotRunIsZero(t *testing.T) {
	s := withHoles(t)
	const every = 10 * time.Minute
	expr := query(t, "Carbon / Project, group, user", "Power by machine type", 0)
	got, err := s.ranged(expr, holesBegin, holesEnd, every)
	if err != nil {
		t.Fatalf("%v: %s", err, expr)
	}
	shown := map[string]map[int64]string{}
	for _, series := range got.Result {
		of := map[int64]string{}
		for _, v := range series.Values {
			at, _ := v[0].(float64)
			of[int64(at)], _ = v[1].(string)
		}
		shown[series.Metric["machine"]] = of
	}
	if names := slices.Sorted(maps.Keys(shown)); !slices.Equal(names, []string{"resting", "steady"}) {
		t.Fatalf("shows %v: %s", names, expr)
	}
	const lookback = 5 * time.Minute                         // of Prometheus
	known := stale.Add(-usage.SlotLength).Add(2 * time.Hour) // CarbonDataStale
	for at := holesBegin; !at.After(holesEnd); at = at.Add(every) {
		if from := at.Add(-lookback); within(at, unscraped) != within(from, unscraped) || within(at, resting) != within(from, resting) {
			continue
		}
		want := [2]string{"16", "4"}
		switch {
		case within(at, unscraped), within(at, stale) && at.After(known):
			want = [2]string{}
		case within(at, resting):
			want[1] = "0"
		}
		if got := [2]string{shown["steady"][at.Unix()], shown["resting"][at.Unix()]}; got != want {
			t.Errorf("%s: steady and resting are %q, want %q", at.Format(time.DateTime), got, want)
		}
	}
}

func TestThenIsNotShownAsNow(t *testing.T) {
	s := withHoles(t)
	for _, panel := range []string{"Power now", "Idle now"} {
		expr := query(t, "Carbon / Project, group, user", panel, 0)
		for at, known := range map[time.Time]bool{holesEnd: true, stale.Add(hole / 2): false, unscraped.Add(hole / 2): false} {
			if got, err := s.instant(expr, at); err != nil || (len(got.Result) > 0) != known {
				t.Errorf("%s at %s: %v (%v): %s", panel, at.Format(time.DateTime), got.Result, err, expr)
			}
		}
	}
}
