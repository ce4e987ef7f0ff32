// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// plain has ordinary spaces.
func plain(text string) string { return strings.ReplaceAll(text, nbsp, " ") }

func TestQuantitiesHaveTheUnitThatSuitsThem(t *testing.T) {
	for _, c := range []struct{ name, got, want string }{
		{"nothing was used", energyText(0), "0 Wh"},
		{"a core for a minute", energyText(0.0002), "0.20 Wh"},
		{"less than a kWh", energyText(0.0345), "34.5 Wh"},
		{"a kWh", energyText(1), "1.00 kWh"},
		{"rounding up to the next unit", energyText(999.6), "1.00 MWh"},
		{"just below it", energyText(999.4), "999 kWh"},
		{"a site's month", energyText(61234), "61.2 MWh"},
		{"watts", powerText(843.2), "843 W"},
		{"kilowatts", powerText(2690), "2.69 kW"},
		{"a thousandth of a gram", massText(0.0012), "0.001 g"},
		{"almost nothing is not nothing", massText(0.00001), "less than 0.001 g"},
		{"tonnes", massText(2.5e6), "2.50 t"},
		{"more than the largest unit", massText(1.234567e15), "1,230 Mt"},
		{"a rate", rateText(404.4), "404 g/h"},
		{"a clean grid", intensityText(3.25), "3.2 g/kWh"},
		{"a grid without carbon", intensityText(0), "0 g/kWh"},
		{"a limit that somebody chose", short(massText(9000)), "9 kg"},
		{"another", short(massText(2500)), "2.5 kg"},
		{"a share", percent(0.123), "12 %"},
		{"a small share", percent(0.0004), "under 0.1 %"},
		{"far over", percent(12.5), "1,250 %"},
		{"one", count(1, "core", "cores"), "1 core"},
		{"many", count(1234567, "core", "cores"), "1,234,567 cores"},
		{"hours", span(5*time.Hour + 40*time.Minute), "5½ hours"},
		{"not known", or(nil, massText), unknown},
	} {
		if got := plain(c.got); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestMomentsAreSaidAsOneSaysThem(t *testing.T) {
	c := calendar{now, london(t)}
	at := func(text string) time.Time {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	window := func(from, to string) string { return c.window(usage.Period{From: at(from), To: at(to)}) }
	for _, test := range []struct{ name, got, want string }{
		{"the next night", window("2026-01-18T03:30:00Z", "2026-01-18T06:30:00Z"), "tomorrow 03:30 to 06:30"},
		{"later today", window("2026-01-17T19:00:00Z", "2026-01-17T20:00:00Z"), "today 19:00 to 20:00"},
		{"it has begun", window("2026-01-17T18:00:00Z", "2026-01-17T21:00:00Z"), "now until 21:00"},
		{"it has begun and ends tomorrow", window("2026-01-17T18:00:00Z", "2026-01-18T00:30:00Z"), "now until tomorrow 00:30"},
		{"over midnight", window("2026-01-18T23:00:00Z", "2026-01-19T02:00:00Z"), "tomorrow 23:00 to 02:00"},
		{"in two days", window("2026-01-19T03:30:00Z", "2026-01-19T06:30:00Z"), "Monday 03:30 to 06:30"},
		{"yesterday", c.moment(at("2026-01-16T10:00:00Z")), "yesterday 10:00"},
		{"this year", c.day(at("2026-03-01T10:00:00Z")), "1 March"},
		{"another year", c.day(at("2025-03-01T10:00:00Z")), "1 March 2025"},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, test.got, test.want)
		}
	}
	// The clocks go back on 25 October 2026 at 01:00 UTC: half past one is there twice.
	c.now = at("2026-10-24T12:00:00Z")
	if got, want := window("2026-10-25T01:30:00Z", "2026-10-25T04:30:00Z"), "tomorrow 01:30 GMT to 04:30 GMT"; got != want {
		t.Errorf("after a change of the clocks: got %q, want %q", got, want)
	}
	if got, want := window("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"), "tomorrow 01:30 to 01:30 GMT"; got != want {
		t.Errorf("in a change of the clocks: got %q, want %q", got, want)
	}
}
