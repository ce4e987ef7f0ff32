// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// now is when the tests ask.
var now = at("2027-02-01T00:10:00Z")

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

// api answers /intensity/{from}/{to} and fw48h as the real one does, with its
// neighbouring slots, its limit and its new year. Values count the half hours.
type api struct {
	mu    sync.Mutex
	asked []string
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.asked = append(a.asked, r.URL.Path)
	a.mu.Unlock()
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/intensity/"), "/")
	from, err := time.Parse(ukTime, parts[0])
	to := from.Add(48 * time.Hour)
	if err == nil && parts[1] != "fw48h" {
		to, err = time.Parse(ukTime, parts[1])
	}
	if err != nil || to.Sub(from) > 14*24*time.Hour {
		http.Error(w, `{"error":{"code":"400 Bad Request","message":"Please enter a valid range."}}`, http.StatusBadRequest)
		return
	}
	if end := newYearAfter(from); to.After(end) {
		to = end.Add(-time.Hour)
	}
	var slots []any
	for s := usage.SlotAt(from.Add(-time.Minute)); s.Before(to); s = s.Add(usage.SlotLength) {
		slots = append(slots, slot(s, value(s), value(s)+1))
	}
	json.NewEncoder(w).Encode(map[string]any{"data": slots})
}

// value is another one for each half hour of a week.
func value(t time.Time) int { return int(t.Unix()/1800) % 337 }

// slot is one as the API writes it.
func slot(from time.Time, forecast, actual any) map[string]any {
	return map[string]any{
		"from":      from.Format(ukTime),
		"to":        from.Add(usage.SlotLength).Format(ukTime),
		"intensity": map[string]any{"forecast": forecast, "actual": actual, "index": "moderate"},
	}
}

// ukAt asks the API at an address.
func ukAt(t *testing.T, url string) *UK {
	t.Helper()
	h := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(h.CloseIdleConnections)
	return &UK{
		Upstream: &upstream.Client{HTTP: h, UserAgent: "carbon_exporter/test", Timeout: 30 * time.Second, MaxBytes: 32 << 20},
		URL:      url,
		Now:      func() time.Time { return now },
	}
}

// ukSaying asks an API that always gives this answer.
func ukSaying(t *testing.T, status int, answer string) *UK {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return ukAt(t, s.URL)
}

// behaving asks an API that behaves.
func behaving(t *testing.T) (*UK, *api) {
	t.Helper()
	a := &api{}
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	return ukAt(t, s.URL), a
}

// say writes slots for comparison: time, forecast and actual, - for unknown.
func say(slots []usage.Slot) string {
	var lines []string
	number := func(v *usage.GramsPerKWh) string {
		if v == nil {
			return "-"
		}
		return fmt.Sprint(*v)
	}
	for _, s := range slots {
		lines = append(lines, s.From.Format("15:04")+" "+number(s.Forecast)+" "+number(s.Actual))
	}
	return strings.Join(lines, ", ")
}

func wantFailure(t *testing.T, err error, reason string) *usage.Failure {
	t.Helper()
	var f *usage.Failure
	if !errors.As(err, &f) || f.Reason != reason {
		t.Fatalf("got error %v, want %s", err, reason)
	}
	return f
}
