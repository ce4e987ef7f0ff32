// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// newYear lets ranges reach into two years.
var newYear = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

func get(u *UKAPI, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	u.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// national is an answer of the national routes.
type national struct {
	Data []struct {
		From, To  string
		Intensity struct {
			Forecast, Actual *usage.GramsPerKWh
			Index            string
		}
	}
}

func getNational(t *testing.T, u *UKAPI, path string) national {
	t.Helper()
	var got national
	w := get(u, path)
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("GET %s: http status %d, %v: %s", path, w.Code, err, w.Body)
	}
	return got
}

func TestUKAPIChoosesSlotsByTheirEnd(t *testing.T) {
	for _, tc := range []struct {
		name        string
		path        string
		first, last string
		count       int
	}{
		{
			"a range holds the slot that ends at its start", "/intensity/2026-03-01T12:00Z/2026-03-01T13:00Z",
			"2026-03-01T11:30Z", "2026-03-01T12:30Z", 3,
		},
		{
			"one minute later it does not", "/intensity/2026-03-01T12:01Z/2026-03-01T13:01Z",
			"2026-03-01T12:00Z", "2026-03-01T12:30Z", 2,
		},
		{
			"seconds and an offset", "/intensity/2026-03-01T12:01:00+00:00/2026-03-01T13:01:00+00:00",
			"2026-03-01T12:00Z", "2026-03-01T12:30Z", 2,
		},
		{
			"fourteen days", "/intensity/2026-02-01T00:01Z/2026-02-15T00:01Z",
			"2026-02-01T00:00Z", "2026-02-14T23:30Z", 14 * 48,
		},
		{
			"over new year", "/intensity/2025-12-31T00:01Z/2026-01-01T05:00Z",
			"2025-12-31T00:00Z", "2025-12-31T23:00Z", 47,
		},
		{
			"from new year", "/intensity/2026-01-01T00:00Z/2026-01-01T01:00Z",
			"2025-12-31T23:30Z", "2026-01-01T00:30Z", 3,
		},
		{
			"a day ahead", "/intensity/2026-03-02T00:00Z/fw24h",
			"2026-03-01T23:30Z", "2026-03-02T23:30Z", 49,
		},
		{
			"two days ahead, short of the horizon", "/intensity/2026-03-02T00:00Z/fw48h",
			"2026-03-01T23:30Z", "2026-03-03T22:30Z", 95,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := getNational(t, NewUKAPI(1, at(monday)), tc.path).Data
			if len(got) != tc.count || got[0].From != tc.first || got[len(got)-1].From != tc.last {
				t.Errorf("%d slots: %+v", len(got), got)
			}
		})
	}
}

func TestUKAPITellsItsTruth(t *testing.T) {
	u := NewUKAPI(1, at(monday.Add(13*time.Hour)))
	got := getNational(t, u, "/intensity/2026-03-01T12:01Z/2026-03-02T14:01Z").Data
	for _, s := range got {
		from, err := time.Parse(minute, s.From)
		if err != nil {
			t.Fatal(err)
		}
		forecast := u.Grid(0).ForecastAt(from, u.now())
		if s.Intensity.Forecast == nil || *s.Intensity.Forecast != forecast {
			t.Errorf("%s: forecast %v, want %v", s.From, s.Intensity.Forecast, forecast)
		}
		actual, known := u.Grid(0).ActualAt(from, u.now())
		if (s.Intensity.Actual != nil) != known || known && *s.Intensity.Actual != actual {
			t.Errorf("%s: actual %v, want %v, %v", s.From, s.Intensity.Actual, actual, known)
		}
	}
	if n := len(got); got[n-1].Intensity.Actual != nil || got[0].Intensity.Actual == nil {
		t.Errorf("the first slot has actual %v, the last %v", got[0].Intensity.Actual, got[n-1].Intensity.Actual)
	}
}

func TestUKAPIRegionsHaveNoActual(t *testing.T) {
	u := NewUKAPI(1, at(monday))
	for _, tc := range []struct {
		name, path string
		region     int
	}{
		{"a range by id", "/regional/intensity/2026-03-01T12:01Z/2026-03-01T12:31Z/regionid/13", 13},
		{"a day ahead by id", "/regional/intensity/2026-03-02T00:01Z/fw24h/regionid/17", 17},
		{"two days ahead by id", "/regional/intensity/2026-03-02T00:01Z/fw48h/regionid/1", 1},
		{"a range by postcode", "/regional/intensity/2026-03-01T12:01Z/2026-03-01T12:31Z/postcode/OX11", 12},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got struct {
				Data struct {
					RegionID int
					Data     []struct {
						From      string
						Intensity map[string]any
					}
				}
			}
			w := get(u, tc.path)
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Data.RegionID != tc.region || len(got.Data.Data) == 0 {
				t.Fatalf("%v: %s", err, w.Body)
			}
			first := got.Data.Data[0]
			from, _ := time.Parse(minute, first.From)
			if want := float64(u.Grid(tc.region).ForecastAt(from, u.now())); first.Intensity["forecast"] != want {
				t.Errorf("forecast %v, want %v", first.Intensity["forecast"], want)
			}
			if actual, ok := first.Intensity["actual"]; ok {
				t.Errorf("has actual %v", actual)
			}
		})
	}
}

func TestUKAPIRefuses(t *testing.T) {
	const code400 = `{"error":{"code":"400 Bad Request","message":"`
	for _, tc := range []struct {
		name, path string
		status     int
		body       string
	}{
		{
			"more than fourteen days", "/intensity/2026-02-01T00:00Z/2026-02-15T00:01Z", 400,
			code400 + `The maximum date range is limited to 14 days."}}`,
		},
		{
			"an end before the start", "/intensity/2026-02-02T00:00Z/2026-02-01T00:00Z", 400,
			code400 + `The start datetime should be less than the end datetime."}}`,
		},
		{"a word for a time", "/intensity/yesterday/2026-02-01T00:00Z", 400, code400 + notATime + `"}}`},
		{
			"a region that is none", "/regional/intensity/2026-02-01T00:00Z/fw24h/regionid/18", 400,
			code400 + `Please enter a valid region ID i.e. 1-17."}}`,
		},
		{
			"a whole postcode", "/regional/intensity/2026-02-01T00:00Z/fw24h/postcode/OX110QX", 400,
			code400 + `Please enter a valid outward postcode i.e. RG10."}}`,
		},
		{
			"a route that it does not have", "/intensity", 404,
			`{"error":{"code":"404 Not Found","message":"Requested resource not found."}}`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := get(NewUKAPI(1, at(newYear)), tc.path)
			if w.Code != tc.status || w.Body.String() != tc.body+"\n" {
				t.Errorf("http status %d: %s", w.Code, w.Body)
			}
		})
	}
}

func TestUKAPIFaults(t *testing.T) {
	const path = "/intensity/2026-03-01T12:01Z/2026-03-01T12:31Z"
	forecast := NewUKAPI(1, at(monday)).Grid(0).ForecastAt(monday.Add(-12*time.Hour), monday)
	for _, tc := range []struct {
		name   string
		fault  Fault
		status int
		body   string
	}{
		{"down", Down, 500, `{"error":{"code":"500 Internal Server Error","message":"There was an internal error processing your request."}}`},
		{"rate limited", RateLimited, 429, `{"error":{"code":"429 Too Many Requests","message":"Too many requests."}}`},
		{"a page for people", HTMLPage, 200, `<!doctype html><title>Maintenance</title><p>We will be back soon.`},
		{"an empty object", EmptyObject, 200, `{}`},
		{"empty data", EmptyData, 200, `{"data":[]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := NewUKAPI(1, at(monday))
			u.SetFault(tc.fault)
			w := get(u, path)
			if w.Code != tc.status || !slices.Contains([]string{tc.body, tc.body + "\n"}, w.Body.String()) {
				t.Errorf("http status %d: %s", w.Code, w.Body)
			}
			u.SetFault(Healthy)
			if got := getNational(t, u, path).Data; len(got) != 1 || *got[0].Intensity.Forecast != forecast {
				t.Errorf("it does not recover: %+v", got)
			}
			if u.Requests() != 2 {
				t.Errorf("%d requests are counted, want 2", u.Requests())
			}
		})
	}
}

func TestUKAPINulls(t *testing.T) {
	u := NewUKAPI(1, at(monday))
	for _, tc := range []struct {
		name             string
		fault            Fault
		forecast, actual bool
	}{
		{"healthy", Healthy, true, true},
		{"no actuals", NoActuals, true, false},
		{"no values", NoValues, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u.SetFault(tc.fault)
			got := getNational(t, u, "/intensity/2026-03-01T12:01Z/2026-03-01T12:31Z").Data[0].Intensity
			if (got.Forecast != nil) != tc.forecast || (got.Actual != nil) != tc.actual {
				t.Errorf("forecast %v, actual %v", got.Forecast, got.Actual)
			}
		})
	}
}
