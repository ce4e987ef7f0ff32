// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// word is what the carbon API says of a slot.
type word struct {
	From      string `json:"from"`
	Intensity struct {
		Forecast float64  `json:"forecast"`
		Actual   *float64 `json:"actual"`
		Index    string   `json:"index"`
	} `json:"intensity"`
}

// outlook is what the API says of the slots that begin at a time or later, up to
// 48 hours, in its own words.
func (g *grid) outlook(t *testing.T, from time.Time) map[time.Time]word {
	t.Helper()
	answer, err := http.Get(g.URL + "/intensity/" + from.Add(time.Minute).Format("2006-01-02T15:04Z") + "/fw48h")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var said struct {
		Data []word `json:"data"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		t.Fatal(err)
	}
	all := map[time.Time]word{}
	for _, w := range said.Data {
		at, err := time.Parse("2006-01-02T15:04Z", w.From)
		if err != nil {
			t.Fatal(err)
		}
		all[at] = w
	}
	return all
}

// aheadOf is a lead as the label has it.
func aheadOf(slots int) string {
	switch {
	case slots == 1:
		return "30m"
	case slots%2 == 0:
		return fmt.Sprintf("%dh", slots/2)
	}
	return fmt.Sprintf("%dh30m", slots/2)
}

// checkForecast is an error unless a scrape shows what the API has said.
func (s scrape) checkForecast(said map[time.Time]word, present time.Time) error {
	have := 0
	for n := 1; n <= 96; n++ {
		w, known := said[present.Add(time.Duration(n)*usage.SlotLength)]
		got, shown := s.value("carbon_intensity_forecast_gco2eq_per_kwh", "grid", "GB", "provider", "uk", "ahead", aheadOf(n))
		if known != shown || known && got != w.Intensity.Forecast {
			return fmt.Errorf("%s ahead is %v, %v; the API has said %+v, %v", aheadOf(n), got, shown, w, known)
		}
		if shown {
			have++
		}
	}
	if all := len(s["carbon_intensity_forecast_gco2eq_per_kwh"].GetMetric()); have < 90 || all != have {
		return fmt.Errorf("%d forecasts are shown, %d of them the API's", all, have)
	}
	if _, ok := s.value("carbon_intensity_index_info", "kind", "forecast", "index", said[present].Intensity.Index); !ok {
		return fmt.Errorf("the word of now is not %q", said[present].Intensity.Index)
	}
	for _, hours := range []int{1, 3, 6} {
		least, start := math.Inf(1), present
		for n := range 96 {
			at, sum := present.Add(time.Duration(n)*usage.SlotLength), 0.0
			for i := range 2 * hours {
				w, known := said[at.Add(time.Duration(i)*usage.SlotLength)]
				if !known {
					sum = math.Inf(1)
				}
				sum += w.Intensity.Forecast
			}
			if mean := sum / float64(2*hours); mean < least {
				least, start = mean, at
			}
		}
		window := fmt.Sprintf("%dh", hours)
		mean, _ := s.value("carbon_intensity_best_window_gco2eq_per_kwh", "window", window)
		from, _ := s.value("carbon_intensity_best_window_start_timestamp_seconds", "window", window)
		if !near(mean, least, 1e-12) || from != float64(start.Unix()) {
			return fmt.Errorf("the best %s is %v from %v, want %v from %v", window, mean, from, least, start.Unix())
		}
	}
	return nil
}

func TestTheForecastOfTheComingDaysIsShown(t *testing.T) {
	t.Parallel()
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(30*time.Minute, 2*time.Hour)
	where := settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL}.place(t, over)
	p := start(t, where.args()...)
	said := uk.outlook(t, usage.SlotAt(uk.now))
	eventually(t, waitFor, "the forecast is shown", func() error {
		present := usage.SlotAt(time.Now())
		seen := p.scrape()
		if !usage.SlotAt(time.Now()).Equal(present) {
			return errors.New("a half hour has just begun")
		}
		return seen.checkForecast(said, present)
	})
	p.becomesWhole(over)
	if all := p.scrape()["carbon_intensity_forecast_error_gco2eq_per_kwh"]; all != nil {
		t.Errorf("no forecast has an actual yet, and there is %v", all)
	}
}

// A forecast is held against the actual that came later: here those of an exporter
// that has forecast 100 for each half hour, two hours before.
func TestForecastsAreHeldAgainstActuals(t *testing.T) {
	t.Parallel()
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(30*time.Minute, 2*time.Hour)
	where := settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL}.place(t, over)
	p := start(t, where.args()...)
	p.becomesWhole(over)
	p.says(0, "carbon_intensity_best_window_start_timestamp_seconds", "window", "3h")
	p.terminate()

	db, err := sql.Open("sqlite", "file:"+where.store)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var early, kept int
	if err := db.QueryRow("SELECT count(*), count(*) FILTER (WHERE fetched_at >= slot_start) FROM forecast_seen").Scan(&kept, &early); err != nil || kept < 8 || early > 0 {
		t.Errorf("%d forecasts are kept, %d of them of the past, %v", kept, early, err)
	}
	if _, err := db.Exec(`INSERT INTO forecast_seen SELECT provider, grid, slot_start, 7200, 100, slot_start - 7000
		FROM intensity_slot WHERE slot_start < ?`, usage.SlotAt(time.Now()).Unix()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	p = start(t, where.args()...)
	p.says(0, "carbon_intensity_forecast_error_pairs", "ahead", "2h")
	seen := p.scrape()
	p.terminate()
	var mean, pairs float64
	if err := openStore(t, where.store).QueryRow("SELECT avg(abs(100 - actual)), count(actual) FROM intensity_slot").Scan(&mean, &pairs); err != nil || pairs < 4 {
		t.Fatalf("%v actuals, %v", pairs, err)
	}
	if got, _ := seen.value("carbon_intensity_forecast_error_pairs", "grid", "GB", "provider", "uk", "ahead", "2h"); got != pairs {
		t.Errorf("%v pairs, want %v", got, pairs)
	}
	if got, ok := seen.value("carbon_intensity_forecast_error_gco2eq_per_kwh", "grid", "GB", "provider", "uk", "ahead", "2h"); !ok || !near(got, mean, 1e-12) {
		t.Errorf("the error is %v, want %v", got, mean)
	}
	if all := seen["carbon_intensity_forecast_error_gco2eq_per_kwh"].GetMetric(); len(all) != 1 {
		t.Errorf("of other leads there is %v", all)
	}
}
