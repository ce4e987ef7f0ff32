package doctor

import (
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Grid is what a source of carbon intensity has.
type Grid struct {
	Provider, Name string
	Static         *float64 // the value of a source that is one number
	From           string   // where that value is from; empty: not said
	Lately, Coming []usage.Slot
	Cause, Ahead   string // why there are none; empty: it answered
	Forecasts      bool   // whether it can have any
}

// Intensity is about one source of carbon intensity.
func Intensity(g Grid, now time.Time) []Finding {
	c := check{CarbonIntensity, g.Provider}
	if g.Static != nil {
		said := fmt.Sprintf("%v gCO2eq/kWh for all time, grid %s", *g.Static, g.Name)
		if g.From != "" {
			said += ", from " + g.From
		}
		return []Finding{c.ok("%s", said)}
	}
	all := []Finding{lately(c, g, now)}
	switch {
	case !g.Forecasts || all[0].Level == Failure:
		return all
	case g.Ahead != "":
		return append(all, c.warn("see whether it comes back: usage is priced with actuals meanwhile", "no forecast of grid %s: %s", g.Name, g.Ahead))
	case len(g.Coming) == 0:
		return append(all, c.warn("see whether it comes back: usage is priced with actuals meanwhile", "no forecast of grid %s", g.Name))
	}
	last := g.Coming[len(g.Coming)-1]
	return append(all, c.ok("forecast of grid %s to %s", g.Name, last.From.Add(usage.SlotLength).UTC().Format(time.RFC3339)))
}

// oldIntensity is how old the newest half hour may be.
const oldIntensity = 3 * time.Hour

func lately(c check, g Grid, now time.Time) Finding {
	const wait = "see whether the provider is out of order; energy is recorded and priced later"
	switch {
	case g.Cause != "":
		return c.fail("check carbon_intensity: the region, the postcode or the zone, the url and the way to it; energy is recorded and priced later", "grid %s: %s", g.Name, g.Cause)
	case len(g.Lately) == 0:
		return c.fail(wait, "answers, and has no intensity of grid %s for the last hours", g.Name)
	}
	s := g.Lately[len(g.Lately)-1]
	kind, value := "forecast", s.Forecast
	if s.Actual != nil {
		kind, value = "actual", s.Actual
	}
	said := fmt.Sprintf("newest half hour of grid %s: %s", g.Name, s.From.UTC().Format(time.RFC3339))
	if value != nil {
		said += fmt.Sprintf(", %.0f gCO2eq/kWh, %s", float64(*value), kind)
	}
	if now.Sub(s.From) > oldIntensity {
		return c.warn(wait, "%s, which is old", said)
	}
	return c.ok("%s", said)
}
