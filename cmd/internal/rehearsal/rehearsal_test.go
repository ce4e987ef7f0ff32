// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// TestRehearsal goes through a night on which clocks go back, and one that ends a
// month.
func TestRehearsal(t *testing.T) {
	for _, night := range []struct {
		name string
		from time.Time
	}{
		{"clocks go back", time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC)},
		{"a month ends", time.Date(2026, 10, 31, 22, 30, 0, 0, time.UTC)},
	} {
		t.Run(night.name, func(t *testing.T) {
			if err := aNight(t, night.from).rehearse(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestTheSameTwice: nothing but the plan decides what is seen.
func TestTheSameTwice(t *testing.T) {
	seen := func() string {
		p := aNight(t, time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC))
		p.History = p.Lives[0].From.Add(-6 * time.Hour)
		p.Cloud.Start, p.Cloud.Directory = p.History, true
		p.Faults = []fault{{usage.Period{From: p.Lives[0].From.Add(time.Hour), To: p.Lives[0].From.Add(2 * time.Hour)}, usage.SourceCarbonIntensity}}
		p.Scrapes = filepath.Join(t.TempDir(), "scrapes")
		if err := p.rehearse(t.Context()); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(p.Scrapes)
		if err != nil {
			t.Fatal(err)
		}
		return usageOf(string(text))
	}
	if first := seen(); first == "" || seen() != first {
		t.Error("another run shows other usage")
	}
}

func TestACalendarThatIsWrong(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	const day, month, year = "carbon_day_to_date_energy_kwh", "carbon_month_to_date_energy_kwh", "carbon_year_to_date_energy_kwh"
	for _, test := range []struct {
		name          string
		first, second map[string]float64
		ok            bool
	}{
		{"usage grows", map[string]float64{day: 1, month: 2, year: 3}, map[string]float64{day: 2, month: 3, year: 4}, true},
		{"a day without its midnight", map[string]float64{day: 2, month: 2, year: 3}, map[string]float64{day: 1, month: 3, year: 4}, false},
		{"a day with more than its month", map[string]float64{day: 1, month: 2, year: 3}, map[string]float64{day: 4, month: 3, year: 4}, false},
		{"a month with more than its year", map[string]float64{day: 1, month: 2, year: 3}, map[string]float64{day: 1, month: 5, year: 4}, false},
		{"a budget of another amount", map[string]float64{}, map[string]float64{"carbon_budget_used_gco2eq site-day": 2, "carbon_day_to_date_emissions_gco2eq": 1}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := calendar{zone: time.UTC}
			if err := c.check(at, test.first); err != nil {
				t.Fatal(err)
			}
			if err := c.check(at.Add(10*time.Minute), test.second); (err == nil) != test.ok {
				t.Errorf("got %v, want ok: %t", err, test.ok)
			}
		})
	}
}

// aNight is a plan of four hours on a small cloud.
func aNight(t *testing.T, from time.Time) plan {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "carbon.yml")
	err := os.WriteFile(path, []byte(`
lookback: 3h
prometheus: {url: "http://prometheus.test"}
carbon_intensity: {provider: uk, uk: {url: "http://grid.test"}}
budgets:
  - {name: site-month, scope: ada, period: month, gco2eq: 50000}
  - {name: site-day, scope: ada, period: day, gco2eq: 2000}
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return plan{
		Config: path, Store: filepath.Join(dir, "carbon.db"), Scrapes: os.DevNull, Every: 10 * time.Minute,
		Cloud: simulate.Config{Seed: 3, Hosts: 3, Start: from.AddDate(0, 0, -1)},
		Lives: []usage.Period{{From: from, To: from.Add(4 * time.Hour)}},
	}
}

// usageOf is every line about usage, without those about the exporter itself.
func usageOf(pages string) string {
	var all strings.Builder
	for line := range strings.Lines(pages) {
		if strings.HasPrefix(line, "carbon_") && !strings.HasPrefix(line, "carbon_exporter_") {
			all.WriteString(line)
		}
	}
	return all.String()
}
