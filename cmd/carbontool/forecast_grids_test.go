// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// gridsOf is a site with two grids of the simulated API, one without forecasts, and one that is
// dead. GOOD and DEAD in more are addresses.
func gridsOf(t *testing.T, text string) *newSite {
	t.Helper()
	good := httptest.NewServer(simulate.NewUKAPI(5, time.Now))
	t.Cleanup(good.Close)
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	return siteOf(t, &prometheus{}, strings.NewReplacer("GOOD", good.URL, "DEAD", dead.URL).Replace(text))
}

const severalGrids = `
carbon_intensity:
  sources: [{name: first, uk: {url: "DEAD"}}, {static: 100}, {uk: {url: "GOOD"}}]
  grid: home
  elsewhere:
    - {grid: north, sources: [{uk: {url: "GOOD", region_id: 1}}]}
    - {grid: fixed, sources: [{static: 20}]}
    - {grid: away, sources: [{uk: {url: "DEAD"}}]}
`

func TestForecastTakesTheFirstSourceThatAnswers(t *testing.T) {
	s := gridsOf(t, severalGrids)
	got := s.call("forecast", "--format=json")
	var p answers.Plan
	if err := json.Unmarshal([]byte(got.stdout), &p); err != nil || got.code != exitDone {
		t.Fatalf("%v: %+v", err, got)
	}
	if p.Provider != "uk" || p.Grid != "home" || p.Marginal || p.Basis != "average direct consumption" || p.Best == nil {
		t.Errorf("got %+v", p)
	}
	if !strings.HasPrefix(got.stderr, "carbontool forecast: first: ") || !strings.HasSuffix(got.stderr, "; asking the next source\n") {
		t.Errorf("says %q", got.stderr)
	}
}

func TestForecastOfAChainWithoutAny(t *testing.T) {
	s := gridsOf(t, "carbon_intensity: {sources: [{static: 100}, {name: other, static: 50}]}\n")
	s.says(called{code: exitFailed, stderr: "carbontool forecast: no source of carbon_intensity has a forecast (static, other), so no time to run is better than another\n"}, "forecast")
}

func TestForecastOfMarginalValuesThatHaveNone(t *testing.T) {
	s := gridsOf(t, "carbon_intensity: {sources: [{uk: {url: GOOD}}], marginal: {sources: [{static: 500, basis: {signal: marginal}}]}}\n")
	got := s.call("forecast")
	if got.code != exitDone || !strings.Contains(got.stderr, "no source of carbon_intensity.marginal has a forecast; this is by the values that price usage") || strings.Contains(got.stdout, "marginal") {
		t.Errorf("got %+v", got)
	}
}

func TestForecastOfMarginalValuesThatAreAway(t *testing.T) {
	s := gridsOf(t, "carbon_intensity: {sources: [{uk: {url: GOOD}}], marginal: {sources: [{watttime: {url: DEAD, region: FR, signal: co2_moer, basic_auth: {username: ada, password: hunter2}}}]}}\n")
	got := s.call("forecast")
	for _, want := range []string{"carbontool forecast: marginal_watttime: ", "; asking the next source\n", "has a forecast; this is by the values that price usage\n"} {
		if got.code != exitDone || !strings.Contains(got.stderr, want) {
			t.Errorf("there is no %q in %+v", want, got)
		}
	}
}

func TestForecastComparesGrids(t *testing.T) {
	s := gridsOf(t, severalGrids)
	got := s.call("forecast", "--grids=all", "--format=json")
	var c comparison
	if err := json.Unmarshal([]byte(got.stdout), &c); err != nil || got.code != exitDone || len(c.Grids) != 4 || c.Best == nil {
		t.Fatalf("%v: %+v", err, got)
	}
	home, north, fixed, away := c.Grids[0], c.Grids[1], c.Grids[2], c.Grids[3]
	if home.Grid != "home" || home.Provider != "uk" || !home.Compared || north.Grid != "north" || !north.Compared {
		t.Errorf("got %+v and %+v", home, north)
	}
	if fixed.Compared || fixed.Failure != "none of its sources has a forecast" || away.Compared || !strings.Contains(away.Failure, "nothing listens") {
		t.Errorf("got %+v and %+v", fixed, away)
	}
	least := home
	if north.Best.Mean < home.Best.Mean {
		least = north
	}
	if c.Best.Grid != least.Grid || c.Best.Best.Mean != least.Best.Mean {
		t.Errorf("the best is %+v, want %+v", c.Best, least)
	}

	text := s.call("forecast", "--grids", "north, home,north")
	lines := strings.Split(text.stdout, "\n")
	if text.code != exitDone || len(lines) != 8 || !strings.HasPrefix(lines[0], "Best 3h of each grid") || !strings.HasPrefix(lines[3], "north  uk ") ||
		!strings.HasPrefix(lines[4], "home   uk ") || !strings.HasPrefix(lines[6], "Best of all: "+c.Best.Grid+", ") {
		t.Errorf("got %s%s", text.stdout, text.stderr)
	}
}

func TestForecastComparesGridsUntilATime(t *testing.T) {
	s := gridsOf(t, severalGrids)
	until := usage.SlotAt(time.Now()).Add(4 * time.Hour)
	got := s.call("forecast", "--grids=home,north", "--window=1h", "--until="+until.UTC().Format(time.RFC3339), "--format=json")
	var c comparison
	if err := json.Unmarshal([]byte(got.stdout), &c); err != nil || got.code != exitDone || c.Best == nil || c.Until == nil || !c.Until.Equal(until) {
		t.Fatalf("%v: %+v", err, got)
	}
	for _, w := range c.Grids {
		if w.Best == nil || w.Best.To.After(until) {
			t.Errorf("%s: %+v", w.Grid, w.Best)
		}
	}
	text := s.call("forecast", "--grids=home,north", "--window=6h", "--until="+until.UTC().Format(time.RFC3339))
	if text.code != exitFailed || !strings.HasPrefix(text.stdout, "Best 6h until ") || strings.Count(text.stdout, ": the first window ends at ") != 2 {
		t.Errorf("no window fits, and it says %+v", text)
	}
}

func TestForecastOfGridsRefuses(t *testing.T) {
	s := gridsOf(t, severalGrids)
	for _, names := range []string{"FR", "home,FR", "home,"} {
		got := s.call("forecast", "--grids="+names)
		if got.code != exitUsage || !strings.Contains(got.stderr, "the grids are home, north, fixed, away, or all; see") {
			t.Errorf("%s: %+v", names, got)
		}
	}
	for _, format := range []string{"text", "json"} {
		got := s.call("forecast", "--grids=fixed,away", "--format="+format)
		if got.code != exitFailed || got.stderr != "carbontool forecast: no grid has a forecast for a whole window\n" || !strings.Contains(got.stdout, "none of its sources has a forecast") {
			t.Errorf("%s: %+v", format, got)
		}
	}
}

func TestOnlyGridsOfOneBasisAreCompared(t *testing.T) {
	of := func(grid, basis, undeclared string, mean, now float64) gridWindow {
		at := time.Date(2026, 1, 15, 22, 30, 0, 0, time.UTC)
		window := func(from time.Time, v float64) *answers.PlanWindow {
			return &answers.PlanWindow{From: from, To: from.Add(usage.SlotLength), Mean: usage.GramsPerKWh(v)}
		}
		return gridWindow{
			Grid: grid, Provider: "p", Basis: basis, Undeclared: undeclared,
			Now: window(at, now), Best: window(at.Add(usage.SlotLength), mean),
		}
	}
	c := comparison{Window: "30m", Grids: []gridWindow{
		{Grid: "away", Failure: "nothing listens"},
		of("home", "average direct consumption", "", 40, 80),
		of("cycle", "average lifecycle consumption", "", 10, 20),
		of("other", "average", "lifecycle or direct, consumption or production", 20, 90),
	}}
	c.judge()
	if c.Best == nil || c.Best.Grid != "other" {
		t.Fatalf("the best is %+v", c.Best)
	}
	var out strings.Builder
	if err := c.text(&out, time.UTC); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Best of all: other, Thu 15 Jan 23:00 UTC to 23:30 UTC, mean 20: 75 % less than starting now in home.\n",
		"NO FORECAST of away: nothing listens.\n",
		"NOT COMPARED: cycle: its values are average lifecycle consumption, and those of home are average direct consumption: they do not compare.\n",
		"NOT SURE: nobody says whether the values of other are lifecycle or direct, consumption or production; ",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q in\n%s", want, &out)
		}
	}
}
