// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package grids

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestElectricityMaps(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 20, 0, 0, time.UTC)
	fresh := func() *ElectricityMaps {
		return &ElectricityMaps{
			Server: Server{Now: func() time.Time { return now }, Truth: func(time.Time) usage.GramsPerKWh { return 100 }},
			Key:    "k", Zone: "FR", Measured: 2 * time.Hour, Forecasts: 24 * time.Hour,
		}
	}
	const recent = "/v4/carbon-intensity/past-range?zone=FR&start=2026-06-01T10:00:00Z&end=2026-06-01T12:20:00Z"
	for _, test := range []struct {
		name, path, key string
		change          func(*ElectricityMaps)
		status          int
		has             string
	}{
		{name: "measured and estimated hours", path: recent, key: "k", status: 200, has: `"isEstimated":true`},
		{name: "no estimates", path: recent + "&disableEstimations=true", key: "k", status: 200, has: `"carbonIntensity":null`},
		{name: "direct emissions", path: recent + "&emissionFactorType=direct", key: "k", status: 200, has: `"carbonIntensity":50`},
		{name: "a plan of hours", path: recent + "&temporalGranularity=5_minutes", key: "k", change: func(m *ElectricityMaps) { m.Finest = time.Hour }, status: 200, has: `"temporalGranularity":"hourly"`},
		{name: "another key", path: recent, key: "x", status: 401},
		{name: "too many calls", path: recent, key: "k", change: func(m *ElectricityMaps) { m.Most = 1; m.requests = []string{"/"} }, status: 401},
		{name: "an unknown zone", path: strings.Replace(recent, "FR", "XX", 1), key: "k", status: 404},
		{name: "an unknown zone, and home", path: strings.Replace(recent, "FR", "XX", 1), key: "k", change: func(m *ElectricityMaps) { m.Home = "DE" }, status: 200, has: `"zone":"DE"`},
		{name: "eleven days", path: strings.Replace(recent, "06-01T10", "05-21T10", 1), key: "k", status: 400},
		{name: "what lies ahead", path: strings.Replace(recent, "12:20", "12:21", 1), key: "k", status: 400},
		{name: "no version", path: strings.Replace(recent, "/v4", "", 1), key: "k", status: 404},
		{name: "a forecast", path: "/v3/carbon-intensity/forecast?zone=FR&horizonHours=48", key: "k", status: 200, has: `"forecast":[`},
		{name: "a forecast that the plan does not hold", path: "/v3/carbon-intensity/forecast?zone=FR&horizonHours=48", key: "k", change: func(m *ElectricityMaps) { m.Forecasts = 0 }, status: 401},
	} {
		m := fresh()
		if test.change != nil {
			test.change(m)
		}
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, test.path, nil)
		r.Header.Set("Auth-Token", test.key)
		m.ServeHTTP(w, r)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.has) {
			t.Errorf("%s: got %d %s", test.name, w.Code, w.Body)
		}
	}
}
