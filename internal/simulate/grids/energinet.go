// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package grids

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Energinet imitates https://api.energidataservice.dk/: rows of five minutes for both areas, until
// 15 minutes ago, and forecasts of nine hours more. Without a limit it gives 100 rows, the newest
// first.
type Energinet struct {
	Server
	Danish bool // it does not know the parameter timezone, and reads Danish times
	Most   int  // the most rows it gives, whatever the limit; 0: any
}

// ServeHTTP answers.
func (e *Energinet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.fails(w, r) {
		return
	}
	q := r.URL.Query()
	var filter struct{ PriceArea []string }
	err := json.Unmarshal([]byte(q.Get("filter")), &filter)
	of := time.UTC
	if e.Danish || q.Get("timezone") != "utc" {
		of = zone("Europe/Copenhagen")
	}
	from, err2 := time.ParseInLocation("2006-01-02T15:04", q.Get("start"), of)
	to, err3 := time.ParseInLocation("2006-01-02T15:04", q.Get("end"), of)
	if err != nil || err2 != nil || err3 != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var begin, last time.Time
	switch r.URL.Path {
	case "/dataset/CO2Emis":
		last = e.Now().Add(-15 * time.Minute)
	case "/dataset/CO2EmisProg":
		begin, last = e.Now().Add(-time.Hour), e.Now().Add(9*time.Hour)
	default:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	rows := e.rows(filter.PriceArea, from, to, begin, last)
	if q.Get("sort") != "Minutes5UTC" {
		slices.Reverse(rows)
	}
	limit, offset := 100, 0
	if q.Has("limit") {
		limit, _ = strconv.Atoi(q.Get("limit")) // 0 and what is no number mean all
	}
	if q.Has("offset") {
		offset, _ = strconv.Atoi(q.Get("offset"))
	}
	if limit == 0 {
		limit = len(rows)
	}
	if e.Most > 0 {
		limit = min(limit, e.Most)
	}
	page := rows[min(offset, len(rows)):min(offset+limit, len(rows))]
	answer(w, map[string]any{"total": len(rows), "dataset": r.URL.Path[len("/dataset/"):], "records": page})
}

func (e *Energinet) rows(areas []string, from, to, begin, last time.Time) []map[string]any {
	const step = 5 * time.Minute
	copenhagen := zone("Europe/Copenhagen")
	rows := []map[string]any{}
	for at := from.Truncate(step).UTC(); at.Before(to) && !at.Add(step).After(last); at = at.Add(step) {
		for _, area := range []string{"DK1", "DK2"} {
			if at.Before(begin) || !slices.Contains(areas, area) {
				continue
			}
			value := float64(e.Truth(at))
			if area == "DK2" {
				value++
			}
			rows = append(rows, map[string]any{
				"Minutes5UTC": at.Format("2006-01-02T15:04:05"), "Minutes5DK": at.In(copenhagen).Format("2006-01-02T15:04:05"),
				"PriceArea": area, "CO2Emission": value,
			})
		}
	}
	return rows
}
