// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package grids

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestServerFailsUntilItIsMended(t *testing.T) {
	s := &Server{}
	ask := func() (*httptest.ResponseRecorder, bool) {
		w := httptest.NewRecorder()
		return w, s.fails(w, httptest.NewRequest(http.MethodGet, "/a?b=c", nil))
	}
	if _, failed := ask(); failed {
		t.Error("fails from the start")
	}
	s.Break(http.StatusBadGateway)
	if w, failed := ask(); !failed || w.Code != http.StatusBadGateway {
		t.Errorf("got %d, %v", w.Code, failed)
	}
	s.Break(0)
	if _, failed := ask(); failed || len(s.Requests()) != 3 || s.Requests()[0] != "/a?b=c" {
		t.Errorf("%v, %q", failed, s.Requests())
	}
}

func TestMeanIsThatOfTheFiveMinutes(t *testing.T) {
	start := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	s := &Server{Truth: func(at time.Time) usage.GramsPerKWh { return usage.GramsPerKWh(at.Sub(start).Minutes()) }}
	if got := s.mean(start, start.Add(30*time.Minute)); got != 12.5 {
		t.Errorf("got %v, want 12.5", got)
	}
}
