// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package grids

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// EnergyCharts imitates https://api.energy-charts.info/ for one country: three lists of the same
// length, with the measured value of a time or its forecast. Nothing is measured in the last two
// hours, and the forecast goes to the end of the next day.
type EnergyCharts struct {
	Server
	Country string
	Step    time.Duration // 15 minutes in Germany, an hour elsewhere
	// Gap is how long it leaves out everything after this time.
	Gap      time.Duration
	GapAfter time.Time
	// MinGap is how soon it may be asked again; it answers 429 to whoever is faster, without a
	// Retry-After if Silent.
	MinGap time.Duration
	Silent bool

	asked time.Time
}

// ServeHTTP answers.
func (e *EnergyCharts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.fails(w, r) {
		return
	}
	if e.tooSoon() {
		if !e.Silent {
			w.Header().Set("Retry-After", "60")
		}
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	q := r.URL.Query()
	from, err := energyChartsTime(q.Get("start"))
	to, err2 := energyChartsTime(q.Get("end"))
	if r.URL.Path != "/co2eq" || q.Get("country") != e.Country || err != nil || err2 != nil {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"detail":"no data available"}`)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	answer(w, e.answer(from, to))
}

func (e *EnergyCharts) tooSoon() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.Now()
	soon := e.MinGap > 0 && !e.asked.IsZero() && now.Sub(e.asked) < e.MinGap
	e.asked = now
	return soon
}

func (e *EnergyCharts) answer(from, to time.Time) map[string]any {
	seconds, actuals, forecasts := []int64{}, []*float64{}, []*float64{}
	now := e.Now()
	day := 24 * time.Hour
	last := now.Truncate(day).Add(2 * day)
	for at := from.Truncate(e.Step); !at.After(to) && at.Before(last); at = at.Add(e.Step) {
		if e.Gap > 0 && !at.Before(e.GapAfter) && at.Before(e.GapAfter.Add(e.Gap)) {
			continue
		}
		value := float64(e.mean(at, at.Add(e.Step)))
		seconds = append(seconds, at.Unix())
		if at.Add(2 * time.Hour).After(now) {
			actuals, forecasts = append(actuals, nil), append(forecasts, &value)
		} else {
			actuals, forecasts = append(actuals, &value), append(forecasts, nil)
		}
	}
	return map[string]any{"unix_seconds": seconds, "co2eq": actuals, "co2eq_forecast": forecasts, "deprecated": false}
}

// energyChartsTime reads a time in any of the forms that the API takes.
func energyChartsTime(text string) (time.Time, error) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && len(text) > 4 {
		return time.Unix(seconds, 0).UTC(), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time", text)
}
