// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"math"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestTheGridIsBelievable(t *testing.T) {
	grid := Grid{Seed: 1}
	const days = 60
	var sum, evening, night, apart, lowest, highest float64
	lowest = math.Inf(1)
	for n := range days * 48 {
		slot := monday.Add(time.Duration(n) * usage.SlotLength)
		actual := float64(grid.Actual(slot))
		lowest, highest = math.Min(lowest, actual), math.Max(highest, actual)
		sum += actual
		apart += math.Abs(actual - float64(grid.Forecast(slot)))
		switch slot.Hour() {
		case 18:
			evening += actual / 2
		case 3:
			night += actual / 2
		}
	}
	if lowest < 15 || highest > 480 || highest < 3*lowest {
		t.Errorf("values lie between %v and %v", lowest, highest)
	}
	if mean := sum / (days * 48); mean < 80 || mean > 220 {
		t.Errorf("the mean is %v", mean)
	}
	if evening < 1.3*night {
		t.Errorf("evenings have %v, nights %v", evening/days, night/days)
	}
	// Measured in the real API: 24 g/kWh.
	if mean := apart / (days * 48); mean < 12 || mean > 36 {
		t.Errorf("forecasts are %v off", mean)
	}
}

func TestActualsComeLateAndBecomeFinal(t *testing.T) {
	grid, slot := Grid{Seed: 1}, monday.Add(12*time.Hour)
	end := slot.Add(usage.SlotLength)
	for _, tc := range []struct {
		name  string
		now   time.Time
		known bool
		final bool
	}{
		{"while the slot lasts", slot.Add(time.Minute), false, false},
		{"a moment before half an hour after its end", end.Add(30*time.Minute - 1), false, false},
		{"half an hour after its end", end.Add(30 * time.Minute), true, false},
		{"a day after its end", end.Add(24 * time.Hour), true, true},
		{"a year after its end", end.AddDate(1, 0, 0), true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, known := grid.ActualAt(slot, tc.now)
			if known != tc.known || tc.final && got != grid.Actual(slot) {
				t.Errorf("got %v, %v; the final actual is %v", got, known, grid.Actual(slot))
			}
			if known && math.Abs(float64(got-grid.Actual(slot))) > 5 {
				t.Errorf("%v is revised to %v", got, grid.Actual(slot))
			}
		})
	}
}

func TestValuesMoveForADayAfterTheSlot(t *testing.T) {
	grid, slot := Grid{Seed: 1}, monday.Add(12*time.Hour)
	end := slot.Add(usage.SlotLength)
	actuals, forecasts := map[usage.GramsPerKWh]bool{}, map[usage.GramsPerKWh]bool{}
	for age := actualAfter; age < finalAfter; age += 10 * time.Minute {
		actual, _ := grid.ActualAt(slot, end.Add(age))
		actuals[actual], forecasts[grid.ForecastAt(slot, end.Add(age))] = true, true
	}
	if len(actuals) < 3 || len(forecasts) < 3 {
		t.Errorf("actuals %v, forecasts %v", actuals, forecasts)
	}
	if late := grid.ForecastAt(slot, end.AddDate(0, 1, 0)); late != grid.Forecast(slot) {
		t.Errorf("a month later the forecast is %v, not %v", late, grid.Forecast(slot))
	}
}

func TestRegionsDiffer(t *testing.T) {
	seen := make(map[usage.GramsPerKWh]bool)
	for region := range 18 {
		seen[Grid{Seed: 1, Region: region}.Actual(monday)] = true
	}
	if len(seen) < 12 {
		t.Errorf("18 regions have %d values", len(seen))
	}
}
