// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"context"
	"errors"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/power"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// gauges are instruments at the hosts of steady: what they show is a function of time.
type gauges struct {
	asked, models int
	fail          error
}

func (g *gauges) Instruments(_ context.Context, run []usage.Interval, models bool) ([]usage.Instruments, usage.Rejects, error) {
	g.asked++
	if models {
		g.models++
	}
	if g.fail != nil {
		return nil, nil, g.fail
	}
	var all []usage.Instruments
	for _, i := range run {
		for _, piece := range i.Pieces() {
			all = append(all, reading(piece, models))
		}
	}
	return all, nil, nil
}

func reading(piece usage.Interval, models bool) usage.Instruments {
	turn := float64(piece.Start.Unix()/1800%7) + 1
	is := usage.Instruments{
		Piece: piece, PUE: new(1 + turn/8),
		Power: map[string]usage.Metering{}, Memory: map[string]usage.GiBSeconds{},
		Zones: []usage.ZoneEnergy{{Zone: usage.Site, Energy: usage.Joules(1e6 * turn)}},
	}
	n := 0
	for s := range steady(piece) {
		is.Memory[s.Host] = usage.GiBSeconds(64 * piece.Length.Seconds())
		if len(s.Host)%2 == 0 || n == 0 && strings.HasSuffix(s.Host, "1") {
			is.Power[s.Host] = usage.Metering{Meter: "ipmi", Energy: usage.Joules(1e5 * turn), Covered: 1, Error: new(0.05)}
		}
		is.Devices = append(is.Devices, usage.DeviceSample{
			Series: usage.Series{Project: usage.Unknown, Machine: usage.Unknown, Host: s.Host}, Name: "gpu", Energy: usage.Joules(2e5 * turn),
		})
		if models {
			if is.Models == nil {
				is.Models = map[string][]usage.ModelShare{}
			}
			is.Models[s.Host] = []usage.ModelShare{{Model: "lean", Threads: 64, Share: 1}}
		}
	}
	return is
}

// instrumented is a site with instruments, PUE among them, and with embodied emissions.
func instrumented(g *gauges, memory, processor usage.Watts, embodied usage.GramsPerCoreHour) func(*Settings) {
	return func(s *Settings) {
		s.Instruments, s.Asked = g, Asked{Models: true, Rest: true}
		s.MeasuresPUE = true
		s.Zones = []Zone{{Name: usage.Site}}
		s.Embodied = func(string, usage.Interval) (usage.GramsPerCoreHour, bool) { return embodied, true }
		s.Power = func(context.Context, time.Time) (Power, error) {
			return power.Model{
				Default: usage.Rating{Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}}, MemoryPerGiB: memory,
				Processor: func(string, int) (usage.Rating, bool) {
					w := usage.BusyIdle[usage.Watts]{Busy: processor, Idle: processor / 4}
					return usage.Rating{Watts: w, Low: new(usage.BusyIdle[usage.Watts]{Busy: w.Busy / 2, Idle: w.Idle / 2}), High: &w}, true
				},
			}, nil
		}
	}
}

// What a recost leaves of a site with instruments is what an exporter would have stored that had
// been set so from the beginning: what was measured stays.
func TestARecostKeepsWhatWasMeasured(t *testing.T) {
	first, other := instrumented(&gauges{}, 0.3, 3, 0.5), instrumented(&gauges{}, 0.4, 2, 0.25)
	want := aged(t, other)
	want.mustBackfill(hours(-28, -20))
	r := aged(t, first)
	r.mustBackfill(hours(-28, -20))
	before := r.dump()
	for _, wanted := range []string{"gpu", "lean", "site"} {
		if !strings.Contains(before, wanted) {
			t.Fatalf("the record has no %s:\n%.2000s", wanted, before)
		}
	}
	g := &gauges{}
	if _, err := r.recost(hours(-28, -20).restated(), instrumented(g, 0.4, 2, 0.25)); err != nil {
		t.Fatal(err)
	}
	if g.asked > 0 {
		t.Error("a recost asks Prometheus")
	}
	if got, want := r.dump(), want.dump(); got != want {
		t.Errorf("the record differs:\n%s", firstDifference(got, want))
	}
	if _, err := r.recost(hours(-28, -20).restated(), first); err != nil {
		t.Fatal(err)
	}
	if got := r.dump(); got != before {
		t.Errorf("and back again the record differs:\n%s", firstDifference(got, before))
	}
}

func TestReadingAgainWithInstrumentsChangesNothing(t *testing.T) {
	r := aged(t, instrumented(&gauges{}, 0.3, 3, 0.5))
	r.mustBackfill(hours(-28, -20))
	before := r.dump()
	if _, err := r.backfill(hours(-28, -20).restated()); err != nil {
		t.Fatal(err)
	}
	if got := r.dump(); got != before {
		t.Errorf("the record differs:\n%s", firstDifference(got, before))
	}
}

// Everything that was measured, in the sums of all scopes.
func TestWhatWasMeasuredIsInEverySum(t *testing.T) {
	r := aged(t, instrumented(&gauges{}, 0.3, 3, 0.5))
	r.mustBackfill(hours(-28, -20))
	accounts, err := r.store.Accounts(t.Context(), usage.Period{From: start.Add(-28 * time.Hour), To: start.Add(-20 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	site := accounts[0].By(usage.ScopeAda)[0]
	devices := 0.0
	for i := usage.IntervalAt(start.Add(-28*time.Hour), usage.SlotLength); i.Start.Before(start.Add(-20 * time.Hour)); i = i.Next() {
		is := reading(i, false)
		for _, d := range is.Devices {
			devices += float64(d.Energy.KWh()) * *is.PUE
		}
	}
	if !near(float64(site.Energy.Measured), devices) {
		t.Errorf("devices have %v kWh, want %v", site.Energy.Measured, devices)
	}
	if want := 0.5 * float64(site.CPU.Total()) / 3600; !near(float64(site.Embodied), want) {
		t.Errorf("embodied are %v g, want %v", site.Embodied, want)
	}
	if site.Down <= 0 || site.Undoubted <= 0 || site.Undoubted >= site.Energy.Total() {
		t.Errorf("%v below, %v above, of %v kWh nobody knows", site.Down, site.Up, site.Undoubted)
	}
	for _, scope := range usage.Scopes() {
		var sum usage.ByModeSum[usage.KWh]
		embodied := 0.0
		for _, m := range accounts[0].By(scope) {
			sum.Add(m.Energy)
			embodied += float64(m.Embodied)
		}
		if got := sum.ByMode(); math.Abs(float64(got.Total()/site.Energy.Total())-1) > 1e-12 || math.Abs(float64(got.Measured/site.Energy.Measured)-1) > 1e-12 || !near(embodied, float64(site.Embodied)) {
			t.Errorf("%s adds up to %+v and %v g, the site is %+v and %v g", scope, got, embodied, site.Energy, site.Embodied)
		}
	}
}

// Nobody asks for what nobody uses.
func TestASiteWithoutInstrumentsAsksForNone(t *testing.T) {
	for name, change := range map[string]func(*Settings){
		"nothing configured": func(s *Settings) { s.Asked = Asked{} },
		"processors count, and every type is configured": func(s *Settings) {
			s.Asked = Asked{Models: true}
			s.Power = func(context.Context, time.Time) (Power, error) {
				m := power.Model{Configured: map[string]usage.Rating{}, Processor: func(string, int) (usage.Rating, bool) { return usage.Rating{}, true }}
				for s := range maps.Keys(steady(halfHour)) {
					m.Configured[s.Machine] = usage.Rating{Machine: s.Machine, Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}, Source: power.SourceConfig}
				}
				return m, nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := &gauges{}
			r := aged(t, func(s *Settings) { s.Instruments = g }, change)
			r.mustBackfill(hours(-28, -20))
			if g.asked > 0 {
				t.Errorf("instruments were asked %d times", g.asked)
			}
		})
	}
}

// An instrument that does not answer delays an interval, as the rest of Prometheus does. It is
// never booked without what was measured.
func TestInstrumentsThatFailDelayAndDropNothing(t *testing.T) {
	want := aged(t, instrumented(&gauges{}, 0.3, 3, 0.5))
	want.mustBackfill(hours(-28, -20))
	g := &gauges{fail: errors.New("connection refused")}
	r := aged(t, instrumented(g, 0.3, 3, 0.5))
	if done, err := r.backfill(hours(-28, -20)); err == nil && done.Stored[usage.Settled] > 0 {
		t.Errorf("stored %+v", done)
	}
	g.fail = nil
	r.mustBackfill(hours(-28, -20))
	if got, want := r.dump(), want.dump(); got != want {
		t.Errorf("the record differs:\n%s", firstDifference(got, want))
	}
}
