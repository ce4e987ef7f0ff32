// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package intensity_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The simulated API has every oddity of the real one. Whatever stretch is asked
// for, each of its slots comes, once, with its own value.
func TestEverySlotOfAnyStretch(t *testing.T) {
	now := time.Date(2028, 4, 1, 0, 0, 0, 0, time.UTC)
	api := simulate.NewUKAPI(3, func() time.Time { return now })
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	for _, test := range []struct {
		name     string
		from, to string
	}{
		{"one half hour", "2027-01-10T12:00:00Z", "2027-01-10T12:30:00Z"},
		{"over new year", "2026-12-31T20:00:00Z", "2027-01-01T04:00:00Z"},
		{"up to new year", "2026-12-31T20:00:00Z", "2027-01-01T00:00:00Z"},
		{"the last half hour of a year alone", "2026-12-31T23:30:00Z", "2027-01-01T00:00:00Z"},
		{"from new year", "2027-01-01T00:00:00Z", "2027-01-01T01:00:00Z"},
		{"the day of 25 hours in London", "2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z"},
		{"over a leap day", "2028-02-28T23:30:00Z", "2028-03-01T00:30:00Z"},
		{"the day of 23 hours in London", "2027-03-28T00:00:00Z", "2027-03-28T23:00:00Z"},
		{"five weeks", "2026-12-01T00:00:00Z", "2027-01-05T00:00:00Z"},
	} {
		for _, region := range []int{0, 13} {
			from, to := at(t, test.from), at(t, test.to)
			uk := &intensity.UK{
				Upstream: &upstream.Client{HTTP: server.Client(), UserAgent: "test", Timeout: time.Minute, MaxBytes: 1 << 20},
				URL:      server.URL, RegionID: region, Now: func() time.Time { return now },
			}
			slots, rejects, err := uk.Slots(context.Background(), from, to)
			if err != nil || len(rejects) > 0 {
				t.Fatalf("%s, region %d: rejected %v, error %v", test.name, region, rejects, err)
			}
			if want := int(to.Sub(from) / usage.SlotLength); len(slots) != want {
				t.Errorf("%s, region %d: %d slots, want %d", test.name, region, len(slots), want)
			}
			for i, s := range slots {
				if want := from.Add(time.Duration(i) * usage.SlotLength); !s.From.Equal(want) {
					t.Fatalf("%s, region %d: slot %d begins at %v, want %v", test.name, region, i, s.From, want)
				}
				grid := api.Grid(region)
				if got, want := *s.Forecast, grid.Forecast(s.From); got != want {
					t.Errorf("%s, region %d: %v has forecast %v, want %v", test.name, region, s.From, got, want)
				}
				if region == 0 && *s.Actual != grid.Actual(s.From) {
					t.Errorf("%s: %v has actual %v, want %v", test.name, s.From, *s.Actual, grid.Actual(s.From))
				}
			}
		}
	}
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
