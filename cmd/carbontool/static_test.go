// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// A site with one value for all time is told of nothing that only other providers have.
func TestAStaticValueIsAllThatIsSaid(t *testing.T) {
	s := siteOf(t, &prometheus{}, "carbon_intensity: {provider: static, static: {gco2eq_per_kwh: 56, grid: FR, source: the annual report}}\n")
	s.call("backfill", "--from=2025-01-03", "--to=2025-01-03T02:00")
	got := s.call("report", "--from=2025-01-03", "--to=2025-01-03T02:00")
	if got.code != exitDone || !strings.HasSuffix(got.stdout, "\nCarbon intensity: static, grid FR, from: the annual report\n") {
		t.Errorf("the report is %+v", got)
	}
	explained := s.call("explain", "--ts=2025-01-03T00:10", "--project=CLF")
	for _, want := range []string{
		"  used for 2025-01-03T00:00:00Z: 56, actual for the slot 2025-01-03T00:00:00Z, static, grid FR, fetched ",
		", from: the annual report\n",
		"  slot 2025-01-03T00:00:00Z: 56 for all time, static, grid FR, fetched ",
	} {
		if !strings.Contains(explained.stdout, want) {
			t.Errorf("the explanation lacks %q: %+v", want, explained)
		}
	}
	for _, text := range []string{got.stdout, explained.stdout} {
		for _, not := range []string{"forecast", "24.0", "National", "210", "GB"} {
			if strings.Contains(text, not) {
				t.Errorf("says %q:\n%s", not, text)
			}
		}
	}

	var rep struct {
		Grids []map[string]string `json:"carbon_intensity"`
		Error *float64            `json:"forecast_error_gco2eq_per_kwh"`
	}
	got = s.call("report", "--from=2025-01-03", "--to=2025-01-03T02:00", "--format=json")
	if err := json.Unmarshal([]byte(got.stdout), &rep); err != nil {
		t.Fatal(err)
	}
	if rep.Error != nil || len(rep.Grids) != 1 || rep.Grids[0]["provider"] != "static" || rep.Grids[0]["source"] != "the annual report" {
		t.Errorf("got %+v", rep)
	}

	// What was priced with another value is from somewhere else.
	s.configure("carbon_intensity: {provider: static, static: {gco2eq_per_kwh: 57, grid: FR, source: the next report}}\n")
	if got := s.call("explain", "--ts=2025-01-03T00:10", "--project=CLF"); strings.Contains(got.stdout, "from: the") {
		t.Errorf("names the source of another value:\n%s", got.stdout)
	}
}

// Nothing is waited for: the price is final, and there is no second reading.
func TestBackfillSettlesAtAStaticPriceAtOnce(t *testing.T) {
	s := siteOf(t, &prometheus{}, "prometheus: {url: URL, reread_after: 0s}\n")
	from := time.Now().Add(-3 * time.Hour).UTC().Format(time.RFC3339)
	if got := s.call("backfill", "--from", from); got.code != exitDone || !strings.Contains(got.stdout, "settled\n") || strings.Contains(got.stdout, "provisional") {
		t.Errorf("%+v", got)
	}
}
