// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
)

const dearer = "power: {busy_watts: 24, idle_watts: 2, pue: 1.5}\n"

func TestRecost(t *testing.T) {
	s := siteOf(t, &prometheus{}, "")
	s.call("backfill", "--from=2025-01-03", "--to=2025-01-05")
	before := s.stored(siteKWh)
	s.server.asked.Store(0)
	s.configure(dearer)
	table := `
PROJECT  kWh BEFORE  AFTER  DIFFERENCE       %  gCO2eq BEFORE  AFTER  DIFFERENCE       %
CLF           0.312  0.936      +0.624  +200.0           31.2   93.6       +62.4  +200.0
ISIS          0.156  0.468      +0.312  +200.0           15.6   46.8       +31.2  +200.0
site          0.468  1.404      +0.936  +200.0           46.8  140.4       +93.6  +200.0
`
	whole := []string{"recost", "--from=2025-01-03", "--to=2025-01-04"}
	s.says(called{stdout: "Dry run: nothing is changed.\n" + `2025-01-03T00:00:00Z to 2025-01-04T00:00:00Z, 48 intervals of 30m with usage
  to recalculate     48  48 settled
` + table}, append(whole, "--restate", "--dry-run")...)
	s.says(called{stdout: `2025-01-03T00:00:00Z to 2025-01-04T00:00:00Z, 48 intervals of 30m with usage
  recalculated        0
  settled            48  final; use --restate to redo them
`}, whole...)
	if got := s.stored(siteKWh); got != before {
		t.Errorf("the site has %v kWh, had %v", got, before)
	}
	s.says(called{stdout: `2025-01-03T00:00:00Z to 2025-01-04T00:00:00Z, 48 intervals of 30m with usage
  recalculated       48  48 settled
` + table}, append(whole, "--restate")...)
	if got, want := s.stored(siteKWh), 48*halfHourKWh*(3+1); !alike(got, want) {
		t.Errorf("the site has %v kWh, want %v", got, want)
	}
	s.says(called{stdout: "No interval of 30m with usage starts in this range.\n"}, "recost", "--from=2024-01-03", "--to=2024-01-04")
	if n := s.server.asked.Load(); n != 0 {
		t.Errorf("Prometheus was asked %d times", n)
	}
}

func TestRecostByAnotherGrid(t *testing.T) {
	s := siteOf(t, &prometheus{}, "")
	s.call("backfill", "--from=2025-01-03", "--to=2025-01-04")
	s.configure("carbon_intensity: {provider: static, static: {gco2eq_per_kwh: 25, grid: other}}\n")
	got := s.call("recost", "--from=2025-01-03", "--to=2025-01-04", "--restate", "--dry-run")
	if want := "site          0.468  0.468      +0.000  +0.0           46.8   11.7       -35.1  -75.0\n"; got.code != exitDone || !strings.HasSuffix(got.stdout, want) {
		t.Errorf("%+v", got)
	}
	s.configure("carbon_intensity: {uk: {url: URL/none}}\n")
	got = s.call("recost", "--from=2025-01-03", "--to=2025-01-04", "--restate")
	if got.code != exitFailed || !strings.Contains(got.stderr, "carbontool recost: 48 of 48 intervals keep their old price: carbon intensity of GB, ") ||
		!strings.Contains(got.stdout, "\n  price kept         48  of those; no carbon intensity available\n") {
		t.Errorf("%+v", got)
	}
}

func TestRecostRefuses(t *testing.T) {
	s := siteOf(t, &prometheus{}, "")
	s.says(called{code: exitFailed, stderr: "carbontool recost: open store STORE: there is no such file; set --storage.path\n"}, "recost", "--from=2025-01-03")
	for _, c := range []struct{ name, args, want string }{
		{"no range", "", "no range: give --from"},
		{"a range in reverse", "--from=2025-01-04 --to=2025-01-03", "--to: 2025-01-03T00:00:00Z is not after --from"},
		{"the future", "--from=2099-01-01", "--from: 2099-01-01 is in the future"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := s.call(append([]string{"recost"}, strings.Fields(c.args)...)...)
			if want := (called{exitUsage, "", "carbontool recost: " + c.want + "; see carbontool recost --help\n"}); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// What rounds to nothing is no difference, in neither direction.
func TestDifferencesThatRoundToNothing(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after float64
		want          string
	}{
		{"nothing at all", 0, 0, "0.000 0.000 +0.000 -"},
		{"the same", 2, 2, "2.000 2.000 +0.000 +0.0"},
		{"less than can be shown", 1.0001, 1, "1.000 1.000 +0.000 +0.0"},
		{"nearly what can be shown, between numbers that look alike", 1.0004, 0.9996, "1.000 1.000 +0.000 +0.0"},
		{"the last digit", 1.0004, 1.0006, "1.000 1.001 +0.001 +0.0"},
		{"the last digit, downwards", 1.0006, 1.0004, "1.001 1.000 -0.001 +0.0"},
		{"less of little", 0.0004, 0.0001, "0.000 0.000 +0.000 +0.0"},
		{"half", 4, 2, "4.000 2.000 -2.000 -50.0"},
	} {
		if got := strings.Join(compared(c.before, c.after, 3), " "); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestTheDifference(t *testing.T) {
	var out bytes.Buffer
	difference(&out, map[string]ingest.Cost{
		"no price":      {Energy: 1},
		"a price since": {Energy: 2},
		"nothing":       {Priced: true},
		"a\nb\x1b[31m":  {Energy: 1, Emissions: 100, Priced: true},
	}, map[string]ingest.Cost{
		"no price":      {Energy: 0.5},
		"a price since": {Energy: 2, Emissions: 200, Priced: true},
		"nothing":       {Priced: true},
		"a\nb\x1b[31m":  {Energy: 1, Emissions: 50, Priced: true},
	})
	want := `
PROJECT         kWh BEFORE  AFTER  DIFFERENCE      %  gCO2eq BEFORE  AFTER  DIFFERENCE       %
"a\nb\x1b[31m"       1.000  1.000      +0.000   +0.0          100.0   50.0       -50.0   -50.0
a price since        2.000  2.000      +0.000   +0.0              -  200.0           -       -
no price             1.000  0.500      -0.500  -50.0              -      -           -       -
nothing              0.000  0.000      +0.000      -            0.0    0.0        +0.0       -
site                 4.000  3.500      -0.500  -12.5          100.0  250.0      +150.0  +150.0
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// What making the machines emitted has a table of its own, where it is known before or after.
func TestTheDifferenceOfEmbodiedEmissions(t *testing.T) {
	var out bytes.Buffer
	difference(&out, map[string]ingest.Cost{
		"CLF":  {Energy: 1, Embodied: 10, Hardware: true},
		"ISIS": {Energy: 1},
		"TDA":  {Energy: 1},
	}, map[string]ingest.Cost{
		"CLF":  {Energy: 1, Embodied: 5, Hardware: true},
		"ISIS": {Energy: 1, Hardware: true},
		"TDA":  {Energy: 1},
	})
	_, got, _ := strings.Cut(out.String(), "\n\n")
	want := `PROJECT  EMBODIED g BEFORE  AFTER  DIFFERENCE      %
CLF                   10.0    5.0        -5.0  -50.0
ISIS                     -    0.0           -      -
TDA                      -      -           -      -
site                  10.0    5.0        -5.0  -50.0
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
