// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package intensity

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate/grids"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const emKey = "k3y-of-Electricity-Maps"

// emFeed is a feed of an imitated server, a minute before now of the other tests.
func emFeed(t *testing.T) (*Feed, *ElectricityMaps, *grids.ElectricityMaps) {
	t.Helper()
	clock := func() time.Time { return now }
	server := &grids.ElectricityMaps{
		Server: grids.Server{Now: clock, Truth: fiveMinutes},
		Key:    emKey, Zone: "FR", Measured: 5 * time.Hour, Forecasts: 72 * time.Hour,
	}
	s := httptest.NewServer(server)
	t.Cleanup(s.Close)
	h := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(h.CloseIdleConnections)
	api := &ElectricityMaps{
		URL: s.URL + "/v4/", Zone: "FR", Estimates: true, Horizon: 48 * time.Hour, Now: clock,
		Token: func() (string, error) { return emKey, nil },
	}
	return &Feed{
		API: api, Name: "electricity_maps", GridName: "FR", Now: clock,
		Upstream: &upstream.Client{HTTP: h, UserAgent: "test", Timeout: 30 * time.Second, MaxBytes: 32 << 20},
	}, api, server
}

// fiveMinutes is another truth for each five minutes of a day.
func fiveMinutes(at time.Time) usage.GramsPerKWh { return usage.GramsPerKWh(50 + at.Unix()/300%288) }

// meanOf is the mean of fiveMinutes.
func meanOf(from time.Time, length time.Duration) (mean usage.GramsPerKWh) {
	for at := from; at.Before(from.Add(length)); at = at.Add(5 * time.Minute) {
		mean += fiveMinutes(at) / usage.GramsPerKWh(length/(5*time.Minute))
	}
	return mean
}

// wantEachSlot holds every half hour of a stretch to the mean of what covers it, once.
func wantEachSlot(t *testing.T, slots []usage.Slot, from, to time.Time, step time.Duration, factor usage.GramsPerKWh) {
	t.Helper()
	if want := int(to.Sub(from) / usage.SlotLength); len(slots) != want {
		t.Errorf("%d slots, want %d", len(slots), want)
		return
	}
	for i, s := range slots {
		begin := from.Add(time.Duration(i) * usage.SlotLength)
		want := factor * meanOf(begin, usage.SlotLength)
		if step > usage.SlotLength {
			want = factor * meanOf(begin.Truncate(step), step)
		}
		if !s.From.Equal(begin) || s.Actual == nil || math.Abs(float64(*s.Actual-want)) > 1e-9 {
			t.Errorf("slot %d is %s, want %s %v", i, say(slots[i:i+1]), begin.Format("15:04"), want)
			return
		}
	}
}

// spansOfTime are times at whose edges clocks, calendars and requests end.
var spansOfTime = []struct{ name, from, to string }{
	{"one half hour", "2027-01-10T12:00:00Z", "2027-01-10T12:30:00Z"},
	{"the second half of an hour", "2027-01-10T12:30:00Z", "2027-01-10T13:00:00Z"},
	{"over new year", "2026-12-31T20:30:00Z", "2027-01-01T04:30:00Z"},
	{"the leap day", "2024-02-28T23:00:00Z", "2024-03-01T00:30:00Z"},
	{"the hour that is there twice in Paris", "2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z"},
	{"the last half hour of a year alone", "2026-12-31T23:30:00Z", "2027-01-01T00:00:00Z"},
	{"the day of 23 hours in Paris", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
	{"the day of 25 hours in Los Angeles", "2026-11-01T07:00:00Z", "2026-11-02T08:00:00Z"},
	{"five weeks", "2026-12-01T00:30:00Z", "2027-01-05T00:00:00Z"},
}

func TestElectricityMapsHasEachSlotOfAnyStretch(t *testing.T) {
	for _, step := range []time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour} {
		for _, s := range spansOfTime {
			t.Run(fmt.Sprintf("%s in steps of %s", s.name, step), func(t *testing.T) {
				feed, api, _ := emFeed(t)
				api.Step = step
				slots, rejects, err := feed.Slots(t.Context(), at(s.from), at(s.to))
				if err != nil || len(rejects) > 0 || len(feed.Remarks()) > 0 {
					t.Fatalf("%v, %v, %q", rejects, err, feed.Remarks())
				}
				wantEachSlot(t, slots, at(s.from), at(s.to), step, 1)
			})
		}
	}
}

func TestElectricityMapsOfNowIsAnEstimate(t *testing.T) {
	feed, api, server := emFeed(t)
	from, to := at("2027-01-31T18:00:00Z"), at("2027-02-01T00:30:00Z")
	slots, _, err := feed.Slots(t.Context(), from, to)
	if err != nil || len(slots) != 13 {
		t.Fatalf("%s, %v", say(slots), err)
	}
	for _, s := range slots {
		want := usage.Quality("")
		if s.From.After(at("2027-01-31T19:30:00Z")) {
			want = usage.QualityEstimated
		}
		if s.Quality != want || s.Basis.String() != "average lifecycle consumption" {
			t.Errorf("%v is %q of %s, want %q", s.From, s.Quality, s.Basis, want)
		}
	}
	api.Estimates = false
	if slots, rejects, err := feed.Slots(t.Context(), from, to); err != nil || len(rejects) > 0 || len(slots) != 4 {
		t.Errorf("without estimates: %s, %v, %v", say(slots), rejects, err)
	}
	if slots, rejects, err := feed.Slots(t.Context(), at("2027-01-31T23:00:00Z"), to); err != nil || len(rejects) > 0 || len(slots) != 0 {
		t.Errorf("without estimates, only what is not measured yet: %s, %v, %v", say(slots), rejects, err)
	}
	for _, r := range server.Requests() {
		if strings.Contains(r, emKey) || !strings.Contains(r, "disableCallerLookup=true") {
			t.Errorf("asked for %s", r)
		}
	}
}

func TestElectricityMapsCountsWhatTheBasisDeclares(t *testing.T) {
	feed, api, _ := emFeed(t)
	api.Emissions = usage.Direct
	from, to := at("2027-01-10T12:00:00Z"), at("2027-01-10T14:00:00Z")
	slots, _, err := feed.Slots(t.Context(), from, to)
	if err != nil || slots[0].Basis.Emissions != usage.Direct {
		t.Fatalf("%+v, %v", slots, err)
	}
	wantEachSlot(t, slots, from, to, time.Hour, 0.5)
}

func TestElectricityMapsAsksLittle(t *testing.T) {
	for _, test := range []struct {
		step time.Duration
		span time.Duration
		want int
	}{
		{5 * time.Minute, day, 1}, {15 * time.Minute, day, 1}, {time.Hour, day, 1}, {time.Hour, 27 * day, 3},
	} {
		feed, api, server := emFeed(t)
		api.Step = test.step
		if _, _, err := feed.Slots(t.Context(), now.Add(-test.span), now); err != nil || len(server.Requests()) != test.want || feed.Requests(now.Add(-test.span), now) != test.want {
			t.Errorf("%s in steps of %s: %d requests, want %d; %v", test.span, test.step, len(server.Requests()), test.want, err)
		}
	}
}

func TestElectricityMapsForecasts(t *testing.T) {
	for _, test := range []struct {
		name   string
		step   time.Duration
		change func(*ElectricityMaps, *grids.ElectricityMaps)
		want   int
	}{
		{name: "48 hours", step: time.Hour, want: 96},
		{name: "in quarters", step: 15 * time.Minute, want: 96},
		{name: "a plan of a day", step: time.Hour, change: func(_ *ElectricityMaps, s *grids.ElectricityMaps) { s.Forecasts = 24 * time.Hour }, want: 48},
		{name: "six hours", step: time.Hour, change: func(m *ElectricityMaps, _ *grids.ElectricityMaps) { m.Horizon = 6 * time.Hour }, want: 12},
		{name: "none", step: time.Hour, change: func(m *ElectricityMaps, _ *grids.ElectricityMaps) { m.Horizon = 0 }},
		{name: "in a list named data", step: time.Hour, change: func(_ *ElectricityMaps, s *grids.ElectricityMaps) { s.List = "data" }, want: 96},
	} {
		t.Run(test.name, func(t *testing.T) {
			feed, api, server := emFeed(t)
			api.Step = test.step
			if test.change != nil {
				test.change(api, server)
			}
			slots, rejects, err := feed.Outlook(t.Context(), now)
			if err != nil || len(rejects) > 0 || len(slots) != test.want {
				t.Fatalf("%d slots, want %d; %v, %v", len(slots), test.want, rejects, err)
			}
			for _, s := range slots {
				if s.Actual != nil || s.Quality != "" || s.Forecast == nil || (test.want == 0) != (len(server.Requests()) == 0) {
					t.Fatalf("got %+v", s)
				}
			}
		})
	}
}

func TestElectricityMapsIsNotOfAnotherZone(t *testing.T) {
	feed, api, server := emFeed(t)
	api.Zone, server.Home = "FRANCE", "US-MIDA-PJM"
	slots, _, err := feed.Slots(t.Context(), at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"))
	f := wantFailure(t, err, usage.ReasonMalformed)
	if len(slots) > 0 || !f.Permanent || f.Cause != "Electricity Maps answers with zone US-MIDA-PJM in place of FRANCE, as it does where it does not know a zone: correct zone" || len(server.Requests()) != 1 {
		t.Errorf("got %d slots, %q after %d requests", len(slots), f.Cause, len(server.Requests()))
	}
	_, _, err = feed.Outlook(t.Context(), now)
	wantFailure(t, err, usage.ReasonMalformed)
}

func TestElectricityMapsCoarserThanAsked(t *testing.T) {
	feed, api, server := emFeed(t)
	api.Step, server.Finest = 5*time.Minute, time.Hour
	from, to := at("2027-01-10T12:30:00Z"), at("2027-01-12T12:00:00Z")
	slots, rejects, err := feed.Slots(t.Context(), from, to)
	if err != nil || len(rejects) > 0 {
		t.Fatalf("%v, %v", rejects, err)
	}
	wantEachSlot(t, slots, from, to, time.Hour, 1)
	want := "Electricity Maps answers in steps of 60 minutes where granularity asks for 5: the plan of the key has no finer ones"
	if got := feed.Remarks(); len(got) != 1 || got[0] != want {
		t.Errorf("remarks %q", got)
	}
}

func TestElectricityMapsTellsTooManyCallsFromAWrongKey(t *testing.T) {
	feed, api, server := emFeed(t)
	key := "wr0ng-key-of-Electricity-Maps"
	api.Token = func() (string, error) { return key, nil }
	past := func() error {
		_, _, err := feed.Slots(t.Context(), at("2026-06-01T00:00:00Z"), at("2026-07-01T00:00:00Z"))
		return err
	}
	f := wantFailure(t, past(), usage.ReasonAuth)
	if !f.Permanent || f.Status != 401 || f.Cause != "Electricity Maps does not take the key: correct token_file (or token)" {
		t.Errorf("a wrong key: %+v", f)
	}
	key = emKey
	if err := past(); err != nil {
		t.Fatal(err)
	}
	server.Most = len(server.Requests()) + 2
	f = wantFailure(t, past(), usage.ReasonRateLimited)
	if f.Permanent || !usage.IsOutage(f) || !strings.Contains(f.Cause, "we ask too often") || len(server.Requests()) != server.Most+1 {
		t.Errorf("too many calls: %+v, after %d requests", f, len(server.Requests()))
	}
	_, _, err := feed.Outlook(t.Context(), now)
	f = wantFailure(t, err, usage.ReasonRateLimited)
	if f.Permanent || f.RetryAfter != 0 || !strings.Contains(f.Cause, "horizon: 0s") {
		t.Errorf("forecasts, which never came: %+v", f)
	}
	key = "0ther-key"
	wantFailure(t, past(), usage.ReasonAuth)
	server.Break(http.StatusForbidden)
	key = emKey
	if f = wantFailure(t, past(), usage.ReasonAuth); !strings.Contains(f.Cause, "plan must hold the zone and this time") {
		t.Errorf("another plan: %+v", f)
	}
}

func TestElectricityMapsNeverShowsItsKey(t *testing.T) {
	feed, api, server := emFeed(t)
	for _, status := range []int{http.StatusUnauthorized, http.StatusTeapot, http.StatusBadGateway, grids.Dead} {
		server.Break(status)
		_, _, err := feed.Slots(t.Context(), at("2026-06-01T00:00:00Z"), at("2026-06-02T00:00:00Z"))
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, usage.FailureOf(err)), emKey) {
			t.Errorf("status %d: %v", status, err)
		}
	}
	api.Token = func() (string, error) { return "", errors.New("token_file: no such file") }
	asked := len(server.Requests())
	if _, _, err := feed.Slots(t.Context(), at("2026-06-01T00:00:00Z"), at("2026-06-02T00:00:00Z")); err == nil || !strings.Contains(err.Error(), "token_file") || len(server.Requests()) != asked {
		t.Errorf("no key: %v", err)
	}
}

func TestElectricityMapsWithoutAPathIsVersion4(t *testing.T) {
	for url, want := range map[string]string{
		"https://api.electricitymaps.com":     "https://api.electricitymaps.com/v4/carbon-intensity/past-range",
		"https://api.electricitymaps.com/v3/": "https://api.electricitymaps.com/v3/carbon-intensity/past-range",
		"http://proxy/maps":                   "http://proxy/maps/carbon-intensity/past-range",
	} {
		if got := (&ElectricityMaps{URL: url}).address(emPast); got != want {
			t.Errorf("%s: %s", url, got)
		}
	}
}
