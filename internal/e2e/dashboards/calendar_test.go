// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"database/sql"
	"math"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const day = 24 * time.Hour

// query finds a query of a panel.
func query(t *testing.T, title, panel string, n int) string {
	t.Helper()
	d, p := find(t, title, panel)
	return d.written(t, p.Targets[n].Expr, map[string]string{"__range": "6d"})[0]
}

// total is the sum of an answer now or at another time.
func (s *site) total(t *testing.T, expr string, at time.Time) float64 {
	t.Helper()
	got, err := s.instant(expr, at)
	if err != nil {
		t.Fatalf("%v: %s", err, expr)
	}
	var sum float64
	for _, v := range got.numbers() {
		sum += v
	}
	return sum
}

// The bars of days against the record. What was exported is as the record has it, but
// for the first half hour of a new key, which is some percent of a small cloud's day. What was scraped was restated since, and what
// was restated after midnight is in the day after; and scrapes that are five minutes
// apart see the last half hour of a day after midnight. So a day may be some percent
// off, and all of them are not.
func TestDaysAddUpToTheRecord(t *testing.T) {
	s := theSite(t)
	db, err := sql.Open("sqlite", "file:"+s.Store()+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	today := usage.FloorEpoch(s.now, day)
	for _, tc := range []struct {
		name, panel, column string
		first               time.Time
		days                int
		aDay, all           float64
	}{
		{"energy, exported", "Energy by the day", "busy_kwh + idle_kwh", today.Add(-45 * day), 14, 0.03, 0.005},
		{"emissions, exported", "Emissions by the day", "busy_gCo2eq + idle_gCo2eq", today.Add(-45 * day), 14, 0.03, 0.005},
		{"energy, scraped", "Energy by the day", "busy_kwh + idle_kwh", today.Add(-4 * day), 3, 0.03, 0.015},
		{"emissions, scraped", "Emissions by the day", "busy_gCo2eq + idle_gCo2eq", today.Add(-4 * day), 3, 0.15, 0.02},
	} {
		t.Run(tc.name, func(t *testing.T) {
			expr := query(t, "Carbon / Project, group, user", tc.panel, 0)
			var bars, record float64
			for d := tc.first; d.Before(tc.first.AddDate(0, 0, tc.days)); d = d.Add(day) {
				var want float64
				if err := db.QueryRow("SELECT sum("+tc.column+") FROM fact_usage WHERE scope = 'ada' AND ts >= ? AND ts < ?",
					d.Format(time.RFC3339), d.Add(day).Format(time.RFC3339)).Scan(&want); err != nil {
					t.Fatal(err)
				}
				got := s.total(t, expr, d)
				if math.Abs(got-want) > tc.aDay*want {
					t.Errorf("%s is %v, the record says %v", d.Format(time.DateOnly), got, want)
				}
				bars, record = bars+got, record+want
			}
			if math.Abs(bars-record) > tc.all*record {
				t.Errorf("%d days are %v, the record says %v", tc.days, bars, record)
			}
		})
	}
}

// A cell of the calendar is the day of its row, in the week of its column.
func TestCellsAreTheirDays(t *testing.T) {
	s := theSite(t)
	aDay := query(t, "Carbon / A year", "Emissions by the day", 0)
	names := []time.Weekday{time.Sunday, time.Saturday, time.Friday, time.Thursday, time.Wednesday, time.Tuesday, time.Monday}
	thursday := usage.FloorEpoch(s.now.Add(-3*day), 7*day) // the epoch was one
	for row, name := range names {
		// The weeks of ISO 8601 begin with Monday.
		date := thursday.AddDate(0, 0, (int(name)+6)%7-3)
		if date.Weekday() != name {
			t.Fatalf("%s is no %s", date, name)
		}
		want := s.total(t, aDay, date)
		got := s.total(t, query(t, "Carbon / A year", "Grams by the day", row), thursday)
		if math.Abs(got-want) > 1e-9*want {
			t.Errorf("%s in the week of %s is %v, that day is %v", name, thursday.Format(time.DateOnly), got, want)
		}
	}
}

func TestMonthsAndYearsAreTheirDays(t *testing.T) {
	s := theSite(t)
	for _, panel := range []string{"Emissions by the month", "Emissions by the year"} {
		var bars, days float64
		for mode := range 3 { // busy, idle and measured
			bars += s.total(t, query(t, "Carbon / A year", panel, mode), s.now)
		}
		aDay := query(t, "Carbon / A year", "Emissions by the day", 0)
		for d := usage.FloorEpoch(s.now, day).Add(-100 * day); !d.After(s.now); d = d.Add(day) {
			days += s.total(t, aDay, d)
		}
		if math.Abs(bars-days) > 1e-9*days {
			t.Errorf("%s: %v, its days %v", panel, bars, days)
		}
	}
}

func TestLastMonthIsTheSameDay(t *testing.T) {
	s := theSite(t)
	got := s.total(t, query(t, "Carbon / Overview", "Against last month", 0), s.now)
	length := s.now.AddDate(0, 0, -s.now.Day()).Day()
	then := s.now.AddDate(0, 0, -max(length, s.now.Day()))
	gauge := "sum(carbon_month_to_date_emissions_gco2eq)"
	if want := s.total(t, gauge, s.now)/s.total(t, gauge, then) - 1; math.Abs(got-want) > 1e-9 {
		t.Errorf("%v, want %v", got, want)
	}
}
