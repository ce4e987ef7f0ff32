// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package grids

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestEnergyChartsHasAnActualOrAForecastOfEachTime(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 7, 0, 0, time.UTC)
	e := &EnergyCharts{
		Server:  Server{Now: func() time.Time { return now }, Truth: func(at time.Time) usage.GramsPerKWh { return usage.GramsPerKWh(at.Minute()) }},
		Country: "de", Step: 15 * time.Minute,
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/co2eq?country=de&start=2026-06-01T09:30Z&end=2026-06-01T10:30Z", nil))
	var answer struct {
		Seconds   []int64    `json:"unix_seconds"`
		Actuals   []*float64 `json:"co2eq"`
		Forecasts []*float64 `json:"co2eq_forecast"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || len(answer.Seconds) != 5 {
		t.Fatalf("%v, got %s", err, w.Body)
	}
	for i := range answer.Seconds {
		if (answer.Actuals[i] == nil) == (answer.Forecasts[i] == nil) || (answer.Actuals[i] == nil) != (i > 2) {
			t.Errorf("value %d: got %s", i, w.Body)
		}
	}
	w = httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/co2eq?country=DE&start=2026-06-01&end=2026-06-02", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("another country: got %d", w.Code)
	}
}

func TestEnergyChartsRefusesWhoAsksTooSoon(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 7, 0, 0, time.UTC)
	e := &EnergyCharts{Server: Server{Now: func() time.Time { return now }}, Country: "de", Step: time.Hour, MinGap: 8 * time.Second}
	for i, want := range []int{http.StatusNotFound, http.StatusTooManyRequests} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/co2eq", nil))
		if w.Code != want {
			t.Errorf("request %d: got %d, want %d", i, w.Code, want)
		}
	}
}
