// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// These tables were read by somebody: each number is right for its row.
func TestTable(t *testing.T) {
	isis := tally(func(t *usage.Tally) { t.Unattributed, t.Provisional, t.Forecast = 1, 5, 4 })
	clf := tally(func(t *usage.Tally) {
		t.Name, t.Priced, t.Emissions, t.Unpriced = "CLF\x1b[31m", false, usage.ByMode[usage.Grams]{}, 0.00002
		t.Energy, t.Undoubted, t.Down, t.Up = usage.ByMode[usage.KWh]{Busy: 0.00002}, 0, 0.000001, 0.000001
		t.Margins = map[string]usage.Margin{"Laser": {Down: t.Down, Up: t.Up}}
	})
	s := Stretch{
		Period: october, Members: []usage.Tally{clf, isis}, Intervals: Intervals{All: 1490, Settled: 1400, Provisional: 40, Missing: 50},
		Coverage: map[string]usage.Coverage{"ISIS": {Seen: 999, Capacity: 1000}},
	}
	for _, c := range []struct {
		name string
		rep  Report
		want string
	}{
		{"by project", Report{Scope: usage.ScopeProject, Whole: s, Forecasts: ForecastError{Mean: 24}}, `
Usage by project, 2026-10-01 00:00 to 2026-11-01 00:00, Europe/London
1440 of 1490 intervals collected: 1400 settled, 40 provisional, 0 unpriced, 0 empty; 50 missing

PROJECT          kWh  BUSY kWh  IDLE kWh    IDLE  gCO2eq  BUSY g  IDLE g  g/kWh
ISIS           10.00     8.000     2.000  20.0 %    1000   800.0   200.0  100.0
"CLF\x1b[31m"  <0.01    <0.001     0.000   0.0 %       -       -       -      -
total          10.00     8.000     2.000  20.0 %    1000   800.0   200.0  100.0

PROJECT        kWh LOW   HIGH  gCO2eq LOW  HIGH  PROVISIONAL  UNPRICED  UNATTRIBUTED  CPU COVERAGE
ISIS                 -      -       904.0  1096       50.0 %     0.0 %        10.0 %        99.9 %
"CLF\x1b[31m"    <0.01  <0.01           -     -        0.0 %   100.0 %         0.0 %             -
total            10.00  10.00       904.0  1096       50.0 %    <0.1 %        10.0 %        99.9 %

Bounds: the mean error of forecasts is 24.0 gCO2eq/kWh (as documented).
The bounds ignore the error of the average power for 100.0 % of the energy, where it is unknown.
<0.1 % of the energy has no carbon intensity yet and is not included in gCO2eq.
`},
		{
			"users by name and week, the others as one",
			Report{
				Scope: usage.ScopeUser, By: ByWeek, Top: 1, Names: map[string]string{"ISIS": "Ada"}, Forecasts: ForecastError{Mean: 11, Pairs: 96},
				Whole: s, Parts: []Stretch{{Period: usage.Period{From: october.From, To: october.From.Add(96 * time.Hour)}, Members: s.Members}, {Period: october}},
			},
			`
Usage by user, 2026-10-01 00:00 to 2026-11-01 00:00, Europe/London
1440 of 1490 intervals collected: 1400 settled, 40 provisional, 0 unpriced, 0 empty; 50 missing

WEEK      USER   NAME    kWh  BUSY kWh  IDLE kWh    IDLE  gCO2eq  BUSY g  IDLE g  g/kWh
2026-W40  ISIS   Ada   10.00     8.000     2.000  20.0 %    1000   800.0   200.0  100.0
2026-W40  other  -     <0.01    <0.001     0.000   0.0 %       -       -       -      -
2026-W40  total  -     10.00     8.000     2.000  20.0 %    1000   800.0   200.0  100.0
all       total  -     10.00     8.000     2.000  20.0 %    1000   800.0   200.0  100.0

WEEK      USER   NAME  kWh LOW   HIGH  gCO2eq LOW  HIGH  PROVISIONAL  UNPRICED  UNATTRIBUTED
2026-W40  ISIS   Ada         -      -       956.0  1044       50.0 %     0.0 %        10.0 %
2026-W40  other  -       <0.01  <0.01           -     -        0.0 %   100.0 %         0.0 %
2026-W40  total  -       10.00  10.00       956.0  1044       50.0 %    <0.1 %        10.0 %
all       total  -       10.00  10.00       956.0  1044       50.0 %    <0.1 %        10.0 %

Bounds: the mean error of forecasts is 11.0 gCO2eq/kWh (measured over 96 half hours).
The bounds ignore the error of the average power for 100.0 % of the energy, where it is unknown.
<0.1 % of the energy has no carbon intensity yet and is not included in gCO2eq.
`,
		},
		{
			"the site by day, and what it is like",
			Report{
				Scope: usage.ScopeAda, By: ByDay, Equivalents: true, Forecasts: ForecastError{Mean: 24},
				Whole: Stretch{Period: october, Members: []usage.Tally{tally(func(t *usage.Tally) { t.Name = "ada" })}},
				Parts: []Stretch{{Period: october, Members: []usage.Tally{tally(func(t *usage.Tally) { t.Name = "ada" })}}},
			},
			`
Usage of the whole site, 2026-10-01 00:00 to 2026-11-01 00:00, Europe/London
0 of 0 intervals collected: 0 settled, 0 provisional, 0 unpriced, 0 empty; 0 missing

DAY         ADA      kWh  BUSY kWh  IDLE kWh    IDLE  gCO2eq  BUSY g  IDLE g  g/kWh
2026-10-01  ada    10.00     8.000     2.000  20.0 %    1000   800.0   200.0  100.0
all         total  10.00     8.000     2.000  20.0 %    1000   800.0   200.0  100.0

DAY         ADA    PROVISIONAL  UNPRICED  UNATTRIBUTED
2026-10-01  ada          0.0 %     0.0 %         0.0 %
all         total        0.0 %     0.0 %         0.0 %

Bounds: the mean error of forecasts is 24.0 gCO2eq/kWh (as documented).
The bounds ignore the error of the average power, which is unknown for all machine types.

1000 gCO2eq is about the same as
  2.50  miles by car                          at 400 g  US EPA, typical passenger vehicle
  3.98  km by car                             at 251 g  Green Algorithms (2021), average US car
 16.78  days of growth of a tree             at 59.6 g  Arbor Day Foundation, 48 lb a year
  0.05  years of growth of a tree           at 21772 g  Arbor Day Foundation, 48 lb a year
121.65  smartphone charges                   at 8.22 g  US EPA, equivalencies calculator
 21.28  laptop charges                         at 47 g  0.1 kWh at 470 g/kWh (estimate)
 18.18  hours of HD streaming                  at 55 g  Carbon Trust (2021), European average
 14.29  litres of water boiled in a kettle     at 70 g  Berners-Lee (2010), electric kettle
  0.41  kg of coal                           at 2419 g  UK Government factors, industrial coal
  0.42  litres of petrol                     at 2392 g  Ecoscore (VITO), 0.652 kg of carbon
`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rep.Zone = london(t)
			var out bytes.Buffer
			if err := c.rep.WriteTable(&out); err != nil {
				t.Fatal(err)
			}
			if got := "\n" + out.String(); got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestLabels(t *testing.T) {
	for _, c := range []struct{ by, at, want string }{
		{ByDay, "2026-10-24T23:00:00Z", "2026-10-25"},
		{ByWeek, "2026-12-28T00:00:00Z", "2026-W53"},
		{ByWeek, "2027-01-01T00:00:00Z", "2026-W53"},
		{ByWeek, "2027-01-04T00:00:00Z", "2027-W01"},
		{ByMonth, "2026-09-30T23:00:00Z", "2026-10"},
	} {
		rep := &Report{By: c.by, Zone: london(t)}
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := rep.label(Member, usage.Period{From: at}); got != c.want {
			t.Errorf("by %s, %s is %s, want %s", c.by, c.at, got, c.want)
		}
	}
}

func TestRoundedNumbersSayNeitherNothingNorLessThanNothing(t *testing.T) {
	for _, c := range []struct {
		v    float64
		want string
	}{{0, "0.00"}, {0.004, "<0.01"}, {0.005, "0.01"}, {-0.004, "0.00"}, {-0.006, "-0.01"}, {1.234, "1.23"}} {
		if got := rounded(c.v, 2); got != c.want {
			t.Errorf("%v is %s, want %s", c.v, got, c.want)
		}
	}
}
