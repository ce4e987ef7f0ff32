// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"strings"
	"testing"
)

// One value for all time is an actual, and nothing on /metrics or on a page says what only other
// providers have.
func TestAStaticValueHasNoForecast(t *testing.T) {
	p := start(t, storage(t), "--config.file="+configFile(t, ""))
	const value = `carbon_intensity_gco2eq_per_kwh{grid="GB",kind="actual",provider="static"} 210.89`
	eventually(t, "the value is on /metrics", func() bool {
		_, metrics := ask(t, "GET", p.url+"/metrics")
		return strings.Contains(metrics, value)
	})
	_, metrics := ask(t, "GET", p.url+"/metrics")
	for _, not := range []string{`kind="forecast"`, "carbon_intensity_forecast", "carbon_intensity_best_window"} {
		if strings.Contains(metrics, not) {
			t.Errorf("/metrics has %s", not)
		}
	}
	if _, page := ask(t, "GET", p.url+"/"); strings.Contains(page, "National Energy System Operator") || strings.Contains(page, "best hours") {
		t.Errorf("the page says what the operator has not asked for:\n%s", page)
	}
}
