// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// gridOutlook shows the forecast of the next 48 hours, the best windows in it, and the
// accuracy of past forecasts.
type gridOutlook struct {
	errors atomic.Pointer[[]usage.ForecastError]

	forecast, bestStart, bestMean, wrong, pairs *prometheus.Desc
}

func newGridOutlook() *gridOutlook {
	d := func(name, help, label string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, []string{"grid", "provider", label}, nil)
	}
	return &gridOutlook{
		forecast: d("carbon_intensity_forecast_gco2eq_per_kwh",
			"Forecast carbon intensity of the half hour that starts this long after the current one. Absent if there is no forecast.", "ahead"),
		bestStart: d("carbon_intensity_best_window_start_timestamp_seconds",
			"Start of the window of this length with the lowest mean forecast in the next 48 hours, or the earliest of several equal ones. It may start with the current half hour. Absent if no window has a forecast for each of its half hours.", "window"),
		bestMean: d("carbon_intensity_best_window_gco2eq_per_kwh",
			"Mean forecast of the window that starts at carbon_intensity_best_window_start_timestamp_seconds.", "window"),
		wrong: d("carbon_intensity_forecast_error_gco2eq_per_kwh",
			"Mean absolute difference between the actuals of the last 28 days and the forecasts first seen this far ahead. Absent while there is nothing to compare.", "ahead"),
		pairs: d("carbon_intensity_forecast_error_pairs",
			"Number of half hours in the mean of carbon_intensity_forecast_error_gco2eq_per_kwh.", "ahead"),
	}
}

// windows are the lengths of the best windows to show.
var windows = []time.Duration{time.Hour, 3 * time.Hour, 6 * time.Hour}

func (g *gridOutlook) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{g.forecast, g.bestStart, g.bestMean, g.wrong, g.pairs} {
		ch <- d
	}
}

// collect shows every half hour of the 48 hours, a fixed set of 96 series, so that mean,
// minimum and quantile over ahead are correct and any other window can be planned.
func (g *gridOutlook) collect(out emitter, slots []usage.Slot, now time.Time) {
	if all := g.errors.Load(); all != nil {
		for _, e := range *all {
			out.gauge(g.wrong, float64(e.Mean), e.Grid, e.Provider, hours(e.Ahead))
			out.gauge(g.pairs, float64(e.Pairs), e.Grid, e.Provider, hours(e.Ahead))
		}
	}
	if len(slots) == 0 {
		return
	}
	grid, provider := slots[0].Grid, slots[0].Provider
	o := usage.OutlookAt(slots, now)
	for n, forecast := range o.Forecasts {
		if n > 0 && forecast != nil {
			out.gauge(g.forecast, float64(*forecast), grid, provider, hours(time.Duration(n)*usage.SlotLength))
		}
	}
	for _, length := range windows {
		if best, ok := o.Best(length); ok {
			out.gauge(g.bestStart, float64(best.From.Unix()), grid, provider, hours(length))
			out.gauge(g.bestMean, float64(best.Mean), grid, provider, hours(length))
		}
	}
}

// hours writes a multiple of half an hour as a label: 30m, 1h, 1h30m, 48h.
func hours(d time.Duration) string {
	h, m := d/time.Hour, d%time.Hour/time.Minute
	switch {
	case h == 0:
		return strconv.Itoa(int(m)) + "m"
	case m == 0:
		return strconv.Itoa(int(h)) + "h"
	}
	return strconv.Itoa(int(h)) + "h" + strconv.Itoa(int(m)) + "m"
}
