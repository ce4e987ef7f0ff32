// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestPowerIsAsTheFileSays(t *testing.T) {
	c, err := Load("testdata/good-power.yml")
	if err != nil {
		t.Fatal(err)
	}
	p := c.Power
	if want := (Power{
		BusyWatts: 12, IdleWatts: 1, Error: new(0.3), CPUModels: CPUModelsOff, MemoryWattsPerGiB: 0.35,
		PUE:      PUE{Ratio: 1.4, Query: "avg_over_time(dc_pue[30m])"},
		Machines: map[string]MachinePower{"Muon": {BusyWatts: new(9.5), Error: new(0.2)}},
		Measured: []Measured{
			{Name: "ipmi", Query: "ipmi_dcmi_power_consumption_watts", Hosts: "node", Error: new(0.05)},
			{Name: "plug", Query: "shelly_power_watts", Hosts: "plugged"},
		},
		Devices: []Device{
			{Name: "gpu", Query: "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", Unit: UnitMillijoule, Error: new(0.05)},
			{Name: "ipmi", Query: "fpga_watts", Unit: UnitWatt, Labels: DeviceLabels{Project: "exported_namespace", User: "exported_pod", Host: "Hostname"}},
		},
		Reconcile: Reconcile{
			{Zone: "hall-1", Query: "sum(pdu_watts)", Projects: []string{"P1", "P2"}, Cooling: true},
			{Zone: "hall-2", Query: "sum(ups_watts)", Projects: []string{"P3"}},
		},
		Calibrate: CalibrateMonthly,
	}); !reflect.DeepEqual(p, want) {
		t.Errorf("power is %+v, want %+v", p, want)
	}
	if want := (Embodied{
		Default: &Hardware{KgCO2eq: new(1000.0), Years: 4, Cores: 64},
		Machines: map[string]Hardware{
			"Muon": {KgCO2eq: new(1200.0), Years: 5.5, Cores: 128, Bought: "2024-01-15"},
			"Lent": {KgCO2eq: new(0.0), Years: 4, Cores: 64},
		},
	}); !reflect.DeepEqual(c.Embodied, want) {
		t.Errorf("embodied is %+v, want %+v", c.Embodied, want)
	}
	if want := (Processors{Query: `host_cpu_info{site="a"}`, Labels: ProcessorLabels{Host: "vm", Model: "name"}}); c.Prometheus.Processors != want {
		t.Errorf("processors are %+v, want %+v", c.Prometheus.Processors, want)
	}
	if want := (Memory{Query: "host_memory_bytes", Labels: MemoryLabels{Host: "vm"}}); c.Prometheus.Memory != want {
		t.Errorf("memory is %+v, want %+v", c.Prometheus.Memory, want)
	}
}

// TestWhatIsShownOfPowerIsTheSamePower holds for both ways to write PUE and reconcile.
func TestWhatIsShownOfPowerIsTheSamePower(t *testing.T) {
	for _, test := range []struct{ name, text string }{
		{"nothing", ""},
		{"a number and one meter", "power: {pue: 1.25, reconcile: {query: sum(pdu_watts), cooling: true}}"},
		{"a query and a zone", "power: {pue: {query: dc_pue}, reconcile: [{zone: hall, query: a, projects: [P]}]}"},
		{"a query and two zones", "power: {pue: {query: dc_pue, otherwise: 1.5}, reconcile: [{zone: a, query: a, projects: [A]}, {zone: b, query: b, projects: [B]}]}"},
		{"nothing is looked for", "prometheus: {processors: {query: ''}, memory: {query: ''}}\npower: {cpu_models: off}"},
		{"hardware with and without a day", "embodied: {default: {kgco2eq: 0, years: 1, cores: 1, bought: 2024-02-29}, machines: {A: {kgco2eq: 1, years: 1, cores: 1}}}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := Parse("carbon.yml", []byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			shown, err := c.Redacted()
			if err != nil {
				t.Fatal(err)
			}
			again, err := Parse("shown.yml", []byte(shown))
			if err != nil {
				t.Fatalf("%v in\n%s", err, shown)
			}
			same(t, c, again)
			if c.Power.PUE != again.Power.PUE {
				t.Errorf("PUE is %+v, then %+v", c.Power.PUE, again.Power.PUE)
			}
		})
	}
}

func TestAPUEThatIsANumberIsShownAsANumber(t *testing.T) {
	for text, want := range map[string]string{
		"power: {pue: 1.25}":                            "\n  pue: 1.25\n",
		"power: {pue: {}}":                              "\n  pue: 1\n",
		"power: {pue: {query: dc_pue, otherwise: 1.5}}": "\n  pue:\n    query: dc_pue\n    otherwise: 1.5\n",
	} {
		c, err := Parse("carbon.yml", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if shown, err := c.Redacted(); err != nil || !strings.Contains(shown, want) {
			t.Errorf("%s: %v, shown is\n%s", text, err, shown)
		}
	}
}

// TestOffIsAWord holds for what YAML 1.1 calls a boolean, in every way to write it.
func TestOffIsAWord(t *testing.T) {
	for _, off := range []string{"off", `"off"`, "'off'", "false", "!!str off"} {
		c, err := Parse("carbon.yml", []byte("power: {cpu_models: "+off+", calibrate: "+off+"}"))
		if err != nil {
			t.Errorf("%s: %v", off, err)
			continue
		}
		if c.Power.CPUModels != CPUModelsOff || c.Power.Calibrate != CalibrateOff {
			t.Errorf("%s: cpu_models is %q, calibrate is %q", off, c.Power.CPUModels, c.Power.Calibrate)
		}
	}
	_, err := Parse("carbon.yml", []byte("power: {cpu_models: on}"))
	if want := `carbon.yml:1: power.cpu_models: must be auto or off, is "on"`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestEmptySectionsOfPowerAreOff(t *testing.T) {
	c, err := Parse("carbon.yml", []byte(`
power: {pue: {}, machines: {}, measured: [], devices: [], reconcile: {}}
embodied: {default: {}, machines: {}}
prometheus: {processors: {labels: {}}, memory: {}}
`))
	if err != nil {
		t.Fatal(err)
	}
	if d := Default(); c.Power.PUE != d.Power.PUE || len(c.Power.Reconcile) > 0 || c.Embodied.Default != nil ||
		c.Prometheus.Processors != d.Prometheus.Processors || c.Prometheus.Memory != d.Prometheus.Memory {
		t.Errorf("got %+v, %+v, %+v", c.Power, c.Embodied, c.Prometheus)
	}
	if c, err = Parse("carbon.yml", []byte("power: {reconcile: []}")); err != nil || len(c.Power.Reconcile) > 0 {
		t.Errorf("an empty list of meters: %v, %v", c, err)
	}
}

func TestOneMeterIsOfTheWholeSite(t *testing.T) {
	for _, test := range []struct{ name, text string }{
		{"alone", "{query: sum(pdu_watts)}"},
		{"in a list", "[{query: sum(pdu_watts)}]"},
	} {
		c, err := Parse("carbon.yml", []byte("power: {reconcile: "+test.text+"}"))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if want := (Reconcile{{Zone: "site", Query: "sum(pdu_watts)"}}); !reflect.DeepEqual(c.Power.Reconcile, want) {
			t.Errorf("%s: %+v, want %+v", test.name, c.Power.Reconcile, want)
		}
	}
}

// TestTheHostLabelIsThatOfTheSeries where a section does not name its own.
func TestTheHostLabelIsThatOfTheSeries(t *testing.T) {
	c, err := Parse("carbon.yml", []byte(`
prometheus: {labels: {host: vm}, memory: {labels: {host: node}}}
power: {measured: [{name: a, query: a}, {name: b, query: b, hosts: plug}], calibrate: daily}
`))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{c.Prometheus.Processors.Labels.Host, c.Prometheus.Memory.Labels.Host, c.Power.Measured[0].Hosts, c.Power.Measured[1].Hosts}
	if want := []string{"vm", "node", "vm", "plug"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if d := Default(); d.Prometheus.Processors.Labels.Host != "instance" || d.Prometheus.Memory.Labels.Host != "instance" {
		t.Errorf("by default %+v", d.Prometheus)
	}
}

func TestADayIsKnownOrNot(t *testing.T) {
	if day, known := (Hardware{Bought: "2024-01-15"}).BoughtOn(); !known || !day.Equal(time.Date(2024, 1, 15, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("got %v, %t", day, known)
	}
	if day, known := (Hardware{}).BoughtOn(); known || !day.IsZero() {
		t.Errorf("got %v, %t", day, known)
	}
}
