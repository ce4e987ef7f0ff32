// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package instruments_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestReplicasCountOnce(t *testing.T) {
	for _, c := range []struct {
		name   string
		second signal
		joules float64 // in half an hour
		remark string
	}{
		{"a second server, later", signal{offset: 11 * time.Second}, 200.123 * 1800, `there more than once, in series that differ by "prometheus_replica" alone`},
		{"a second server that began again", signal{holes: [][2]time.Duration{hole(20, 70)}, offset: 9 * time.Second}, 200.123 * 1800, `"prometheus_replica"`},
		{"that has the same values", signal{offset: 4 * time.Second}, 200.123 * 1800, `"prometheus_replica"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			one := gpu("a", "1").with("prometheus_replica", "r0")
			two := gpu("a", "1").with("prometheus_replica", "r1")
			two.offset, two.holes = c.second.offset, c.second.holes
			w := newWorld(t, minutes(-30), minutes(95), one, two, gpu("a", "2").with("prometheus_replica", "r0"))
			d := dcgm
			d.Query = w.of("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")
			w.client.Query.Instruments.Devices = []source.Device{d}
			all, _ := w.read(t, run(30*time.Minute, 3))
			sum := 0.0
			for i := range all {
				sum += devices(all[i])[adas("a")]
			}
			if !near(sum, 3*(c.joules+200.123*1800), 0.005) {
				t.Errorf("%v J", sum)
			}
			if !strings.Contains(strings.Join(all[2].Remarks, "\n"), c.remark) {
				t.Errorf("remarks %q", all[2].Remarks)
			}
		})
	}
}

func TestGauges(t *testing.T) {
	watts := func(host string, v float64) signal {
		return signal{labels: map[string]string{"__name__": "gpu_watts", "instance": host, "gpu": "0"}, value: constant(v)}
	}
	second := watts("a", 50).with("gpu", "1")
	second.from, second.to = minutes(10), minutes(20)
	odd := watts("odd", 0)
	odd.value = func(at time.Duration) float64 {
		switch {
		case at > minutes(5) && at < minutes(10):
			return math.NaN()
		case at > minutes(12) && at < minutes(15):
			return -1
		}
		return 10
	}
	w := newWorld(t, minutes(-30), minutes(65), watts("a", 100), second, watts("idle", 0), odd, watts("absurd", 1e12))
	w.client.Query.Instruments.Devices = []source.Device{{Name: "gpu", Query: w.of("gpu_watts")}}
	all, rejects := w.read(t, run(30*time.Minute, 2))
	got := devices(all[0])
	host := func(name string) float64 {
		v, there := got[usage.Series{Project: "unknown", Machine: "unknown", Host: name}]
		if !there {
			return -1
		}
		return v
	}
	if v := host("a"); !near(v, 100*1800+50*600, 0.01) {
		t.Errorf("a device that comes and goes: %v J", v)
	}
	if v := host("idle"); v != 0 {
		t.Errorf("a device that uses nothing: %v J", v)
	}
	if v := host("odd"); !near(v, 10*(1800-240-120), 0.01) {
		t.Errorf("a device with values that are no power: %v J", v)
	}
	if v := host("absurd"); v != -1 {
		t.Errorf("a device of 1e12 W: %v J", v)
	}
	if rejects["nan"] != 1 || rejects["over_capacity"] != 2 || len(all[1].Remarks) != 1 {
		t.Errorf("rejects %v, remarks %q", rejects, all[1].Remarks)
	}
}

// Expressions are looked at each minute.
func TestCountersOfAnExpression(t *testing.T) {
	s := gpu("a", "1").begins(minutes(40))
	s.holes = [][2]time.Duration{hole(80, 100)}
	w := newWorld(t, minutes(-30), minutes(245), s)
	d := dcgm
	d.Query = "sum without (dir) (" + w.of("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION") + ") # all"
	w.client.Query.Instruments.Devices = []source.Device{d}
	all, _ := w.read(t, run(30*time.Minute, 6))
	sum := 0.0
	for i := range all {
		sum += devices(all[i])[adas("a")]
	}
	if want := 200.123 * 180 * 60; !near(sum, want, 0.01) {
		t.Errorf("%v J, want %v J", sum, want)
	}
}

func TestWhatIsNoCounter(t *testing.T) {
	s := gpu("a", "1")
	s.value = func(at time.Duration) float64 { return 100 + 50*math.Sin(at.Seconds()) }
	fast := gpu("b", "2")
	fast.value = func(at time.Duration) float64 { return 1e17 + 1e13*at.Seconds() }
	w := newWorld(t, minutes(-30), minutes(35), s, fast)
	d := dcgm
	d.Query = w.of("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")
	w.client.Query.Instruments.Devices = []source.Device{d}
	all, rejects := w.read(t, run(30*time.Minute, 1))
	if len(all[0].Devices) > 0 || rejects["negative"] != 1 || rejects["over_capacity"] != 1 || len(all[0].Remarks) != 2 {
		t.Errorf("got %v, rejects %v, remarks %q", all[0].Devices, rejects, all[0].Remarks)
	}
}

// What other metrics say of hosts is said of their devices, too.
func TestDevicesHaveTheNamesOfTheirHosts(t *testing.T) {
	s := gpu("a", "1").with("project", "")
	info := signal{labels: map[string]string{"__name__": "host_info", "instance": "a", "owner": "Neutrons"}, value: constant(1)}
	w := newWorld(t, minutes(-30), minutes(35), s, info)
	d := dcgm
	d.Query = w.of("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")
	w.client.Query.Instruments.Devices = []source.Device{d}
	w.client.Query.Info = []source.Info{{Query: w.of("host_info"), Project: "owner"}}
	all, _ := w.read(t, run(30*time.Minute, 1))
	want := adas("a")
	want.Project = "Neutrons"
	if j := devices(all[0])[want]; !near(j, 200.123*1800, 1e-9) {
		t.Errorf("got %v", all[0].Devices)
	}
}

// Many devices come and go: they are asked for together.
func TestManyDevices(t *testing.T) {
	var signals []signal
	want := 0.0
	for i := range 130 {
		s := gpu(fmt.Sprint("host|", i), fmt.Sprint("GPU.", i)).with("odd.name", "ä\n"+fmt.Sprint(i), "instance", "a")
		s.every, s.from, s.to = time.Minute, minutes(float64(1+i)), minutes(float64(20+i))
		want += grown(s.samples(0, minutes(185)), 0, minutes(180))
		signals = append(signals, s)
	}
	w := newWorld(t, 0, minutes(185), signals...)
	d := dcgm
	d.Query = w.of("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")
	w.client.Query.Instruments.Devices = []source.Device{d}
	w.Asked()
	all, _, err := w.client.Instruments(t.Context(), run(30*time.Minute, 6), true)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i := range all {
		sum += devices(all[i])[adas("a")]
	}
	if !near(sum, want, 1e-9) {
		t.Errorf("%v J, want %v J", sum, want)
	}
	if n := len(w.Asked()); n > 6 {
		t.Errorf("%d queries", n)
	}
}
