// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
)

// TestWhereWattsComeFrom: each way in which the watts of a site can be wrong is said.
func TestWhereWattsComeFrom(t *testing.T) {
	metered := []machine{{draws: 100}, {draws: 300}, {}}
	meter := func(query, hosts string) string {
		return "power: {measured: [{name: ipmi, query: '" + query + "', hosts: " + hosts + "}]}"
	}
	for _, test := range []struct {
		name     string
		machines []machine
		config   string
		level    string
		check    string
		words    string
	}{
		{"by processor", []machine{{}}, "", "ok", "rating", "1 machine type: 1 by processor"},
		{"hosts that do not say it", []machine{{mute: true}}, "", "warning", "rating", "because their hosts do not say their processor: Muon; to do: run node_exporter with --collector.cpu.info"},
		{"a processor that QEMU has made up", []machine{{model: "QEMU Virtual CPU version 2.5+"}}, "", "warning", "rating", "(QEMU Virtual CPU version 2.5+): Muon; to do: let the hypervisor pass its processor on"},
		{"a processor that nobody knows", []machine{{model: "Elbrus-8S"}}, "", "warning", "rating", "the table of processors does not know what their hosts name (Elbrus-8S): Muon"},
		{"a name that a hypervisor gives", []machine{{model: "AMD EPYC-Rome Processor"}}, "", "ok", "processor", "(AMD EPYC-Rome Processor)"},
		{"processors do not count", []machine{{}}, "power: {cpu_models: 'off'}", "warning", "rating", "because power.cpu_models is off: Muon"},
		{"watts of a whole server", []machine{{}}, "power: {machines: {Muon: {busy_watts: 300}}}", "warning", "watts", "Muon has 300 W busy in power.machines"},
		{"a query that the server refuses", []machine{{}}, meter("sum(", "node"), "failure", "meter", "while the server refuses it, the model counts"},
		{"a meter", metered, meter("ipmi_dcmi_power_consumption_watts", "node"), "warning", "meter", "ipmi: measures 2 of 3 machines, 100 % of their time; a machine draws 200 W, from 100 W to 300 W"},
		{"a meter by another label", metered, meter("ipmi_dcmi_power_consumption_watts", "instance"), "failure", "meter", `it names "bmc-10.0.0.1:9100", "bmc-10.0.0.2:9100", and the machines are "10.0.0.1:9100", "10.0.0.2:9100"`},
		{"a meter of nothing", metered, meter("ipmi_power_watts", "node"), "failure", "meter", "ipmi: its query measures nothing"},
		{"a sensor of 0 W", metered, meter("ipmi_dcmi_power_consumption_watts * 0", "node"), "warning", "meter", "zero"},
		{"devices of nobody", []machine{{}}, "power: {devices: [{name: gpu, query: DCGM_FI_DEV_POWER_USAGE, unit: W}]}", "warning", "device", "gpu: 1 series, 250 W; 1 of no machine with CPU time, of which 1 without a project"},
		{"no devices", []machine{{}}, "power: {devices: [{name: gpu, query: nothing, unit: J}]}", "failure", "device", "gpu: there are none"},
		{"memory of nobody", []machine{{}}, "power: {memory_watts_per_gib: 0.3}", "failure", "memory", "none of 1 machine says how much memory it has"},
		{"a PUE", []machine{{}}, "power: {pue: {query: 'vector(1.25)'}}", "ok", "pue", "1.25 in the newest interval"},
		{"no PUE", []machine{{}}, "power: {pue: {query: 'vector(12)', otherwise: 1.5}}", "failure", "pue", "1.5 of the configuration counts"},
		{"a zone that draws much more", []machine{{}}, "power: {reconcile: {query: 'vector(1000)'}}", "warning", "zone", "site: 1000 W measured"},
		{"a zone without values", []machine{{}}, "power: {reconcile: {query: nothing}}", "failure", "zone", "was not measured throughout"},
		{"hardware that nobody knows", []machine{{}}, "embodied: {machines: {Laser: {kgco2eq: 900, years: 4, cores: 64}}}", "warning", "embodied", "of 1 of 1 machine type are not known, which is not 0: Muon"},
		{"hardware that is paid off", []machine{{}}, "embodied: {default: {kgco2eq: 900, years: 4, cores: 64, bought: 2015-01-01}}", "ok", "embodied", "the years of use of this hardware are over, so its embodied emissions are 0: Muon"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, url := scraped(t, test.machines...)
			gpu := engine.NewSeries(map[string]string{"__name__": "DCGM_FI_DEV_POWER_USAGE", "Hostname": "gpu1", "gpu": "0"})
			var samples []engine.Sample
			for at := now.Add(-3 * time.Hour); at.Before(now); at = at.Add(time.Minute) {
				samples = append(samples, engine.At(at, 250))
			}
			if err := e.Append(t.Context(), gpu, samples...); err != nil {
				t.Fatal(err)
			}
			r := examine(t, "prometheus: {url: '"+url+"'}\n"+test.config, "--only=power")
			r.wants(test.level, test.check, test.words)
			for _, f := range r.Findings {
				if f.Area != "power" && f.Area != "config" {
					t.Errorf("asked for power, and got %+v", f)
				}
			}
		})
	}
}

// TestManyMetersAreBounded: a page of findings helps nobody.
func TestManyMetersAreBounded(t *testing.T) {
	_, url := scraped(t, machine{})
	var all []string
	for n := range 30 {
		all = append(all, fmt.Sprintf("{name: m%d, query: nothing}", n))
	}
	r := examine(t, "prometheus: {url: '"+url+"'}\npower: {measured: ["+strings.Join(all, ", ")+"]}", "--only=power")
	r.wants("warning", "meter", "20 more findings about meters")
	if len(r.Findings) > 15 {
		t.Errorf("%d findings:\n%s", len(r.Findings), r)
	}
}
