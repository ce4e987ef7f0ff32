// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestGrid(t *testing.T) {
	noon := usage.SlotAt(now)
	type shown struct {
		value float64
		slot  time.Time
	}
	g := func(v usage.GramsPerKWh) *usage.GramsPerKWh { return &v }
	slot := func(after time.Duration, forecast, actual *usage.GramsPerKWh) usage.Slot {
		return usage.Slot{From: noon.Add(after), Forecast: forecast, Actual: actual, Provider: "uk", Grid: "GB"}
	}
	const half = 30 * time.Minute
	for _, test := range []struct {
		name             string
		at               time.Time
		slots            []usage.Slot
		forecast, actual *shown
	}{
		{name: "no slots", at: now},
		{
			name: "the usual: forecasts ahead, the actual of the half hour before", at: now, slots: slots(),
			forecast: &shown{55, noon}, actual: &shown{60, noon.Add(-half)},
		},
		{
			name: "the last moment of the half hour", at: noon.Add(half - 1), slots: slots(),
			forecast: &shown{55, noon}, actual: &shown{60, noon.Add(-half)},
		},
		{
			name: "the half hour turns and nothing new was published", at: noon.Add(half), slots: slots(),
			forecast: &shown{52, noon.Add(half)}, actual: &shown{60, noon.Add(-half)},
		},
		{
			name: "the outlook has come to its end: no forecast, not the last one", at: noon.Add(2 * half), slots: slots(),
			actual: &shown{60, noon.Add(-half)},
		},
		{
			name: "forecast alone", at: now, slots: []usage.Slot{slot(0, g(55), nil)},
			forecast: &shown{55, noon},
		},
		{
			name: "actual alone", at: now, slots: []usage.Slot{slot(0, nil, g(54))},
			actual: &shown{54, noon},
		},
		{
			name: "a slot that knows nothing", at: now, slots: []usage.Slot{slot(-half, nil, g(60)), slot(0, nil, nil)},
			actual: &shown{60, noon.Add(-half)},
		},
		{
			name: "an intensity of 0 is known", at: now, slots: []usage.Slot{slot(0, g(0), g(0))},
			forecast: &shown{0, noon}, actual: &shown{0, noon},
		},
		{
			name: "a fixed factor: actuals of slots to come are not the newest", at: now,
			slots:    []usage.Slot{slot(-half, g(210), g(210)), slot(0, g(210), g(210)), slot(half, g(210), g(210))},
			forecast: &shown{210, noon}, actual: &shown{210, noon},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			grid := NewGrid(func() time.Time { return test.at })
			if test.slots != nil {
				grid.Publish(around(test.slots))
			}
			r := prometheus.NewPedanticRegistry()
			r.MustRegister(grid)
			want := map[string]float64{}
			for kind, s := range map[string]*shown{"forecast": test.forecast, "actual": test.actual} {
				if s != nil {
					labels := `{grid="GB",kind="` + kind + `",provider="uk"}`
					want["carbon_intensity_gco2eq_per_kwh"+labels] = s.value
					want["carbon_intensity_slot_start_timestamp_seconds"+labels] = float64(s.slot.Unix())
				}
			}
			got := samples(gathered(t, r))
			maps.DeleteFunc(got, func(name string, _ float64) bool {
				return !strings.HasPrefix(name, "carbon_intensity_gco2eq") && !strings.HasPrefix(name, "carbon_intensity_slot")
			})
			if d := differ(got, want); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestTheProvidersWord(t *testing.T) {
	for _, test := range []struct {
		name             string
		present, before  string // words of the slot of now and of the one with the newest actual
		forecast, actual string // as shown
	}{
		{"both have one", "low", "very high", "low", "very high"},
		{"the same word", "low", "low", "low", "low"},
		{"no word is no series", "", "low", "", "low"},
		{"no words at all", "", "", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			all := slots()
			all[1].Index, all[2].Index, all[3].Index = test.before, test.present, "of another time"
			grid := NewGrid(clock)
			grid.Publish(around(all))
			r := prometheus.NewPedanticRegistry()
			r.MustRegister(grid)
			want := map[string]float64{}
			for kind, word := range map[string]string{"forecast": test.forecast, "actual": test.actual} {
				if word != "" {
					want[`carbon_intensity_index_info{grid="GB",index="`+word+`",kind="`+kind+`",provider="uk"}`] = 1
				}
			}
			if d := differ(samplesOf(t, r, "carbon_intensity_index_info"), want); d != "" {
				t.Error(d)
			}
		})
	}
}

// Two providers have the forecast and the actual; each series says what it is.
func TestEachIntensitySaysWhatItIs(t *testing.T) {
	g := func(v usage.GramsPerKWh) *usage.GramsPerKWh { return &v }
	noon := usage.SlotAt(now)
	for _, test := range []struct {
		name  string
		slots []usage.Slot
		want  []string
	}{
		{"a forecast of one, an estimate of another", []usage.Slot{
			{From: noon.Add(-30 * time.Minute), Actual: g(60), Quality: usage.QualityEstimated, Basis: usage.BasisOf("average lifecycle"), Provider: "electricity_maps", Grid: "FR"},
			{From: noon, Forecast: g(55), Quality: usage.QualityFinal, Basis: usage.BasisOf("average direct"), Provider: "rte", Grid: "FR"},
		}, []string{
			`{basis="average direct",grid="FR",kind="forecast",provider="rte",quality="forecast"}`,
			`{basis="average lifecycle",grid="FR",kind="actual",provider="electricity_maps",quality="estimated"}`,
		}},
		{"nobody says anything", []usage.Slot{
			{From: noon, Actual: g(60), Provider: "static", Grid: "hall"},
		}, []string{
			`{basis="undeclared",grid="hall",kind="actual",provider="static",quality="provisional"}`,
		}},
		{"nothing is known", []usage.Slot{{From: noon, Provider: "uk", Grid: "GB"}}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			grid := NewGrid(clock)
			grid.Publish(around(test.slots))
			r := prometheus.NewPedanticRegistry()
			r.MustRegister(grid)
			var got []string
			for name := range samples(gathered(t, r)) {
				if labels, ok := strings.CutPrefix(name, "carbon_intensity_info"); ok {
					got = append(got, labels)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestSharesAreAbsentWithoutUsage(t *testing.T) {
	for _, test := range []struct {
		name  string
		by    usage.PricedBy
		chain []string
		want  map[string]float64
	}{
		{"nothing has usage", usage.PricedBy{}, []string{"uk"}, map[string]float64{}},
		{"nothing has a price", usage.PricedBy{Pieces: 2}, []string{"uk", "static"}, map[string]float64{
			`carbon_intensity_source_ratio{provider="uk"}`: 0, `carbon_intensity_source_ratio{provider="static"}`: 0,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := day()
			s.PricedBy, s.Chain = test.by, test.chain
			got := samples(gathered(t, usageOf(s)))
			maps.DeleteFunc(got, func(name string, _ float64) bool {
				return !strings.Contains(name, "_ratio{provider=") && !strings.Contains(name, "basis_ratio")
			})
			if d := differ(got, test.want); d != "" {
				t.Error(d)
			}
		})
	}
}
