// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package grids

import (
	"net/http"
	"net/url"
	"path"
	"strconv"
	"time"
)

// ElectricityMaps imitates https://api.electricitymaps.com, versions 3 and 4. Its truth is that of
// lifecycle emissions, of which direct ones are half.
type ElectricityMaps struct {
	Server
	Key  string // a request must have it
	Zone string // the only one that it knows

	// Home is the zone of the caller's own address, the answer for an unknown zone. Empty: that is
	// an error, as it is in version 4 with disableCallerLookup.
	Home string
	// Finest is the shortest step that the plan of the key holds. Shorter ones become that.
	Finest time.Duration
	// Measured is how long after its start a value is measured. Until then it is an estimate.
	Measured time.Duration
	// Most is how many requests are answered; those after it are refused. 0: all.
	Most int
	// Forecasts is the longest horizon that the plan holds. 0: it has no forecasts.
	Forecasts time.Duration
	// List is the name of the list in answers. Empty: data, or forecast.
	List string
}

const longestRange = 10 * 24 * time.Hour

// ServeHTTP answers past-range and forecast.
func (m *ElectricityMaps) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.fails(w, r) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	q := r.URL.Query()
	endpoint := path.Base(r.URL.Path)
	switch {
	case r.Header.Get("auth-token") != m.Key, m.Most > 0 && len(m.Requests()) > m.Most, endpoint == "forecast" && m.Forecasts == 0:
		refuse(w, http.StatusUnauthorized, "Request unauthorized")
	case endpoint != "past-range" && endpoint != "forecast", path.Base(path.Dir(r.URL.Path)) != "carbon-intensity", path.Dir(path.Dir(r.URL.Path)) == "/":
		refuse(w, http.StatusNotFound, "no such endpoint")
	case q.Get("zone") != m.Zone && m.Home == "":
		refuse(w, http.StatusNotFound, "Zone does not exist")
	case endpoint == "forecast":
		m.forecast(w, q)
	default:
		m.past(w, q)
	}
}

func refuse(w http.ResponseWriter, status int, text string) {
	w.WriteHeader(status)
	answer(w, map[string]string{"error": text})
}

func (m *ElectricityMaps) past(w http.ResponseWriter, q url.Values) {
	start, err1 := time.Parse(time.RFC3339, q.Get("start"))
	end, err2 := time.Parse(time.RFC3339, q.Get("end"))
	if err1 != nil || err2 != nil || !start.Before(end) || end.Sub(start) > longestRange || end.After(m.Now()) {
		refuse(w, http.StatusBadRequest, "Invalid range")
		return
	}
	step, word := m.step(q)
	var list []any
	for at := start.Add(step - 1).Truncate(step); at.Before(end); at = at.Add(step) {
		list = append(list, m.value(q, at, step, word))
	}
	m.answer(w, q, "data", word, list)
}

func (m *ElectricityMaps) forecast(w http.ResponseWriter, q url.Values) {
	hours, err := strconv.Atoi(q.Get("horizonHours"))
	if err != nil {
		refuse(w, http.StatusBadRequest, "Invalid horizon")
		return
	}
	step, word := m.step(q)
	first := m.Now().Truncate(step)
	var list []any
	for at := first; at.Before(first.Add(min(time.Duration(hours)*time.Hour, m.Forecasts))); at = at.Add(step) {
		list = append(list, map[string]any{"datetime": emTime(at), "carbonIntensity": m.number(q, at, step)})
	}
	m.answer(w, q, "forecast", word, list)
}

func (m *ElectricityMaps) value(q url.Values, at time.Time, step time.Duration, word string) map[string]any {
	v := map[string]any{
		"datetime": emTime(at), "updatedAt": emTime(m.Now()), "emissionFactorType": q.Get("emissionFactorType"),
		"carbonIntensity": m.number(q, at, step), "isEstimated": false, "estimationMethod": nil, "temporalGranularity": word,
	}
	if m.Now().Sub(at) < m.Measured {
		v["isEstimated"], v["estimationMethod"] = true, "TIME_SLICER_AVERAGE"
		if q.Get("disableEstimations") == "true" {
			v["isEstimated"], v["estimationMethod"], v["carbonIntensity"] = nil, nil, nil
		}
	}
	return v
}

func (m *ElectricityMaps) number(q url.Values, at time.Time, step time.Duration) float64 {
	v := float64(m.mean(at, at.Add(step)))
	if q.Get("emissionFactorType") == "direct" {
		v /= 2
	}
	return v
}

func (m *ElectricityMaps) answer(w http.ResponseWriter, q url.Values, list, word string, values []any) {
	zone := q.Get("zone")
	if zone != m.Zone {
		zone = m.Home
	}
	if m.List != "" {
		list = m.List
	}
	answer(w, map[string]any{"zone": zone, "temporalGranularity": word, list: values})
}

// step is what the plan has of what is asked for, and its name.
func (m *ElectricityMaps) step(q url.Values) (time.Duration, string) {
	step := map[string]time.Duration{"5_minutes": 5 * time.Minute, "15_minutes": 15 * time.Minute}[q.Get("temporalGranularity")]
	if step == 0 {
		step = time.Hour
	}
	step = max(step, m.Finest)
	return step, map[time.Duration]string{5 * time.Minute: "5_minutes", 15 * time.Minute: "15_minutes", time.Hour: "hourly"}[step]
}

func emTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
