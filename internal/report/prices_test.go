// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// priced is energy of a provider.
func priced(provider, basis string, q usage.Quality, kwh usage.KWh) usage.PriceUsed {
	return usage.PriceUsed{GridName: usage.GridName{Provider: provider, Grid: "FR"}, Basis: usage.BasisOf(basis), Quality: q, Energy: kwh}
}

func TestNotesOfPrices(t *testing.T) {
	for _, c := range []struct {
		name   string
		prices Prices
		want   string
	}{
		{"nothing is priced", nil, ""},
		{"no energy is priced", Prices{priced("uk", "direct", usage.QualityFinal, 0)}, ""},
		{"one provider of one quality", Prices{priced("uk", "direct", usage.QualityFinal, 3)}, "Quality: 100 % final"},
		{
			"several providers of one basis",
			Prices{priced("uk", "direct", usage.QualityFinal, 72), priced("rte", "direct", usage.QualityFinal, 20), priced("rte", "direct", usage.QualityEstimated, 5), priced("table", "direct", usage.QualityYearly, 3)},
			"Quality: 92 % final, 5 % estimated, 3 % yearly",
		},
		{
			"two bases, and a little of a third",
			Prices{priced("uk", "direct", usage.QualityFinal, 700), priced("wattnet", "lifecycle", usage.QualityFinal, 299), priced("static", "", usage.QualityFinal, 1)},
			"Quality: 100 % final\nWARNING: the emissions add up intensities of more than one basis, which cannot be compared: 70 % direct, 30 % lifecycle, less than 1 % undeclared",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.Join(c.prices.notes(), "\n"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestSharesOfPricesInJSONAndCSV(t *testing.T) {
	start := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	r := &Report{Scope: usage.ScopeAda, Zone: time.UTC, Whole: Stretch{
		Period:  usage.Period{From: start, To: start.Add(time.Hour)},
		Members: []usage.Tally{{Name: "ada"}},
		Prices:  Prices{priced("uk", "direct", usage.QualityFinal, 1), priced("rte", "lifecycle", usage.QualityEstimated, 3)},
	}}
	var out bytes.Buffer
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	var got struct{ Quality, Basis map[string]float64 }
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got.Quality, map[string]float64{"final": 0.25, "estimated": 0.75}) || !maps.Equal(got.Basis, map[string]float64{"direct": 0.25, "lifecycle": 0.75}) {
		t.Errorf("got %+v", got)
	}
	out.Reset()
	if err := r.WriteCSV(&out, func(s string) string { return s }); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if !strings.HasSuffix(lines[0], ",basis,quality") || !strings.HasSuffix(lines[1], ",lifecycle; direct,estimated; final") {
		t.Errorf("got %q", lines)
	}
}
