// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestMeters(t *testing.T) {
	hosts := []string{"c1:9100", "c2:9100", "c3:9100"}
	measured := func(watts, modelled usage.Watts, covered float64) Meter {
		return Meter{Name: "ipmi", Label: "instance", Hosts: []MeteredHost{
			{"c1:9100", covered, watts, modelled}, {"c2:9100", covered, 2 * watts, 2 * modelled},
		}}
	}
	for _, c := range []struct {
		name  string
		meter Meter
		hosts []string
		level Level
		words string
	}{
		{"some are measured", measured(100, 80, 1), hosts, OK, "ipmi: measures 2 of 3 machines, 100 % of their time; a machine draws 150 W, from 100 W to 200 W, 1.2 times what the model says"},
		{"no host has CPU time", Meter{Name: "ipmi", Label: "target", Strangers: []string{"bmc-c2", "bmc-c1", "bmc-c3"}}, hosts, Failure, `it names "bmc-c1", "bmc-c2", and the machines are "c1:9100", "c2:9100"; to do: set hosts of this meter, now target`},
		{"nothing is measured", Meter{Name: "ipmi"}, hosts, Failure, "its query measures nothing"},
		{"there is nothing to measure", Meter{Name: "ipmi", Strangers: []string{"c1"}}, nil, OK, "no machine has CPU time now"},
		{"microwatts", measured(100e6, 80, 1), hosts, Warning, "is its query in watts"},
		{"kilowatts", measured(0.1, 80, 1), hosts, Warning, "not kilowatts"},
		{"a meter that is mostly away", measured(100, 80, 0.3), hosts, Warning, "30 % of their time"},
		{"a model without watts", measured(100, 0, 1), hosts, OK, "from 100 W to 200 W"},
		{"others that it measures", Meter{Name: "ipmi", Hosts: measured(100, 80, 1).Hosts, Strangers: []string{"storage"}}, hosts, OK, "also measures 1 host without CPU time, such as storage"},
		{"readings of 0", Meter{Name: "ipmi", Hosts: measured(100, 80, 1).Hosts, Refused: usage.Rejects{"zero": 3, "not_a_number": 1}}, hosts, Warning, "has readings that cannot be used: 1 not a number, 3 zero"},
		{"a query that fails", Meter{Name: "ipmi", Cause: "the server refuses the query"}, hosts, Failure, "while the server refuses it, the model counts"},
		{"what is doubtful", Meter{Name: "ipmi", Hosts: measured(100, 80, 1).Hosts, Remarks: []string{"it has copies"}}, hosts, Warning, "it has copies"},
	} {
		t.Run(c.name, func(t *testing.T) { says(t, Meters([]Meter{c.meter}, c.hosts), c.level, c.words) })
	}
}

func TestDevices(t *testing.T) {
	for _, c := range []struct {
		name   string
		device Device
		level  Level
		words  string
	}{
		{"GPUs", Device{Name: "gpu", Series: 8, Watts: 2400}, OK, "gpu: 8 series, 2400 W; 0 of no machine with CPU time, of which 0 without a project"},
		{"none", Device{Name: "gpu"}, Failure, "there are none"},
		{"joules for millijoules", Device{Name: "gpu", Series: 8, Watts: 2.4e6}, Warning, "300 kW each is not what devices draw; to do: check unit"},
		{"kilowatt-hours for joules", Device{Name: "gpu", Series: 8, Watts: 0.0006}, Warning, "check unit"},
		{"devices that are off", Device{Name: "gpu", Series: 8}, OK, "0 W"},
		{"nobody's", Device{Name: "gpu", Series: 8, Watts: 2400, Homeless: 3, Nobodys: 2}, Warning, "3 of no machine with CPU time, of which 2 without a project; to do: give these series"},
		{"a query that fails", Device{Name: "gpu", Cause: "timeout"}, Failure, "not known: timeout"},
	} {
		t.Run(c.name, func(t *testing.T) { says(t, Devices([]Device{c.device}), c.level, c.words) })
	}
	if all := Devices(nil); all != nil {
		t.Errorf("none are configured: %+v", all)
	}
}

func TestWhatElseIsMeasured(t *testing.T) {
	says(t, MemoryOf(Memory{Hosts: 4, Has: 4, GiB: 256}), OK, "4 of 4 machines say how much memory they have, 256 GiB together")
	says(t, MemoryOf(Memory{Hosts: 4, Has: 1, GiB: 64}), Warning, "1 of 4 machines say")
	says(t, MemoryOf(Memory{Hosts: 4}), Failure, "none of 4 machines says how much memory it has")
	says(t, MemoryOf(Memory{Hosts: 4, Cause: "timeout"}), Failure, "not known: timeout")
	says(t, PUE([]float64{1.2, 1.3}, 1, "", nil), OK, "1.25 in the newest interval")
	says(t, PUE(nil, 1.4, "", []string{"some values are below 1"}), Failure, "1.4 of the configuration counts")
	says(t, PUE(nil, 1.4, "", []string{"some values are below 1"}), Warning, "some values are below 1")
	says(t, PUE(nil, 1.4, "timeout", nil), Failure, "while the server refuses it, power.pue.otherwise counts")
}

func TestZones(t *testing.T) {
	of := func(measured, booked usage.Watts) Zone {
		return Zone{Name: "hall", Measured: &measured, Booked: &booked}
	}
	for _, c := range []struct {
		name  string
		zone  Zone
		level Level
		words string
	}{
		{"nearly all is booked", of(100_000, 90_000), OK, "hall: 100 kW measured, 90 kW booked: 10 % unexplained"},
		{"much is not", of(100_000, 70_000), Warning, "30 % unexplained; to do: does the meter have machines that are not scraped"},
		{"more is booked than measured", of(1000, 1300), Warning, "-30 % unexplained; to do: does the meter have all machines"},
		{"nothing was measured", of(0, 1300), Warning, "look at the meter"},
		{"a hole", Zone{Name: "hall"}, Failure, "was not measured throughout"},
		{"a query that fails", Zone{Name: "hall", Cause: "timeout"}, Failure, "not known: timeout"},
	} {
		t.Run(c.name, func(t *testing.T) { says(t, Zones([]Zone{c.zone}), c.level, c.words) })
	}
}

func TestEmbodied(t *testing.T) {
	all := []Hardware{{Machine: "Muon", Known: true, Until: noon.Add(time.Hour)}, {Machine: "Laser", Known: true}}
	says(t, Embodied(all, noon), OK, "the hardware of 2 machine types is known")
	says(t, Embodied(all, noon.Add(time.Hour)), OK, "the years of use of this hardware are over, so its embodied emissions are 0: Muon")
	says(t, Embodied(append(all, Hardware{Machine: "new"}), noon), Warning, "of 1 of 3 machine types are not known, which is not 0: new")
	if none := Embodied(nil, noon); none != nil {
		t.Errorf("got %+v", none)
	}
}
