// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package intensity_test reads carbon intensity from the engine of Prometheus itself.
package intensity_test

import (
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var (
	start = time.Date(2026, 3, 28, 22, 0, 0, 0, time.UTC)
	end   = start.Add(30 * time.Hour)
)

// halfHourly and hourly are truths that are others in each half hour, and in each hour.
func halfHourly(t time.Time) float64 { return 60 + float64(t.Unix()/1800*37%211) }
func hourly(t time.Time) float64     { return halfHourly(t.Truncate(time.Hour)) }

// series are samples of a truth: as long before a sample as of, for a recording of the past.
func series(first time.Time, apart, of time.Duration, truth func(time.Time) float64) (all []engine.Sample) {
	for at := first; at.Before(end.Add(2 * time.Hour)); at = at.Add(apart) {
		all = append(all, engine.At(at, truth(at.Add(-of))))
	}
	return all
}

func TestHalfHoursOfAPrometheusAreTheTruth(t *testing.T) {
	for _, test := range []struct {
		name    string
		samples []engine.Sample
		query   string
		truth   func(time.Time) float64
	}{
		{"a gauge of now, each 15 s", series(start.Add(-50*time.Minute+7*time.Second), 15*time.Second, 0, halfHourly), "avg(grid)", halfHourly},
		{"a gauge of now, each minute", series(start.Add(-50*time.Minute+53*time.Second), time.Minute, 0, halfHourly), "grid", halfHourly},
		{"a sample an hour with a time of its own", series(start.Add(-2*time.Hour), time.Hour, 0, hourly), `sum by (location) (grid{location="DE"})`, hourly},
		{"a recording of hourly values, each minute", series(start.Add(-2*time.Hour), time.Minute, 0, hourly), "grid", hourly},
		{"a recording of the hour before, each hour", series(start.Add(-2*time.Hour), time.Hour, time.Hour, hourly), "grid offset -1h", hourly},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, url := enginetest.Serve(t, engine.Options{})
			if err := e.Append(t.Context(), engine.NewSeries(map[string]string{"__name__": "grid", "location": "DE"}), test.samples...); err != nil {
				t.Fatal(err)
			}
			slots, rejects, err := feed(t, url, test.query).Slots(t.Context(), start, end)
			if len(slots) != 60 || len(rejects) != 0 || err != nil {
				t.Fatalf("got %d slots, %v, %v, want 60", len(slots), rejects, err)
			}
			for _, s := range slots {
				if want := test.truth(s.From); math.Abs(float64(*s.Actual)-want) > 1e-9 {
					t.Errorf("%s: got %v, want %v", s.From.Format(time.RFC3339), *s.Actual, want)
				}
			}
		})
	}
}

// A series that ends is known until its last value no longer holds.
func TestAPrometheusWhoseExporterIsGone(t *testing.T) {
	e, url := enginetest.Serve(t, engine.Options{})
	at := func(minutes int, v float64) engine.Sample {
		return engine.At(start.Add(time.Duration(minutes)*time.Minute), v)
	}
	if err := e.Append(t.Context(), engine.NewSeries(map[string]string{"__name__": "grid"}), at(0, 100), at(1, engine.Stale()), at(200, math.NaN()), at(210, 50)); err != nil {
		t.Fatal(err)
	}
	slots, rejects, err := feed(t, url, "grid").Slots(t.Context(), start, start.Add(6*time.Hour))
	var got []time.Duration
	for _, s := range slots {
		got = append(got, s.From.Sub(start))
	}
	if len(got) != 4 || got[1] != 30*time.Minute || got[2] != 210*time.Minute || got[3] != 4*time.Hour || rejects[intensity.RejectValue] != 5 || err != nil {
		t.Errorf("got %v, %v, %v", got, rejects, err)
	}
}

func TestAPrometheusThatRefusesTheQuery(t *testing.T) {
	e, url := enginetest.Serve(t, engine.Options{})
	for _, location := range []string{"DE", "FR"} {
		if err := e.Append(t.Context(), engine.NewSeries(map[string]string{"__name__": "grid", "location": location}), engine.At(start, 1)); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]string{
		"grid":     "the query of carbon intensity returns 2 series, which differ in location: name one by its labels, or aggregate them, such as avg(...)",
		"other":    "the query of carbon intensity returns no series from 2026-03-28T21:00Z to 2026-03-28T23:00Z: check its name and labels in the server's own page, and that its exporter was scraped then",
		"avg(grid": `the server refuses the query of carbon intensity: run it in the server's own page and correct it; it says: bad_data: invalid parameter "query": 1:9: parse error: unclosed left parenthesis`,
	} {
		_, _, err := feed(t, url, query).Slots(t.Context(), start, start.Add(time.Hour))
		if err == nil || usage.Cause(err) != want {
			t.Errorf("%s: got %v\nwant %s", query, err, want)
		}
	}
}

func feed(t *testing.T, url, query string) *intensity.Feed {
	h := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(h.CloseIdleConnections)
	now := func() time.Time { return end.Add(time.Hour) }
	return &intensity.Feed{
		API:      &intensity.Prometheus{URL: url, Query: query, Unit: 1, Hold: time.Hour, Now: now},
		Upstream: &upstream.Client{HTTP: h, UserAgent: "test", Timeout: time.Minute, MaxBytes: 32 << 20},
		Name:     "prometheus", GridName: "DE", Now: now,
	}
}
