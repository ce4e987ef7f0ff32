// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// instrumented is an hour with two PUEs: half of the CPU time is on a host whose power was measured,
// hosts have memory, and there are two kinds of devices, one with a known error.
func instrumented() Known {
	k := Known{Now: start.Add(time.Hour), Key: Key{Project: "ISIS"}}
	k.Interval = usage.Interval{Start: start, Length: time.Hour}
	k.State, k.PUE, k.PUEs, k.FetchedAt = usage.Settled, 1.5, []float64{1.5, 2}, start.Add(time.Hour)
	k.Ratings = []usage.Rating{{
		Machine: "Muon", Source: "processor", Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1},
		Low: &usage.BusyIdle[usage.Watts]{Busy: 9, Idle: 0.5}, High: &usage.BusyIdle[usage.Watts]{Busy: 18, Idle: 2},
	}}
	k.Models = map[string][]usage.ModelShare{"Muon": {{Model: "EPYC 7502", Threads: 64, Share: 0.75}, {Share: 0.25}}}
	for i, piece := range k.Interval.Pieces() {
		pue := usage.KWh(k.PUEs[i])
		k.Prices = append(k.Prices, usage.PiecePrice{Start: piece.Start, Price: usage.Price{Intensity: 100, Kind: usage.Actual, Provider: "uk", Grid: "GB", SlotFrom: piece.Start, FetchedAt: start}})
		k.Facts = append(k.Facts, usage.Fact{
			Key: usage.Key{Project: "ISIS", Machine: "Muon", User: "alice", Group: "g"}, Start: piece.Start,
			CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 7200, Idle: 3600},
			Energy: usage.ByMode[usage.KWh]{
				Busy: usage.Watts(12).For(3600)*pue + 0.02, Idle: usage.Watts(1).For(1800)*pue + 0.001 + 0.004, Measured: 0.5,
			},
			Beside: &usage.Beside{
				Metered: usage.Metered{
					CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: 3600, Idle: 1800},
					Energy: usage.BusyIdle[usage.KWh]{Busy: 0.02, Idle: 0.001}, Error: new(0.03),
				},
				Memory: 1800, MemoryEnergy: 0.004,
				Devices: []usage.DeviceEnergy{{Name: "fpga", Energy: 0.1}, {Name: "gpu", Energy: 0.4, Error: new(0.05)}},
			},
		})
	}
	return k
}

func TestWhatIsBesideCPUTimeIsExplained(t *testing.T) {
	e := New(instrumented())
	for _, u := range e.Usage {
		if !u.agree() {
			t.Errorf("the factors do not make %+v", u)
		}
	}
	var text bytes.Buffer
	if err := e.WriteText(&text, time.UTC); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  machine type Muon: 12 W busy and 1 W idle per core; source: processor; two times in three 9 to 18 W busy and 0.5 to 2 W idle\n" +
			"    processor EPYC 7502 (64 threads): 75.0 % of the CPU time\n    processor unknown: 25.0 % of the CPU time\n",
		"    2026-07-01T12:00:00Z  busy  3600 s x 12 W / 3600000 x 1.5 + 0.02 kWh metered in another 3600 s = 0.038",
		"    2026-07-01T12:30:00Z  idle  1800 s x 1 W / 3600000 x 2 + 0.001 kWh metered in another 1800 s + 0.004 kWh of memory = 0.006 kWh; x 100 = ",
		"    2026-07-01T12:00:00Z  metered: hosts whose power was measured; error of the meters 3.0 %\n" +
			"    2026-07-01T12:00:00Z  memory: 1800 GiB s; 0.004 kWh, part of idle\n" +
			"    2026-07-01T12:00:00Z  measured: device fpga, 0.1 kWh; x 100 = 10 g; error of the meters unknown\n" +
			"    2026-07-01T12:00:00Z  measured: device gpu, 0.4 kWh; x 100 = 40 g; error of the meters 5.0 %\n",
		", measured 1); ",
		", measured 100)\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("there is no %q in\n%s", want, text.String())
		}
	}
	if sum := e.Total.BusyEnergy + e.Total.IdleEnergy + e.Total.MeasuredEnergy; !near(sum, e.Total.Energy) || !near(e.Total.MeasuredEnergy, 1) {
		t.Errorf("the total is %+v", *e.Total)
	}
}

func TestASiteWithoutInstrumentsReadsNothingNew(t *testing.T) {
	k := instrumented()
	k.Models, k.Ratings[0].Low, k.Ratings[0].High = nil, nil, nil
	for i := range k.Facts {
		k.Facts[i].Beside, k.Facts[i].Energy.Measured = nil, 0
	}
	var text, object bytes.Buffer
	e := New(k)
	if err := e.WriteText(&text, time.UTC); err != nil {
		t.Fatal(err)
	}
	if err := e.WriteJSON(&object); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"metered", "memory", "measured", "processor ", "two times"} {
		if strings.Contains(text.String(), word) {
			t.Errorf("the text says %q:\n%s", word, text.String())
		}
	}
	for _, field := range []string{`"metered"`, `"memory"`, `"devices"`, `"bounds"`, `"processors"`} {
		if strings.Contains(object.String(), field) {
			t.Errorf("the object has %s", field)
		}
	}
}

func TestFactorsThatDoNotMakeTheEnergyAreFound(t *testing.T) {
	k := instrumented()
	k.Facts[0].Energy.Idle += 0.001
	e := New(k)
	if !strings.Contains(strings.Join(e.Remarks, " "), "the factors do not multiply to the stored energy") {
		t.Errorf("remarks: %q", e.Remarks)
	}
}
