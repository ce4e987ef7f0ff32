// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package grids

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// WattTime imitates version 3 of https://api.watttime.org. Its truth is the average of all plants
// (co2_aoer), of which the marginal one (co2_moer) is twice as much.
type WattTime struct {
	Server
	Username, Password string
	Region             string // the only one that the account may read
	Model              string // the date of the model; each has values of its own, see Bias
	Bias               float64
	Imputed            func(at time.Time) bool // whether a value is filled in; nil: none is

	// Other is a region that is answered with in place of the one asked for. Empty: that one.
	Other string
	// Units in place of lbs_co2_per_mwh.
	Units string
	// AverageForecasts is whether there are forecasts of co2_aoer, too.
	AverageForecasts bool
	// Failing is how many of the next requests for values are answered with status 500.
	Failing int

	logins int
	issued time.Time
}

const (
	tokenLasts    = 30 * time.Minute
	longestAsked  = 32 * 24 * time.Hour
	kilogramsInLb = 0.45359237
)

// Logins is how often a token was asked for.
func (m *WattTime) Logins() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.logins
}

// ServeHTTP answers the login and what needs its token.
func (m *WattTime) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.fails(w, r) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	q := r.URL.Query()
	switch {
	case r.URL.Path == "/login":
		m.login(w, r)
	case !m.knows(r.Header.Get("Authorization")):
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, "Jwt is expired")
	case m.Failing > 0:
		m.Failing--
		w.WriteHeader(http.StatusInternalServerError)
	case q.Get("region") != m.Region && m.Other == "":
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"error":"Forbidden","message":"region is not in your plan"}`)
	case r.URL.Path == "/v3/historical":
		m.historical(w, q)
	case r.URL.Path == "/v3/forecast":
		m.forecast(w, q)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (m *WattTime) login(w http.ResponseWriter, r *http.Request) {
	if user, password, _ := r.BasicAuth(); user != m.Username || password != m.Password {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "Forbidden")
		return
	}
	m.logins++
	m.issued = m.Now()
	answer(w, map[string]string{"token": m.token()})
}

// token is the newest. It is no JWT, which a text is never shown with.
func (m *WattTime) token() string { return fmt.Sprintf("t0ken-of-login-%d", m.logins) }

func (m *WattTime) knows(header string) bool {
	token, ok := strings.CutPrefix(header, "Bearer ")
	return ok && m.logins > 0 && token == m.token() && m.Now().Sub(m.issued) < tokenLasts
}

func (m *WattTime) historical(w http.ResponseWriter, q url.Values) {
	start, err1 := time.Parse(time.RFC3339, q.Get("start"))
	end, err2 := time.Parse(time.RFC3339, q.Get("end"))
	if err1 != nil || err2 != nil || end.Before(start) || end.Sub(start) > longestAsked {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	list := []any{}
	for at := start; !at.After(end) && at.Before(m.Now().Add(-5*time.Minute)); at = at.Add(5 * time.Minute) {
		list = append(list, map[string]any{
			"point_time": at.Format(time.RFC3339), "value": m.pounds(q, at),
			"last_updated": at.Add(10 * time.Minute).Format(time.RFC3339), "imputed_data_used": m.Imputed != nil && m.Imputed(at),
		})
	}
	m.answer(w, q, list)
}

func (m *WattTime) forecast(w http.ResponseWriter, q url.Values) {
	hours, err := strconv.Atoi(q.Get("horizon_hours"))
	if err != nil || hours > 72 || q.Get("signal_type") == "co2_aoer" && !m.AverageForecasts {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	first := m.Now().Truncate(5 * time.Minute)
	list := []any{}
	for at := first; at.Before(first.Add(time.Duration(hours) * time.Hour)); at = at.Add(5 * time.Minute) {
		list = append(list, map[string]any{"point_time": at.Format(time.RFC3339), "value": m.pounds(q, at)})
	}
	m.answer(w, q, list)
}

func (m *WattTime) pounds(q url.Values, at time.Time) float64 {
	v := (float64(m.Truth(at)) + m.Bias) / kilogramsInLb
	if q.Get("signal_type") == "co2_moer" {
		v *= 2
	}
	return v
}

func (m *WattTime) answer(w http.ResponseWriter, q url.Values, list []any) {
	region, units := q.Get("region"), "lbs_co2_per_mwh"
	if m.Other != "" {
		region = m.Other
	}
	if m.Units != "" {
		units = m.Units
	}
	w.Header().Set("Content-Type", "application/json")
	answer(w, map[string]any{"data": list, "meta": map[string]any{
		"region": region, "signal_type": q.Get("signal_type"), "units": units, "data_point_period_seconds": 300,
		"model": map[string]string{"date": m.Model}, "warnings": []any{},
	}})
}
