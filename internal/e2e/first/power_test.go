// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package first_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
)

// TestInitSaysWhereWattsComeFrom: the first table rates by processor as the exporter will, and
// meters that the server has are proposed and not switched on.
func TestInitSaysWhereWattsComeFrom(t *testing.T) {
	t.Parallel()
	e, url := enginetest.Serve(t, engine.Options{})
	since, began := time.Now().Add(-history), time.Now().Add(-100*time.Hour)
	for cpu, mode := range []string{"user", "idle"} {
		for _, core := range []string{"0", "1"} {
			share := []float64{0.25, 0.75}[cpu]
			scraped(t, e, map[string]string{"__name__": "node_cpu_seconds_total", "job": "node", "instance": "c1:9100", "tenant": "t0", "flavor": "large", "cpu": core, "mode": mode}, since,
				func(at time.Time) float64 { return share * at.Sub(began).Seconds() })
		}
	}
	one := func(time.Time) float64 { return 1 }
	scraped(t, e, map[string]string{"__name__": "node_cpu_info", "job": "node", "instance": "c1:9100", "cpu": "0", "package": "0", "model_name": "AMD EPYC 9354 32-Core Processor"}, since, one)
	scraped(t, e, map[string]string{"__name__": "ipmi_dcmi_power_consumption_watts", "job": "ipmi", "instance": "bmc-c1"}, since, one)
	dir := t.TempDir()
	got := run(t, dir, "carbontool", "init", "--yes", "--prometheus="+url)
	text, _ := os.ReadFile(filepath.Join(dir, "carbon.yml"))
	for _, want := range []string{"Watts of machine types: 1 by processor.", "It has meters of power, which the file proposes and does not switch on: ipmi_dcmi_power_consumption_watts."} {
		if !strings.Contains(got.Stderr, want) {
			t.Errorf("it does not say %q:\n%s", want, got.Stderr)
		}
	}
	const proposed = "  # measured:\n  #   # ipmi_exporter: what the management controller says that the whole server draws\n  #   - {name: ipmi, query: ipmi_dcmi_power_consumption_watts, hosts: instance}\n"
	if !strings.Contains(string(text), proposed) {
		t.Errorf("the file lacks\n%s\n%s", proposed, text)
	}
	if strings.Contains(got.Stderr, "default watts") || hasLine(got.Stderr, "site 1 2 2.6") {
		t.Errorf("rated by default:\n%s", got.Stderr)
	}
}
