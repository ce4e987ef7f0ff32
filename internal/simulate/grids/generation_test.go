// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package grids

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func asked(h http.Handler, address string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
	return w
}

var june = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// constant is a server at noon where the truth never changes.
func constant() Server {
	return Server{Now: func() time.Time { return june }, Truth: func(time.Time) usage.GramsPerKWh { return 300 }}
}

func TestENTSOELeavesOutWhatRepeats(t *testing.T) {
	e := &ENTSOE{Server: constant(), Key: "k", Zone: "Z", LateWind: time.Hour}
	const question = "/api?documentType=A75&processType=A16&in_Domain=Z&periodStart=202606010900&periodEnd=202606011200&securityToken="
	text := asked(e, question+"k").Body.String()
	// Coal changes with the hour, as nuclear does; the last hour is not there, and the last two of
	// the wind.
	for code, points := range map[string]int{"B05": 2, "B10": 1, "B14": 2, "B19": 1} {
		_, after, _ := strings.Cut(text, "<psrType>"+code)
		series, _, _ := strings.Cut(after, "</TimeSeries>")
		if got := strings.Count(series, "<Point>"); got != points {
			t.Errorf("%s: %d points, want %d: %s", code, got, points, series)
		}
	}
	if w := asked(e, question+"x"); w.Code != http.StatusUnauthorized {
		t.Errorf("another key: %d", w.Code)
	}
	later := strings.NewReplacer("0900", "1130").Replace(question)
	if w := asked(e, later+"k"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "No matching data found") {
		t.Errorf("got %d, %s", w.Code, w.Body)
	}
}

func TestEIANamesAnHourByItsEnd(t *testing.T) {
	e := &EIA{Server: constant(), Key: "k", Respondent: "CISO", Rows: 7, Numbers: true}
	var answer struct {
		Response struct {
			Total string
			Data  []struct {
				Period, FuelType string
				Value            float64
			}
		}
	}
	w := asked(e, "/?api_key=k&start=2026-06-01T09&end=2026-06-01T12&frequency=hourly&data[0]=value&facets[respondent][]=CISO&sort[0][column]=period&offset=0&length=5000")
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	r := answer.Response
	if r.Total != "10" || len(r.Data) != 7 || r.Data[2].Period != "2026-06-01T09" || r.Data[2].Value != 3000+10*8+152 {
		t.Fatalf("got %+v", r)
	}
	// Coal, nuclear and wind, in this order, make the truth.
	c, n, wind := r.Data[1].Value, r.Data[2].Value, r.Data[4].Value
	if got := (820*c + 12*n + 11*wind) / (c + n + wind); math.Abs(got-300) > 1e-9 {
		t.Errorf("the mix has %v", got)
	}
}
