package simulate

import (
	"math"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Grid is the carbon intensity of a believable grid: more in the morning and in
// the evening, less in windy days and at weekends. Values are whole numbers, as
// the UK Carbon Intensity API has them. Region 0 is the nation.
type Grid struct {
	Seed   uint64
	Region int
}

// When values appear and when they stop moving.
const (
	actualAfter = 30 * time.Minute // from the end of the slot to its first actual
	finalAfter  = 24 * time.Hour   // from the end of the slot to its last revision
	horizon     = 47 * time.Hour   // how far ahead there is a forecast: fw48h is short of it
	moves       = 3 * time.Hour    // between two revisions
)

// Actual is the final actual of the slot that holds t.
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
	return g.grams((demand*(1.3-wind) + jitter) * g.scale())
}

// ActualAt is the actual as the API knows it at now: false until half an hour
// after the slot's end, then revised a little, final a day after its end.
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
	return g.grams(float64(g.Actual(slot)) + wrong), true
}

// Forecast is the final forecast of the slot that holds t: it is not the actual,
// even when all is known.
func (g Grid) Forecast(t time.Time) usage.GramsPerKWh {
	slot := usage.SlotAt(t)
	return g.ForecastAt(slot, slot.Add(usage.SlotLength+finalAfter))
}

// ForecastAt is the forecast as the API knows it at now. It is the worse the
// earlier it is made and goes on moving for a day after the slot.
func (g Grid) ForecastAt(t, now time.Time) usage.GramsPerKWh {
	slot := usage.SlotAt(t)
	final := slot.Add(usage.SlotLength + finalAfter)
	now = earliest(now, final)
	lead := math.Max(0, slot.Sub(now).Hours()/horizon.Hours())
	n := uint64(slot.Unix())
	wrong := (90 + 60*lead) * (draw(g.Seed, aboutForecast, n/uint64(moves.Seconds())) - 0.5)
	moved := 10 * (draw(g.Seed, aboutForecast, n, uint64(usage.FloorEpoch(now, moves).Unix())) - 0.5)
	return g.grams(float64(g.Actual(slot)) + wrong + moved)
}

// scale makes some regions windy and others not.
func (g Grid) scale() float64 {
	if g.Region == 0 {
		return 1
	}
	return 0.3 + 1.2*draw(g.Seed, aboutRegion, uint64(g.Region))
}

func (g Grid) grams(v float64) usage.GramsPerKWh {
	return usage.GramsPerKWh(math.Round(math.Max(15, math.Min(v, 480))))
}

// index is the API's word for an intensity. The real bounds change every year,
// these do not: nobody may rely on them.
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
