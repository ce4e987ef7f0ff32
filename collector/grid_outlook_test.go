// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// samplesOf is the samples of one family.
func samplesOf(t *testing.T, g prometheus.Gatherer, name string) map[string]float64 {
	t.Helper()
	all := gathered(t, g)
	maps.DeleteFunc(all, func(n string, _ *dto.MetricFamily) bool { return n != name })
	return samples(all)
}

// gridAt shows slots at a time.
func gridAt(at time.Time, all []usage.Slot) *prometheus.Registry {
	grid := NewGrid(func() time.Time { return at })
	grid.Publish(around(all))
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(grid)
	return r
}

func TestForecastAhead(t *testing.T) {
	noon := usage.SlotAt(now)
	long := func(slots int) (all []usage.Slot) {
		for n := range slots {
			all = append(all, usage.Slot{From: noon.Add(time.Duration(n-2) * usage.SlotLength), Forecast: new(usage.GramsPerKWh(n)), Provider: "uk", Grid: "GB"})
		}
		return all
	}
	holed := long(8)
	holed[4].Forecast, holed = nil, append(holed[:5], holed[6:]...)
	for _, test := range []struct {
		name  string
		at    time.Time
		slots []usage.Slot
		want  map[string]float64
	}{
		{"from the half hour after now", now, long(6), map[string]float64{"30m": 3, "1h": 4, "1h30m": 5}},
		{"the last moment of the half hour", noon.Add(30*time.Minute - 1), long(6), map[string]float64{"30m": 3, "1h": 4, "1h30m": 5}},
		{"the half hour turns and nothing new was published", noon.Add(30 * time.Minute), long(6), map[string]float64{"30m": 4, "1h": 5}},
		{"the outlook has come to its end", noon.Add(2 * time.Hour), long(6), nil},
		{"a slot without a forecast, and one that is missing", now, holed, map[string]float64{"30m": 3, "2h": 6, "2h30m": 7}},
		{"nothing is known", now, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := map[string]float64{}
			for ahead, v := range test.want {
				want[`carbon_intensity_forecast_gco2eq_per_kwh{ahead="`+ahead+`",grid="GB",provider="uk"}`] = v
			}
			if d := differ(samplesOf(t, gridAt(test.at, test.slots), "carbon_intensity_forecast_gco2eq_per_kwh"), want); d != "" {
				t.Error(d)
			}
		})
	}
	t.Run("a closed set, 48 hours long", func(t *testing.T) {
		want := map[string]float64{}
		for n := 1; n <= 96; n++ {
			ahead := fmt.Sprintf("%dh%dm", n/2, n%2*30)
			switch {
			case n == 1:
				ahead = "30m"
			case n%2 == 0:
				ahead = fmt.Sprintf("%dh", n/2)
			}
			want[`carbon_intensity_forecast_gco2eq_per_kwh{ahead="`+ahead+`",grid="GB",provider="uk"}`] = float64(n + 2)
		}
		if d := differ(samplesOf(t, gridAt(now, long(300)), "carbon_intensity_forecast_gco2eq_per_kwh"), want); d != "" {
			t.Error(d)
		}
	})
}

func TestBestWindows(t *testing.T) {
	noon := usage.SlotAt(now)
	type best struct {
		after time.Duration // noon
		mean  float64
	}
	all := outlook()
	fixed := outlook()
	for i := range fixed {
		fixed[i].Forecast, fixed[i].Actual = new(usage.GramsPerKWh(210.5)), new(usage.GramsPerKWh(210.5))
	}
	holed := outlook()
	holed[8].Forecast = nil // 15:00
	for _, test := range []struct {
		name  string
		at    time.Time
		slots []usage.Slot
		want  map[string]best
	}{
		{"the usual", now, all, map[string]best{
			"1h": {3*time.Hour + 30*time.Minute, 36.5}, "3h": {2 * time.Hour, 39}, "6h": {0, 44.0 + 5.0/12},
		}},
		{"they have begun", noon.Add(3*time.Hour + 59*time.Minute), all, map[string]best{
			"1h": {3*time.Hour + 30*time.Minute, 36.5}, "3h": {3*time.Hour + 30*time.Minute, 45.5},
		}},
		{"none is long enough any more", noon.Add(6 * time.Hour), all, nil},
		{"a fixed factor: now is as good as any time", now, fixed, map[string]best{"1h": {0, 210.5}, "3h": {0, 210.5}, "6h": {0, 210.5}}},
		{"a half hour is missing", now, holed, map[string]best{
			"1h": {3*time.Hour + 30*time.Minute, 36.5}, "3h": {3*time.Hour + 30*time.Minute, 45.5},
		}},
		{"nothing is known", now, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := gridAt(test.at, test.slots)
			starts, means := map[string]float64{}, map[string]float64{}
			for window, b := range test.want {
				labels := `{grid="GB",provider="uk",window="` + window + `"}`
				starts["carbon_intensity_best_window_start_timestamp_seconds"+labels] = float64(noon.Add(b.after).Unix())
				means["carbon_intensity_best_window_gco2eq_per_kwh"+labels] = b.mean
			}
			if d := differ(samplesOf(t, r, "carbon_intensity_best_window_start_timestamp_seconds"), starts); d != "" {
				t.Error(d)
			}
			if d := differ(samplesOf(t, r, "carbon_intensity_best_window_gco2eq_per_kwh"), means); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestForecastErrorsAreShownAsPublished(t *testing.T) {
	grid := NewGrid(clock)
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(grid)
	shown := func() map[string]float64 {
		all := samplesOf(t, r, "carbon_intensity_forecast_error_gco2eq_per_kwh")
		maps.Copy(all, samplesOf(t, r, "carbon_intensity_forecast_error_pairs"))
		return all
	}
	grid.Publish(around(slots()))
	if got := shown(); len(got) != 0 {
		t.Errorf("nothing was compared, and there is %v", got)
	}
	grid.PublishErrors(misses())
	if d := differ(shown(), map[string]float64{
		`carbon_intensity_forecast_error_gco2eq_per_kwh{ahead="30m",grid="GB",provider="uk"}`: 12.5,
		`carbon_intensity_forecast_error_gco2eq_per_kwh{ahead="24h",grid="GB",provider="uk"}`: 24,
		`carbon_intensity_forecast_error_pairs{ahead="30m",grid="GB",provider="uk"}`:          1343,
		`carbon_intensity_forecast_error_pairs{ahead="24h",grid="GB",provider="uk"}`:          1296,
	}); d != "" {
		t.Error(d)
	}
	grid.PublishErrors(nil) // another grid, of which nothing is known yet
	if got := shown(); len(got) != 0 {
		t.Errorf("of another grid there is %v", got)
	}
}
