// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestEveryHalfHourWithAForecastHasABar(t *testing.T) {
	slots := forecast()
	for n := range slots { // a hole of two hours, and an end a day early
		if n >= 20 && n < 24 || n > 50 {
			slots[n].Forecast = nil
		}
	}
	c, why := Grid{Provider: "uk", Slots: slots, Outlook: slots}.chart(calendar{now, london(t)})
	if c == nil {
		t.Fatal(why)
	}
	if want := 49 - 4; len(c.Bars) != want { // two slots are over
		t.Errorf("%d bars, want %d", len(c.Bars), want)
	}
	if want := "tomorrow 18:30"; c.Until != want {
		t.Errorf("the forecast ends %q, want %q", c.Until, want)
	}
	best := 0
	for _, b := range c.Bars {
		if b.Best {
			best++
		}
		y, _ := strconv.ParseFloat(b.Y, 64)
		height, _ := strconv.ParseFloat(b.Height, 64)
		if height < 1 || y < barsTop || y+height > barsTop+barsHeight+0.11 {
			t.Errorf("a bar outside the chart: %+v", b)
		}
	}
	if best != 6 {
		t.Errorf("%d bars are marked, want the 6 of three hours", best)
	}
	if !strings.Contains(plain(c.Bars[0].Title), "today 18:00: 190 g/kWh") {
		t.Errorf("the first bar is %q", c.Bars[0].Title)
	}
}

func TestTicksFollowTheClockOfTheZone(t *testing.T) {
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	c, _ := Grid{Slots: forecast(), Outlook: forecast()}.chart(calendar{now, kolkata}) // 23:40 there
	var ticks []string
	for _, tick := range c.Ticks {
		ticks = append(ticks, tick.Text)
	}
	if got, want := strings.Join(ticks, " "), "Sun 06:00 12:00 18:00 Mon 06:00 12:00 18:00"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAGridWithoutAForecastSaysSo(t *testing.T) {
	c := calendar{now, london(t)}
	old := forecast()[:2] // both are over
	for _, g := range []Grid{{Provider: "uk"}, {Provider: "uk", Slots: old, Outlook: old}} {
		if chart, why := g.chart(c); chart != nil || why == "" {
			t.Errorf("%d slots: %+v, %q", len(g.Slots), chart, why)
		}
	}
	if tile := (Grid{Provider: "uk"}).tile(c); !tile.Unknown || tile.Value != unknown {
		t.Errorf("the intensity of now is %+v", tile)
	}
	if tile := (Grid{Provider: "uk", Slots: old, Outlook: old}).tile(c); !tile.Unknown || !strings.Contains(plain(tile.Also[0]), "actual at 17:30: 199 g/kWh") {
		t.Errorf("with an actual alone: %+v", tile)
	}
	zero := forecast()
	for n := range zero {
		zero[n].Forecast = new(usage.GramsPerKWh(0))
	}
	if chart, _ := (Grid{Slots: zero, Outlook: zero}).chart(c); chart == nil || len(chart.Bars) != 96 {
		t.Errorf("a grid without carbon has no chart: %+v", chart)
	}
}

func TestAScaleCanBeHalved(t *testing.T) {
	for v, want := range map[float64]float64{0: 1, 0.3: 0.3, 1: 1, 7: 8, 9: 10, 101: 120, 203: 240, 999: 1000} {
		if got := roundUp(v); got != want {
			t.Errorf("%g: got %g, want %g", v, got, want)
		}
	}
}
