// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package power_test

import (
	"encoding/json"
	"testing"
	"time"
)

// Embodied emissions are those of making a server, spread over its cores and the years of its use.
func TestEmbodiedEmissions(t *testing.T) {
	t.Parallel()
	over := spanOf(halfHour, 4)
	s := newSite(t, over.first.Add(-45*time.Minute), over.end.Add(time.Hour))
	for i, machine := range []string{"Muon", "Old", "Coming", "Other", "Free"} {
		s.run(small("10.4.0."+string(rune('1'+i))+":9100", machine, machine, ""), nil)
	}
	where := newPlace(t, over.config(s, `power: {cpu_models: off}
embodied:
  machines:
    Muon: {kgco2eq: 1200, years: 5, cores: 128}
    Old: {kgco2eq: 1200, years: 5, cores: 128, bought: 2010-01-01}
    Coming: {kgco2eq: 1200, years: 5, cores: 128, bought: 2999-01-01}
    Free: {kgco2eq: 0, years: 5, cores: 128}
`))
	last := where.start(t).settled(4)
	const year = 365.2425 * 24 // hours
	muon := 1200e3 / (5 * year * 128) * 4 * 2
	want := map[string]float64{"Muon": muon, "Old": 0, "Coming": 0, "Free": 0}
	var said struct {
		Rows []struct {
			Name     string
			Embodied *float64 `json:"embodied_gco2eq"`
		}
		Total struct {
			Embodied  *float64 `json:"embodied_gco2eq"`
			Emissions *float64 `json:"emissions_gco2eq"`
		}
	}
	text := where.tool(t, append([]string{"report", "--scope=machine", "--format=json"}, over.backfill()[1:]...)...)
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, r := range said.Rows {
		if r.Embodied != nil {
			got[r.Name] = *r.Embodied
		}
	}
	same(t, "embodied emissions", got, want, 1e-9) // those of Other are not known, which is not 0
	same(t, "embodied emissions on /metrics", last.by("carbon_embodied_emissions_gco2eq", "machine"), want, 1e-9)
	same(t, "settled embodied emissions", last.by("carbon_settled_embodied_emissions_gco2eq_total", "machine"), want, 1e-9)
	if said.Total.Embodied == nil || !near(*said.Total.Embodied, muon, 1e-9) || *said.Total.Emissions >= 1000 || !near(*said.Total.Emissions, last.sum("carbon_emissions_gco2eq"), 1e-9) {
		t.Errorf("the total is %s", text)
	}
	where.tool(t, "check", "store")
}
