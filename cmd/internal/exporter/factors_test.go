// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"strings"
	"testing"
)

// Other factors of usage that is stored appear on their own, and only those that are configured.
func TestOtherFactorsOnMetrics(t *testing.T) {
	path, _ := aged(t)
	file := configFile(t, "timezone: UTC\n")
	write(t, file, strings.Replace(configText("timezone: UTC\n"), "grid: GB}}", "grid: GB}, also: [{name: market, static: {gco2eq_per_kwh: 25, grid: contract}}]}", 1))
	p := start(t, "--storage.path="+path, "--config.file="+file)
	const grams = `carbon_factor_emissions_gco2eq{factors="market",group="g",project="p"} `
	eventually(t, "emissions by another factor", func() bool {
		_, text := ask(t, "GET", p.url+"/metrics")
		return strings.Contains(text, grams)
	})
	// The static value was fetched for the last day or so; the days before have none.
	if got := metric(t, p.url, "carbon_factor_unpriced_energy_kwh"); got == "0" || got == "absent" {
		t.Errorf("energy without a factor is %s", got)
	}
	p.quit(t)
	p = start(t, "--storage.path="+path, "--config.file="+configFile(t, "timezone: UTC\n"))
	if _, text := ask(t, "GET", p.url+"/metrics"); strings.Contains(text, "carbon_factor_") {
		t.Errorf("a set that is configured no more is shown:\n%s", text)
	}
}
