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

	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
)

// chained is a site with every use of sources. Of its pricing chain the second is dead, and of the
// grids elsewhere the second does not know its postcode.
func chained(t *testing.T) *newSite {
	t.Helper()
	good := httptest.NewServer(simulate.NewUKAPI(5, time.Now))
	t.Cleanup(good.Close)
	wrong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"error":{"code":"400 Bad Request","message":"Please enter a valid outward postcode"}}`, http.StatusBadRequest)
	}))
	t.Cleanup(wrong.Close)
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	return siteOf(t, &prometheus{}, strings.NewReplacer("GOOD", good.URL, "DEAD", dead.URL, "WRONG", wrong.URL).Replace(`
carbon_intensity:
  grid: GB
  sources:
    - uk: {url: "GOOD"}
    - {name: spare, uk: {url: "DEAD", basic_auth: {username: ada, password: hunter2}}}
    - {name: contract, static: {gco2eq_per_kwh: 210, grid: GB}}
  also:
    - {name: market, static: 0}
  marginal: {sources: [{static: 400, basis: {signal: marginal, emissions: direct, electricity: production}}]}
  elsewhere:
    - {grid: north, sources: [{uk: {url: "GOOD", region_id: 1}}]}
    - {grid: nowhere, sources: [{uk: {url: "WRONG", postcode: ZZ99}}]}
`))
}

func TestDoctorShowsEverySource(t *testing.T) {
	s := chained(t)
	got := s.call("doctor", "--only", "sources")
	if got.code != exitFailed || got.stderr != "carbontool doctor: 2 of 11 checks failed\n" {
		t.Errorf("code %d, %s", got.code, got.stderr)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(got.stdout) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[0] != "carbon_intensity" {
			rows[fields[0]+" "+fields[1]] = fields[2:]
		}
	}
	for row, want := range map[string]string{
		"SOURCE GRID":        "FOR LAST DAY COMING DAY GRAIN BASIS QUALITY NEWEST CALLS A DAY LICENCE CREDIT",
		"uk GB":              "prices 48 of 48 48 of 48 30m average direct consumption ",
		"spare GB":           "prices no answer no answer - average direct consumption - - 192 CC BY 4.0 National Energy System Operator",
		"contract GB":        "prices 48 of 48 - all time ? ? ? final - 0 - -",
		"market GB":          "also market 48 of 48 - all time ? ? ? final - 0 - -",
		"marginal_static GB": "marginal 48 of 48 - all time marginal direct production final - 0 - -",
		"uk north":           "elsewhere north 48 of 48 48 of 48 30m average direct consumption forecast ",
		"uk nowhere":         "elsewhere nowhere no answer no answer - average direct consumption - - 0 CC BY 4.0",
	} {
		if !strings.HasPrefix(strings.Join(rows[row], " "), want) {
			t.Errorf("%s is %q, want %q", row, rows[row], want)
		}
	}
	for _, want := range []string{
		"carbon_intensity  failure  spare ", "the other sources of its chain stand in meanwhile\n",
		"carbon_intensity  failure  uk of nowhere    grid nowhere: ", "to do: check carbon_intensity.elsewhere[1].sources[0]: the region, the postcode or the zone",
		"to do: declare it in carbon_intensity.sources[2].basis", "to do: declare it in carbon_intensity.also[0].basis",
	} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("there is no %q in\n%s", want, got.stdout)
		}
	}
	if strings.Contains(got.stdout, "hunter2") || strings.Contains(got.stdout, "ada") {
		t.Errorf("shows a login:\n%s", got.stdout)
	}
	if area := s.call("doctor", "--only=carbon_intensity"); area.code != exitFailed || strings.Contains(area.stdout, "CALLS A DAY") || !strings.Contains(got.stdout, area.stdout) {
		t.Errorf("the area alone is %+v", area)
	}
}

// Of everything, a source that is not needed now is a pity; asked for sources alone, it is of no use.
func TestDoctorWarnsOfASpareThatIsDead(t *testing.T) {
	s := gridsOf(t, `carbon_intensity: {sources: [{uk: {url: "GOOD"}}, {name: spare, uk: {url: "DEAD"}}]}`+"\n")
	if got := s.call("doctor"); !strings.Contains(got.stdout, "carbon_intensity  warning  spare ") || strings.Contains(got.stdout, "carbon_intensity  failure") {
		t.Errorf("code %d, %s", got.code, got.stdout)
	}
	for _, only := range []string{"sources", "carbon_intensity"} {
		if got := s.call("doctor", "--only="+only); got.code != exitFailed || !strings.Contains(got.stdout, "carbon_intensity  failure  spare ") {
			t.Errorf("--only=%s: code %d, %s", only, got.code, got.stdout)
		}
	}
	s = gridsOf(t, `carbon_intensity: {sources: [{name: first, uk: {url: "DEAD"}}, {uk: {url: "GOOD"}}]}`+"\n")
	if got := s.call("doctor"); got.code != exitFailed || !strings.Contains(got.stdout, "carbon_intensity  failure  first ") {
		t.Errorf("code %d, %s", got.code, got.stdout)
	}
}

func TestDoctorListsSourcesInJSON(t *testing.T) {
	got := chained(t).call("doctor", "--only=sources", "--format=json")
	var read struct {
		Failures int
		Sources  []struct {
			Provider, Grid, For, Basis, Failure, Credit string
			LastDay                                     *int `json:"last_day_half_hours"`
			Calls                                       int  `json:"calls_a_day"`
		}
	}
	if err := json.Unmarshal([]byte(got.stdout), &read); err != nil {
		t.Fatalf("%v: %+v", err, got)
	}
	if got.code != exitFailed || read.Failures != 2 || len(read.Sources) != 7 {
		t.Fatalf("code %d, got %+v", got.code, read)
	}
	good, dead := read.Sources[0], read.Sources[1]
	if good.Provider != "uk" || good.LastDay == nil || *good.LastDay != 48 || good.Calls != 192 || good.Failure != "" || good.Credit == "" {
		t.Errorf("got %+v", good)
	}
	if dead.Provider != "spare" || dead.LastDay != nil || dead.Failure == "" {
		t.Errorf("got %+v", dead)
	}
}
