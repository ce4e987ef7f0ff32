// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package grids

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// national is what the imitations of one country have in common here: it is noon of 1 June 2026,
// and the truth is the minute.
func national() Server {
	return Server{
		Now:   func() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) },
		Truth: func(at time.Time) usage.GramsPerKWh { return usage.GramsPerKWh(at.Minute()) },
	}
}

// told asks a handler, and reads its answer into v.
func told(t *testing.T, h http.Handler, path string, q url.Values, header http.Header, v any) int {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path+"?"+q.Encode(), nil)
	r.Header = header
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
			t.Fatal(err)
		}
	}
	return w.Code
}

func TestRTEHasRowsOfTheTimeToCome(t *testing.T) {
	s := &RTE{Server: national(), Later: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)}
	const lists = "/api/explore/v2.1/catalog/datasets/eco2mix-national-"
	var answer struct {
		Total int `json:"total_count"`
		Rows  []struct {
			CO2 *float64 `json:"taux_co2"`
		} `json:"results"`
	}
	q := url.Values{"where": {"date_heure >= date'2026-06-01T09:00:00Z' and date_heure < date'2026-06-01T12:00:00Z'"}, "limit": {"8"}}
	if code := told(t, s, lists+"tr/records", q, nil, &answer); code != http.StatusOK || answer.Total != 12 || len(answer.Rows) != 8 {
		t.Fatalf("got %d, %+v", code, answer)
	}
	if answer.Rows[4].CO2 == nil || answer.Rows[5].CO2 != nil {
		t.Errorf("got %+v, want nothing of the last two hours", answer.Rows)
	}
	q.Set("limit", "101")
	if code := told(t, s, lists+"tr/records", q, nil, &answer); code != http.StatusBadRequest {
		t.Errorf("more rows than allowed: got %d", code)
	}
}

func TestEnerginetGivesTheNewestHundredUnlessAsked(t *testing.T) {
	s := &Energinet{Server: national()}
	var answer struct {
		Total int
		Rows  []struct{ Minutes5UTC string } `json:"records"`
	}
	q := url.Values{"start": {"2026-05-31T00:00"}, "end": {"2026-06-01T00:00"}, "timezone": {"utc"}, "filter": {`{"PriceArea":["DK1"]}`}}
	if code := told(t, s, "/dataset/CO2Emis", q, nil, &answer); code != http.StatusOK || answer.Total != 288 || len(answer.Rows) != 100 || answer.Rows[0].Minutes5UTC != "2026-05-31T23:55:00" {
		t.Errorf("got %d, %d of %d rows", code, len(answer.Rows), answer.Total)
	}
}

func TestOpenElectricityWantsAKeyAndTimesWithoutAZone(t *testing.T) {
	s := &OpenElectricity{Server: national(), Key: "key"}
	var answer struct{ Data []json.RawMessage }
	q := url.Values{"metrics": {"energy", "emissions"}, "interval": {"5m"}, "date_start": {"2026-06-01T20:00:00"}, "date_end": {"2026-06-01T21:00:00"}}
	with := http.Header{"Authorization": {"Bearer key"}}
	if code := told(t, s, "/v4/data/network/NEM", q, with, &answer); code != http.StatusOK || len(answer.Data) != 2 {
		t.Errorf("got %d, %s", code, answer.Data)
	}
	if code := told(t, s, "/v4/data/network/NEM", q, http.Header{}, &answer); code != http.StatusUnauthorized {
		t.Errorf("without a key: got %d", code)
	}
	q.Set("date_start", "2026-06-01T20:00:00Z")
	if code := told(t, s, "/v4/data/network/NEM", q, with, &answer); code != http.StatusBadRequest {
		t.Errorf("with a zone: got %d", code)
	}
}
