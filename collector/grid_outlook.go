package collector

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// gridOutlook shows the forecast of the coming 48 hours, the best windows in it,
// and how good forecasts have been.
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
			"Forecast carbon intensity of the half hour that begins so long after the beginning of the one of now. Absent where there is no forecast.", "ahead"),
		bestStart: d("carbon_intensity_best_window_start_timestamp_seconds",
			"Start of the stretch of so many hours, within the coming 48, whose mean forecast is the lowest; the first of several. It may have begun with the half hour of now. Absent where no stretch has a forecast for each of its half hours.", "window"),
		bestMean: d("carbon_intensity_best_window_gco2eq_per_kwh",
			"The lowest mean forecast of any stretch of so many hours within the coming 48: that of carbon_intensity_best_window_start_timestamp_seconds.", "window"),
		wrong: d("carbon_intensity_forecast_error_gco2eq_per_kwh",
			"Mean absolute difference between the actuals of the last 28 days and what was forecast so far ahead, as it was first seen. Absent while there is nothing to compare.", "ahead"),
		pairs: d("carbon_intensity_forecast_error_pairs",
			"Half hours that carbon_intensity_forecast_error_gco2eq_per_kwh is the mean of.", "ahead"),
	}
}

// windows are the lengths of time of which the best is shown.
var windows = []time.Duration{time.Hour, 3 * time.Hour, 6 * time.Hour}

func (g *gridOutlook) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{g.forecast, g.bestStart, g.bestMean, g.wrong, g.pairs} {
		ch <- d
	}
}

// collect shows every half hour of the 48 hours, a closed set of 96 series: on an
// even grid a mean, a minimum or a quantile over ahead is right, and whoever plans
// with other windows has all of it.
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

// hours is a multiple of half an hour as a label has it: 30m, 1h, 1h30m, 48h.
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
