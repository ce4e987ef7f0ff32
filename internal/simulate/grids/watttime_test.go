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

func TestWattTime(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	m := &WattTime{
		Server:   Server{Now: func() time.Time { return now }, Truth: func(time.Time) usage.GramsPerKWh { return 453.59237 }},
		Username: "u", Password: "p", Region: "CAISO_NORTH", Model: "2026-03-01",
	}
	const past = "/v3/historical?region=CAISO_NORTH&start=2026-06-01T10:00:00Z&end=2026-06-01T10:05:00Z&signal_type="
	ask := func(path, auth string) *httptest.ResponseRecorder {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil)
		if auth == "" {
			r.SetBasicAuth("u", "p")
		} else {
			r.Header.Set("Authorization", auth)
		}
		m.ServeHTTP(w, r)
		return w
	}
	for _, step := range []struct {
		name, path, auth string
		before           func()
		status           int
		has              string
	}{
		{name: "the account alone", path: past + "co2_aoer", status: 401},
		{name: "another account", path: "/login", auth: "Basic eDp5", status: 403},
		{name: "the login", path: "/login", status: 200, has: `{"token":"t0ken-of-login-1"}`},
		{name: "the average", path: past + "co2_aoer", auth: "Bearer t0ken-of-login-1", status: 200, has: `"value":1000`},
		{name: "the margin", path: past + "co2_moer", auth: "Bearer t0ken-of-login-1", status: 200, has: `"value":2000`},
		{name: "33 days", path: strings.Replace(past, "06-01T10:00", "04-29T10:00", 1), auth: "Bearer t0ken-of-login-1", status: 400},
		{name: "another region", path: strings.Replace(past, "CAISO", "PJM", 1), auth: "Bearer t0ken-of-login-1", status: 403},
		{name: "a forecast of the average", path: "/v3/forecast?region=CAISO_NORTH&horizon_hours=1&signal_type=co2_aoer", auth: "Bearer t0ken-of-login-1", status: 400},
		{name: "a forecast", path: "/v3/forecast?region=CAISO_NORTH&horizon_hours=1&signal_type=co2_moer", auth: "Bearer t0ken-of-login-1", status: 200, has: `"2026-06-01T12:55:00Z"`},
		{name: "a hiccup", path: past, auth: "Bearer t0ken-of-login-1", before: func() { m.Failing = 1 }, status: 500},
		{name: "half an hour later", path: past, auth: "Bearer t0ken-of-login-1", before: func() { now = now.Add(tokenLasts) }, status: 401},
	} {
		if step.before != nil {
			step.before()
		}
		if w := ask(step.path, step.auth); w.Code != step.status || !strings.Contains(w.Body.String(), step.has) {
			t.Errorf("%s: got %d %s", step.name, w.Code, w.Body)
		}
	}
	if m.Logins() != 1 {
		t.Errorf("%d logins", m.Logins())
	}
}
