// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// also are two sets of factors beside a price of 100 g/kWh: a chain of two sources, and a contract.
const also = `carbon_intensity:
  provider: static
  static: {gco2eq_per_kwh: 100, grid: contract}
  also:
    - name: lifecycle
      basis: {signal: average, emissions: lifecycle, electricity: consumption}
      sources: [{static: {gco2eq_per_kwh: 130, grid: FR}}]
    - name: market
      static: {gco2eq_per_kwh: 0, grid: residual}
`

func TestReportByOtherFactors(t *testing.T) {
	s := siteOf(t, &prometheus{}, "")
	s.call("backfill", "--from=2025-01-03", "--to=2025-01-05")
	s.says(called{code: exitUsage, stderr: "carbontool report: --factors: the configuration has no other factors; add them to carbon_intensity.also; see carbontool report --help\n"},
		"report", "--from=2025-01-03", "--to=2025-01-05", "--factors")
	s.configure(also)
	whole := []string{"report", "--from=2025-01-03", "--to=2025-01-05", "--factors"}
	s.says(called{code: exitUsage, stderr: "carbontool report: --factors: cannot be combined with --sci; see carbontool report --help\n"},
		append(whole, "--sci", "--per=3")...)

	// Before their factors are fetched nothing is known, and that is said.
	got := s.call(whole...)
	for _, want := range []string{
		`
PROJECT     kWh  gCO2eq  lifecycle g  OF kWh  market g  OF kWh
CLF      0.6240   62.40            -   0.0 %         -   0.0 %
ISIS     0.3120   31.20            -   0.0 %         -   0.0 %
total    0.9360   93.60            -   0.0 %         -   0.0 %
`,
		"\nBy other factors it is the same energy each time: never add their columns up.\n" +
			"lifecycle: average lifecycle consumption; from lifecycle_static, grid FR\n" +
			"WARNING: lifecycle has no factor for 100.0 % of the energy, which is not included in its gCO2eq. To fetch what its sources have: carbontool backfill --from=2025-01-03T00:00:00Z --to=2025-01-05T00:00:00Z\n" +
			"market: nobody says what its factors count; from market, grid residual\n",
	} {
		if got.code != exitDone || !strings.Contains(got.stdout, want) {
			t.Errorf("%+v\nhas not\n%s", got, want)
		}
	}

	// The command that it names fetches them, of half the time.
	if got := s.call("backfill", "--from=2025-01-03T00:00:00Z", "--to=2025-01-04T00:00:00Z"); got.code != exitDone {
		t.Fatalf("%+v", got)
	}
	got = s.call(whole...)
	for _, want := range []string{`
PROJECT     kWh  gCO2eq  lifecycle g  OF kWh  market g  OF kWh
CLF      0.6240   62.40        40.56  50.0 %         0  50.0 %
ISIS     0.3120   31.20        20.28  50.0 %         0  50.0 %
total    0.9360   93.60        60.84  50.0 %         0  50.0 %
`, "WARNING: market has no factor for 50.0 % of the energy"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("%+v\nhas not\n%s", got, want)
		}
	}
	s.call("backfill", "--from=2025-01-03T00:00:00Z", "--to=2025-01-05T00:00:00Z")
	if got = s.call(append(whole, "--scope=user", "--by=day")...); strings.Contains(got.stdout, "WARNING") || !strings.Contains(got.stdout, "121.7") {
		t.Errorf("%+v", got)
	}

	var rows []string
	for line := range strings.Lines(s.call(append(whole, "--format=csv")...).stdout) {
		cells := strings.Split(strings.TrimSpace(line), ",")
		rows = append(rows, strings.Join(cells[len(cells)-4:], ","))
	}
	if want := "factors_lifecycle_gco2eq,factors_lifecycle_priced_ratio,factors_market_gco2eq,factors_market_priced_ratio"; rows[0] != want || !strings.HasSuffix(rows[3], ",1,0,1") {
		t.Errorf("CSV ends with\n%s", strings.Join(rows, "\n"))
	}

	var d struct {
		Factors []struct {
			Name    string   `json:"name"`
			Bases   []string `json:"bases"`
			Sources []struct {
				Provider string `json:"provider"`
			} `json:"sources"`
		} `json:"factors"`
		Total struct {
			Factors map[string]struct {
				Emissions *float64 `json:"emissions_gco2eq"`
				Priced    *float64 `json:"priced_ratio"`
			} `json:"factors"`
		} `json:"total"`
	}
	if err := json.Unmarshal([]byte(s.call(append(whole, "--format=json")...).stdout), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Factors) != 2 || d.Factors[0].Name != "lifecycle" || d.Factors[0].Bases[0] != "average lifecycle consumption" || d.Factors[1].Sources[0].Provider != "market" {
		t.Errorf("factors are %+v", d.Factors)
	}
	if of := d.Total.Factors["lifecycle"]; !near(*of.Emissions, 1.3*93.6) || *of.Priced != 1 {
		t.Errorf("lifecycle: %v g of %v", *of.Emissions, *of.Priced)
	}
	if of := d.Total.Factors["market"]; *of.Emissions != 0 || *of.Priced != 1 {
		t.Errorf("market: %v g of %v", *of.Emissions, *of.Priced)
	}
}

func TestARehearsedRecostByOtherFactors(t *testing.T) {
	s := siteOf(t, &prometheus{}, "")
	s.call("backfill", "--from=2025-01-03", "--to=2025-01-05")
	s.configure(also + dearer)
	args := []string{"recost", "--from=2025-01-03", "--to=2025-01-04", "--restate"}
	got := s.call(append(args, "--dry-run")...)
	want := `
The same energy by other factors; never add their columns up:
PROJECT    kWh  gCO2eq  lifecycle g   OF kWh  market g   OF kWh
CLF      0.936    93.6        121.7  100.0 %       0.0  100.0 %
ISIS     0.468    46.8         60.8  100.0 %       0.0  100.0 %
site     1.404   140.4        182.5  100.0 %       0.0  100.0 %
`
	if got.code != exitDone || !strings.HasSuffix(got.stdout, want) {
		t.Errorf("%+v\nwant at its end\n%s", got, want)
	}
	if n := s.stored("SELECT count(*) FROM intensity_slot WHERE provider = 'market'"); n != 0 {
		t.Errorf("%v half hours of a set are stored", n)
	}
	if got := s.call(args...); strings.Contains(got.stdout, "other factors") {
		t.Errorf("%+v", got)
	}
}
