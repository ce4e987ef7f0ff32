// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

const metrics = `# TYPE carbon_energy_kwh gauge
carbon_energy_kwh{project="CLF",machine="Muon",user="ada",group="Alpha",mode="busy"} 3
carbon_energy_kwh{project="CLF",machine="Muon",user="ada",group="Alpha",mode="idle"} 1
carbon_energy_kwh{project="ISIS",machine="Muon",user="bob",group="Beta",mode="busy"} 4.5
carbon_energy_kwh{project="ISIS",machine="Muon",user="unattributed",group="unattributed",mode="idle"} 1.5
# TYPE carbon_emissions_gco2eq gauge
carbon_emissions_gco2eq{project="CLF",machine="Muon",user="ada",group="Alpha",mode="busy"} 300
carbon_emissions_gco2eq{project="CLF",machine="Muon",user="ada",group="Alpha",mode="idle"} 100
carbon_emissions_gco2eq{project="ISIS",machine="Muon",user="bob",group="Beta",mode="busy"} 450
carbon_emissions_gco2eq{project="ISIS",machine="Muon",user="unattributed",group="unattributed",mode="idle"} 150
# TYPE carbon_power_watts gauge
carbon_power_watts{project="CLF",machine="Muon",user="ada",group="Alpha",mode="busy"} 20
carbon_power_watts{project="ISIS",machine="Muon",user="bob",group="Beta",mode="busy"} 40
# TYPE carbon_coverage_ratio gauge
carbon_coverage_ratio{project="CLF"} 1
carbon_coverage_ratio{project="ISIS"} 0.5
# TYPE carbon_intervals gauge
carbon_intervals{state="settled"} 96
carbon_intervals{state="provisional"} 47
carbon_intervals{state="empty"} 1
# TYPE carbon_intensity_gco2eq_per_kwh gauge
carbon_intensity_gco2eq_per_kwh{grid="GB",provider="uk",kind="forecast"} 101
carbon_intensity_gco2eq_per_kwh{grid="GB",provider="uk",kind="actual"} 99
`

const tables = `
   PROJECT      kWh   gCO2eq   g/kWh   W NOW   COVERAGE
       CLF    4.000      400     100      20    100.0 %
      ISIS    6.000      600     100      40     50.0 %
      site   10.000     1000     100      60

          GROUP     kWh   gCO2eq    IDLE
           Beta   4.500      450     0 %
          Alpha   4.000      400    25 %
   unattributed   1.500      150   100 %

   TOP USER     kWh   gCO2eq   IDLE   GROUP
        bob   4.500      450    0 %    Beta
        ada   4.000      400   25 %   Alpha

Idle machines took 25 % of the energy; 15 % was unattributed.
144 intervals of half an hour: 96 settled, 47 provisional, 1 empty.
The grid now: 101 gCO2eq/kWh forecast, 99 the newest actual.
`

func TestTables(t *testing.T) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(metrics))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	scrape(families).print(&out)
	var got strings.Builder
	for line := range strings.Lines(out.String()) {
		got.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	if got.String() != tables {
		t.Errorf("got\n%s\nwant\n%s", got.String(), tables)
	}
}
