// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"math"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Grid is the carbon intensity of a plausible grid: more in the morning and in the evening,
// less on windy days and at weekends. Values are integers, as in the UK Carbon Intensity API.
// Region 0 is the nation.
type Grid struct {
	Seed   uint64
	Region int
}

// When values appear and when they stop changing.
const (
	actualAfter = 30 * time.Minute // from the slot's end to its first actual
	finalAfter  = 24 * time.Hour   // from the slot's end to its last revision
	horizon     = 47 * time.Hour   // how far ahead there are forecasts: a little less than fw48h
	moves       = 3 * time.Hour    // time between revisions
)

// Actual returns the final actual of the slot that contains t.
func (g Grid) Actual(t time.Time) usage.GramsPerKWh {
	slot := usage.SlotAt(t)
	hour := slot.Sub(usage.FloorEpoch(slot, day)).Hours()
	peak := func(at, width float64) float64 { return math.Exp(-(hour - at) * (hour - at) / (2 * width * width)) }
	demand := 150 + 45*peak(8, 2) + 75*peak(18, 2.2) - 40*peak(3, 2.5)
	if slot.Weekday() == time.Saturday || slot.Weekday() == time.Sunday {
		demand -= 25
	}
	wind := drift(float64(slot.Unix())/(14*3600), g.Seed, aboutWind)
	jitter := 14 * (draw(g.Seed, aboutIntensity, uint64(slot.Unix())) - 0.5)
	return grams((demand*(1.3-wind) + jitter) * g.scale())
}

// ActualAt returns the actual as the API knows it at now: false until half an hour after the
// slot's end, then revised a little, and final a day after its end.
func (g Grid) ActualAt(t, now time.Time) (usage.GramsPerKWh, bool) {
	slot := usage.SlotAt(t)
	age := now.Sub(slot.Add(usage.SlotLength))
	if age < actualAfter {
		return 0, false
	}
	if age >= finalAfter {
		return g.Actual(slot), true
	}
	wrong := 8 * (draw(g.Seed, aboutRevision, uint64(slot.Unix()), uint64(age/moves)) - 0.5)
	return grams(float64(g.Actual(slot)) + wrong), true
}

// Forecast returns the final forecast of the slot that contains t. It differs from the actual
// even when everything is known.
func (g Grid) Forecast(t time.Time) usage.GramsPerKWh {
	slot := usage.SlotAt(t)
	return g.ForecastAt(slot, slot.Add(usage.SlotLength+finalAfter))
}

// ForecastAt returns the forecast as the API knows it at now. The earlier it is made the worse
// it is, and it changes for a day after the slot.
func (g Grid) ForecastAt(t, now time.Time) usage.GramsPerKWh {
	slot := usage.SlotAt(t)
	final := slot.Add(usage.SlotLength + finalAfter)
	now = usage.Earlier(now, final)
	lead := math.Max(0, slot.Sub(now).Hours()/horizon.Hours())
	n := uint64(slot.Unix())
	wrong := (90 + 60*lead) * (draw(g.Seed, aboutForecast, n/uint64(moves.Seconds())) - 0.5)
	moved := 10 * (draw(g.Seed, aboutForecast, n, uint64(usage.FloorEpoch(now, moves).Unix())) - 0.5)
	return grams(float64(g.Actual(slot)) + wrong + moved)
}

// scale makes some regions windier than others.
func (g Grid) scale() float64 {
	if g.Region == 0 {
		return 1
	}
	return 0.3 + 1.2*draw(g.Seed, aboutRegion, uint64(g.Region))
}

func grams(v float64) usage.GramsPerKWh {
	return usage.GramsPerKWh(math.Round(math.Max(15, math.Min(v, 480))))
}

// index is the API's rating of an intensity. The real bounds change every year and these do
// not: nobody may rely on them.
func index(g usage.GramsPerKWh) string {
	switch {
	case g < 40:
		return "very low"
	case g < 110:
		return "low"
	case g < 190:
		return "moderate"
	case g < 270:
		return "high"
	}
	return "very high"
}
