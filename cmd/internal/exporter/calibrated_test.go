// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate/scraped"
)

// TestTheDaemonCalibratesOnceItHasCaughtUp runs the whole program; when it learns otherwise, the tests
// of the loop say.
func TestTheDaemonCalibratesOnceItHasCaughtUp(t *testing.T) {
	prometheus := served(t, &scraped.Metered{
		Hosts:  map[string][]string{"Muon": {"a:9100", "b:9100"}, "SANS": {"c:9100"}},
		Meters: map[string]scraped.Meter{"muon_watts": scraped.MeterOf("Muon", scraped.Drawn)},
	})
	file := filepath.Join(t.TempDir(), "carbon.yml")
	write(t, file, fmt.Sprintf(`prometheus: {url: %s, lag: 0s}
lookback: 1h
carbon_intensity: {provider: static, static: {gco2eq_per_kwh: 100}}
power: {cpu_models: "off", measured: [{name: ipmi, query: muon_watts}], calibrate: daily}
`, prometheus))
	p := start(t, "--config.file="+file, storage(t))
	eventually(t, "it has learned", func() bool {
		return strings.Contains(p.stderr.String(), `msg="Calibrated machine types" learned=1 measured=1 not_measured=1`)
	})
}
