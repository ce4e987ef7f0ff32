// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package intensity_test

import (
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate/grids"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const gridKey = "hunter2-hunter2"

// truth changes every five minutes.
func truth(at time.Time) usage.GramsPerKWh {
	return usage.GramsPerKWh(250 + 150*math.Sin(float64(at.Unix())/7000))
}

func meanTruth(from time.Time, length time.Duration) float64 {
	var sum, n float64
	for at := from; at.Before(from.Add(length)); at = at.Add(5 * time.Minute) {
		sum, n = sum+float64(truth(at)), n+1
	}
	return sum / n
}

func key() (string, error) { return gridKey, nil }

// feedOf asks an imitation.
func feedOf(t *testing.T, server http.Handler, now time.Time, api func(url string) intensity.API) *intensity.Feed {
	t.Helper()
	s := httptest.NewServer(server)
	t.Cleanup(s.Close)
	return &intensity.Feed{
		API: api(s.URL), Name: "some", GridName: "grid", Now: func() time.Time { return now },
		Upstream: &upstream.Client{HTTP: s.Client(), UserAgent: "test", Timeout: time.Minute, MaxBytes: 32 << 20, Scrubber: upstream.NewScrubber(struct{ Token config.Secret }{gridKey})},
	}
}

func entsoe(emissions string) func(string) intensity.API {
	return func(url string) intensity.API {
		return &intensity.ENTSOE{URL: url + "/api", Zone: "DE-LU", Token: key, Emissions: emissions}
	}
}

func eia(emissions string, now time.Time) func(string) intensity.API {
	return func(url string) intensity.API {
		return &intensity.EIA{URL: url + "/", Respondent: "CISO", Token: key, Emissions: emissions, Now: func() time.Time { return now }}
	}
}

// serverOf is an imitation at a time.
func serverOf(now time.Time, s *grids.Server) {
	s.Now, s.Truth = func() time.Time { return now }, truth
}

// germany is ENTSO-E's server, with a switch set.
func germany(now time.Time, set func(*grids.ENTSOE)) *grids.ENTSOE {
	e := &grids.ENTSOE{Key: gridKey, Zone: "10Y1001A1001A82H"}
	serverOf(now, &e.Server)
	set(e)
	return e
}

// california is EIA's.
func california(now time.Time, set func(*grids.EIA)) *grids.EIA {
	e := &grids.EIA{Key: gridKey, Respondent: "CISO"}
	serverOf(now, &e.Server)
	set(e)
	return e
}

var directPlants = &grids.Plants{Coal: 937}

var stretches = []struct {
	name, from, to string
	requests       int
}{
	{"one half hour", "2026-06-01T12:00:00Z", "2026-06-01T12:30:00Z", 1},
	{"the second half of an hour", "2026-06-01T12:30:00Z", "2026-06-01T13:00:00Z", 1},
	{"half an hour around an hour", "2026-06-01T12:30:00Z", "2026-06-01T13:30:00Z", 1},
	{"a day to catch up with", "2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z", 1},
	{"over new year", "2026-12-31T20:00:00Z", "2027-01-01T04:00:00Z", 1},
	{"over a leap day", "2028-02-28T12:00:00Z", "2028-03-01T12:00:00Z", 1},
	{"the day of 23 hours in Berlin", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 1},
	{"the day of 25 hours in Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 1},
	{"the day of 25 hours in California", "2026-11-01T07:00:00Z", "2026-11-02T08:00:00Z", 1},
	{"five weeks", "2026-12-01T00:00:00Z", "2027-01-05T00:00:00Z", 4},
}

func TestGenerationOfAnyStretchHasTheTruth(t *testing.T) {
	now := time.Date(2028, 4, 1, 0, 0, 0, 0, time.UTC)
	for _, provider := range []struct {
		name   string
		server interface {
			http.Handler
			Requests() []string
		}
		api   func(string) intensity.API
		grain time.Duration // the shortest: of a shorter time, only the mean is known
		cut   bool          // into pages
	}{
		{name: "ENTSO-E", server: germany(now, func(*grids.ENTSOE) {}), api: entsoe(""), grain: usage.SlotLength},
		{name: "ENTSO-E, direct", server: germany(now, func(e *grids.ENTSOE) { e.Plants, e.Version = directPlants, "4:2" }), api: entsoe(usage.Direct), grain: usage.SlotLength},
		{name: "EIA", server: california(now, func(e *grids.EIA) { e.Numbers = true }), api: eia("", now), grain: time.Hour},
		{name: "EIA, page by page", server: california(now, func(e *grids.EIA) { e.Rows = 500 }), api: eia(usage.Lifecycle, now), grain: time.Hour, cut: true},
		{name: "EIA, direct", server: california(now, func(e *grids.EIA) { e.Plants = directPlants }), api: eia(usage.Direct, now), grain: time.Hour},
	} {
		f := feedOf(t, provider.server, now, provider.api)
		for _, test := range stretches {
			t.Run(provider.name+", "+test.name, func(t *testing.T) {
				before := len(provider.server.Requests())
				from, to := at(t, test.from), at(t, test.to)
				slots, rejects, err := f.Slots(t.Context(), from, to)
				if err != nil || len(rejects) > 0 || len(slots) != int(to.Sub(from)/usage.SlotLength) {
					t.Fatalf("got %d slots, %v, %v", len(slots), rejects, err)
				}
				for i, s := range slots {
					if want := from.Add(time.Duration(i) * usage.SlotLength); !s.From.Equal(want) {
						t.Fatalf("slot %d begins at %s, want %s", i, s.From, want)
					}
					if want := meanTruth(s.From.Truncate(provider.grain), provider.grain); s.Actual == nil || s.Forecast != nil || math.Abs(float64(*s.Actual)-want) > 0.001 {
						t.Fatalf("%s has %v, want %v", s.From, *s.Actual, want)
					}
				}
				if got := len(provider.server.Requests()) - before; got != test.requests && !provider.cut {
					t.Errorf("%d requests, want %d", got, test.requests)
				}
			})
		}
	}
}

// What is late leaves half hours without a value, and never with another one.
func TestLateTypesLeaveHalfHoursOut(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 10, 0, 0, time.UTC)
	f := feedOf(t, germany(now, func(e *grids.ENTSOE) { e.LateWind = 2 * time.Hour }), now, entsoe(""))
	slots, rejects, err := f.Slots(t.Context(), now.Add(-24*time.Hour), now)
	if err != nil || len(rejects) > 0 || len(slots) == 0 {
		t.Fatalf("got %d slots, %v, %v", len(slots), rejects, err)
	}
	if last := slots[len(slots)-1].From; !last.Equal(at(t, "2026-06-01T08:30:00Z")) {
		t.Errorf("the last is of %s", last)
	}
	// All of this has coal and nuclear, and nothing of it has wind.
	slots, rejects, err = f.Slots(t.Context(), at(t, "2026-06-01T09:00:00Z"), at(t, "2026-06-01T11:00:00Z"))
	if len(slots) > 0 || len(rejects) > 0 || err != nil {
		t.Errorf("asked for alone: %d slots, %v, %v", len(slots), rejects, err)
	}
	if remarks := f.Remarks(); len(remarks) > 0 {
		t.Errorf("remarks: %q", remarks)
	}
}

func TestENTSOEWithoutData(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 10, 0, 0, time.UTC)
	for _, status := range []int{http.StatusOK, http.StatusBadRequest} {
		f := feedOf(t, germany(now, func(e *grids.ENTSOE) { e.Refusal = status }), now, entsoe(""))
		_, _, err := f.Slots(t.Context(), at(t, "2026-06-03T11:30:00Z"), at(t, "2026-06-03T12:00:00Z"))
		if failed := usage.FailureOf(err); failed == nil || failed.Permanent || failed.Reason != usage.ReasonPartial || !strings.Contains(err.Error(), "no data: No matching data found for Data item Aggregated Generation per Type & interval 2026-06-02T11:30Z") {
			t.Errorf("status %d: %v", status, err)
		}
	}
}

func TestEIAWithoutRows(t *testing.T) {
	now := time.Date(2026, 6, 10, 12, 10, 0, 0, time.UTC)
	server := california(now, func(e *grids.EIA) { e.Late = 36 * time.Hour })
	f := feedOf(t, server, now, eia("", now))
	slots, rejects, err := f.Slots(t.Context(), now.Add(-4*time.Hour), now)
	if len(slots)+len(rejects) > 0 || err != nil {
		t.Errorf("too early: got %d slots, %v, %v", len(slots), rejects, err)
	}
	server.Respondent = "PJM"
	_, _, err = f.Slots(t.Context(), now.Add(-72*time.Hour), now)
	if failed := usage.FailureOf(err); failed == nil || failed.Permanent || !strings.Contains(failed.Cause, `no rows of the respondent "CISO"`) {
		t.Errorf("no such respondent: %v", err)
	}
}

func TestAKeyIsNeverShown(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 10, 0, 0, time.UTC)
	for name, provider := range map[string]struct {
		server interface {
			http.Handler
			Break(int)
		}
		api func(string) intensity.API
	}{
		"ENTSO-E": {germany(now, func(e *grids.ENTSOE) { e.Key = "another" }), entsoe("")},
		"EIA":     {california(now, func(e *grids.EIA) { e.Key = "another" }), eia("", now)},
	} {
		for _, status := range []int{0, http.StatusBadGateway, http.StatusTooManyRequests, http.StatusTeapot, grids.Dead} {
			provider.server.Break(status)
			f := feedOf(t, provider.server, now, provider.api)
			_, _, err := f.Slots(t.Context(), now.Add(-4*time.Hour), now)
			failed := usage.FailureOf(err)
			if failed == nil {
				t.Fatalf("%s, %d: %v", name, status, err)
			}
			if text := err.Error() + failed.Cause; strings.Contains(text, "hunter2") {
				t.Errorf("%s, %d: shows the key: %s", name, status, text)
			}
			if status == 0 && (failed.Reason != usage.ReasonAuth || !strings.Contains(failed.Cause, "correct token_file or token")) {
				t.Errorf("%s: %v, %s", name, err, failed.Cause)
			}
		}
	}
}

func TestAKeyIsReadForEachRequest(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 10, 0, 0, time.UTC)
	server := germany(now, func(*grids.ENTSOE) {})
	text, fault := "", error(nil)
	f := feedOf(t, server, now, func(url string) intensity.API {
		return &intensity.ENTSOE{URL: url + "/api", Zone: "10Y1001A1001A82H", Token: func() (string, error) { return text, fault }}
	})
	for _, step := range []struct {
		name, text string
		fault      error
		want       string
	}{
		{name: "an empty file", text: " \n", want: "the key is empty: set token_file"},
		{name: "no file", fault: errors.New("open key: no such file"), want: "the key cannot be read; set token_file to the file that holds the key of the API, or token to the key: open key: no such file"},
		{name: "a new file", text: gridKey + "\n"},
	} {
		text, fault = step.text, step.fault
		_, _, err := f.Slots(t.Context(), now.Add(-8*time.Hour), now)
		if (err == nil) != (step.want == "") || err != nil && !strings.Contains(err.Error(), step.want) {
			t.Errorf("%s: %v", step.name, err)
		}
	}
	if n := len(server.Requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}
