// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/rehearsal"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// zone is a meter and its machines: kWh in all until a time since the begin.
type zone struct {
	measured, booked func(since time.Duration) float64
}

// drawn is so much power from the begin on.
func drawn(kW float64) func(time.Duration) float64 {
	return func(since time.Duration) float64 { return kW * since.Hours() }
}

// The alert on what meters say, as Prometheus evaluates it while an exporter lives its life:
// usage comes each half hour, scrapes fail, the exporter is away, old usage is restated.
func TestUnexplainedEnergyOfARunningExporter(t *testing.T) {
	const day = 24 * time.Hour
	begin := utc(11, 2, 0, 0)
	late := func(from time.Duration, kW float64) func(time.Duration) float64 {
		return func(since time.Duration) float64 { return kW * max(0, since-from).Hours() }
	}
	for _, c := range []struct {
		name  string
		zone  *zone
		away  []usage.Period // no scrape succeeds
		fires time.Duration  // after the begin; 0: never
		until time.Duration  // 0: to the end
	}{
		{name: "the account closes", zone: &zone{drawn(1), drawn(1)}},
		{name: "a fifth is the switches", zone: &zone{drawn(1), drawn(0.8)}},
		{name: "a third is not booked", zone: &zone{drawn(1), drawn(0.66)}, fires: day + 30*time.Minute},
		{name: "a third too much is booked", zone: &zone{drawn(1), drawn(1.34)}, fires: day + 30*time.Minute},
		{
			name: "restarts do not begin it anew", zone: &zone{drawn(1), drawn(0.66)}, fires: day + 30*time.Minute,
			away: []usage.Period{
				{From: begin.Add(5 * time.Hour), To: begin.Add(5*time.Hour + 10*time.Minute)},
				{From: begin.Add(14 * time.Hour), To: begin.Add(17 * time.Hour)},
			},
		},
		{
			name:  "a year of usage is priced with other watts",
			zone:  &zone{drawn(1), func(since time.Duration) float64 { return drawn(0.9)(since) + 3000*step(since, 30*time.Hour) }},
			fires: 0,
		},
		{name: "the meter is silent", zone: &zone{drawn(0), drawn(0)}},
		{name: "there is no meter"},
		{
			// 16 hours after they came they have a quarter of the last day: 8 of 32 kWh.
			name: "machines that nobody scrapes come", zone: &zone{
				func(since time.Duration) float64 { return drawn(1)(since) + late(30*time.Hour, 0.5)(since) }, drawn(1),
			},
			fires: 30*time.Hour + 16*time.Hour + day,
		},
		{
			// What it has shown is in the last day for a day.
			name: "the exporter is gone for good", zone: &zone{drawn(1), drawn(0.5)}, fires: day + 30*time.Minute,
			away:  []usage.Period{{From: begin.Add(36 * time.Hour), To: begin.Add(90 * time.Hour)}},
			until: 36*time.Hour + day,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := observed(t, begin, begin.Add(80*time.Hour), c.zone, c.away)
			fires := p.series(t, `ALERTS{alertname="CarbonUnexplainedEnergy", alertstate="firing"}`, begin, begin.Add(80*time.Hour))
			if c.fires == 0 {
				for _, f := range fires {
					t.Errorf("%v fires from %s to %s", f.labels, f.at[0].Sub(begin), f.at[len(f.at)-1].Sub(begin))
				}
				return
			}
			if len(fires) != 1 || fires[0].labels["zone"] != "hall" || fires[0].labels["instance"] != rehearsal.Instance {
				t.Fatalf("fires: %v", fires)
			}
			first, last := fires[0].at[0].Sub(begin), fires[0].at[len(fires[0].at)-1].Sub(begin)
			if first < c.fires || first > c.fires+time.Hour {
				t.Errorf("fires after %s, want %s", first, c.fires)
			}
			if c.until == 0 {
				c.until = 80 * time.Hour
			}
			if last > c.until || last < c.until-time.Hour {
				t.Errorf("ends after %s, want %s", last, c.until)
			}
		})
	}
}

// step is 1 from a time on.
func step(since, from time.Duration) float64 {
	if since < from {
		return 0
	}
	return 1
}

// observed is a Prometheus that has the rules and has scraped an exporter with a zone, or
// without one.
func observed(t *testing.T, from, to time.Time, z *zone, away []usage.Period) prometheus {
	t.Helper()
	e, url := enginetest.Serve(t, engine.Options{})
	loaded, err := e.Rules(filepath.Join(examples, "prometheus", "rules", "carbon-data.yml"))
	if err != nil {
		t.Fatal(err)
	}
	target := e.NewTarget(rehearsal.Job, rehearsal.Instance)
	for at := from; !at.After(to); at = at.Add(scrapes) {
		page := "carbon_exporter_build_info 1\n"
		if z != nil {
			since := usage.FloorEpoch(at, usage.SlotLength).Sub(from)
			page += fmt.Sprintf("carbon_measured_energy_kwh{zone=\"hall\"} %g\ncarbon_unexplained_energy_kwh{zone=\"hall\"} %g\n",
				5000+z.measured(since), 100+z.measured(since)-z.booked(since))
		}
		gone := false
		for _, p := range away {
			gone = gone || !at.Before(p.From) && at.Before(p.To)
		}
		if gone {
			err = target.Down(t.Context(), at)
		} else {
			err = target.Scrape(t.Context(), at, []byte(page))
		}
		if err == nil {
			err = loaded.Eval(t.Context(), at)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return prometheus{url}
}
