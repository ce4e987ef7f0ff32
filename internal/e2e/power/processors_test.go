// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package power_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// fleet is a site of real servers. Its hosts tell what they are as node_exporter does, and
// nobody configures anything.
var fleet = []struct {
	name    string
	machine string
	server  int // of those that are drawn
	hosts   int
	busy    float64
	smtOff  bool
	says    func(name string) string // what the hosts say of their processor; nil: its name
	part    int                      // threads of a virtual machine; 0: the whole server
}{
	{name: "a type of equal servers", machine: "Compute", server: 0, hosts: 2, busy: 0.5},
	{name: "a server of a type of two kinds", machine: "Mixed", server: 1, hosts: 1, busy: 0.3},
	{name: "the other kind", machine: "Mixed", server: 2, hosts: 1, busy: 0.7},
	{name: "a name with odd spaces, in capitals", machine: "Odd", server: 3, hosts: 1, busy: 0.25, says: shouted},
	{name: "without simultaneous multithreading", machine: "Quiet", server: 4, hosts: 1, busy: 0.6, smtOff: true},
	{name: "a host that says nothing of its processor beside one that does", machine: "Compute", server: 0, hosts: 1, busy: 0.1, says: as("")},
	{
		name: "a virtual machine whose hypervisor hides the processor", machine: "Virtual", server: 5, hosts: 1, busy: 0.4, part: 4,
		says: as("QEMU Virtual CPU version 2.5+"),
	},
}

func as(name string) func(string) string { return func(string) string { return name } }

func shouted(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, " ", "  ")) + strings.Repeat(" ", 7)
}

// inBetween is what carbontool report says of the energy of the whole site.
type inBetween struct {
	Energy float64  `json:"energy_kwh"`
	Low    *float64 `json:"energy_low_kwh"`
	High   *float64 `json:"energy_high_kwh"`
}

// Of three clouds of servers that somebody has measured, each of which names its processors and
// is told nothing of watts, at least two lie within the bounds, and all near the truth.
func TestWattsWithoutConfiguration(t *testing.T) {
	t.Parallel()
	all, within := servers(t), 0
	for seed := range uint64(3) {
		within += withoutConfiguration(t, drawn(all, seed, 6))
	}
	if within < 2 {
		t.Errorf("the truth of %d of 3 sites is within the bounds", within)
	}
}

// withoutConfiguration returns 1 if the truth is within the bounds.
func withoutConfiguration(t *testing.T, some []server) int {
	t.Helper()
	first := time.Now().UTC().Truncate(halfHour).Add(-4 * halfHour)
	s := newSite(t, first, first.Add(6*halfHour))
	var power float64 // kWh of all in an hour
	for i, row := range fleet {
		of := some[row.server]
		for n := range row.hosts {
			h := host{
				labels:   labels{"instance": fmt.Sprintf("10.0.%d.%d:9100", i, n), "job": "node", "machine_name": row.machine, "cloud_project_name": "P"},
				packages: of.packages, threads: of.threads(!row.smtOff), busy: row.busy, model: of.name(),
			}
			if row.says != nil {
				h.model = row.says(h.model)
			}
			if row.part > 0 {
				h.packages, h.threads = 1, row.part
			}
			s.run(h, nil)
			power += of.energy(!row.smtOff, h.cpu(time.Hour))
		}
	}
	where := newPlace(t, "prometheus: {url: "+s.URL+"}\ncarbon_intensity: {provider: static, static: {gco2eq_per_kwh: 100}}\n")
	e := where.start(t)
	last := e.whole(4)
	until := time.Unix(int64(last.sum("carbon_last_complete_interval_timestamp_seconds")), 0)
	truth, got := power*until.Sub(first).Hours(), last.sum("carbon_energy_kwh")
	if math.Abs(got/truth-1) > 0.25 {
		t.Errorf("%v kWh, the truth is %v", got, truth)
	}
	for machine, source := range map[string]string{"Compute": "processor", "Mixed": "processor", "Odd": "processor", "Quiet": "processor", "Virtual": "default"} {
		if by := last.by("carbon_machine_power_watts", "machine", "source"); by[machine+" "+source] <= 0 {
			t.Errorf("machine type %s has no watts of source %s: %v", machine, source, by)
		}
	}
	var said struct{ Total inBetween }
	text := where.tool(t, "report", "--scope=site", "--format=json", "--from="+first.Format(time.RFC3339), "--to="+until.UTC().Format(time.RFC3339))
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		t.Fatal(err)
	}
	total := said.Total
	if total.Low == nil || total.High == nil || !near(total.Energy, got, exact) {
		t.Fatalf("the report has %+v, /metrics %v kWh", total, got)
	}
	low, high := last.sum("carbon_site_energy_low_kwh"), last.sum("carbon_site_energy_high_kwh")
	if !near(low, *total.Low, exact) || !near(high, *total.High, exact) {
		t.Errorf("the report has %v to %v kWh, /metrics %v to %v", *total.Low, *total.High, low, high)
	}
	if *total.Low >= got || *total.High <= got {
		t.Errorf("%v kWh are not between %v and %v", got, *total.Low, *total.High)
	}
	where.tool(t, "check", "store")
	t.Logf("%.4f kWh (%.4f to %.4f), the truth is %.4f: %+.1f %%", got, *total.Low, *total.High, truth, 100*(got/truth-1))
	if *total.Low <= truth && truth <= *total.High {
		return 1
	}
	return 0
}
