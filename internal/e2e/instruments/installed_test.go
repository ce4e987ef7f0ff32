// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package instruments_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// cpus are the hardware threads of a host, as node_cpu_info shows them: half of them on each of two
// processors.
func cpus(host, model string, threads int, more ...string) (all []signal) {
	for n := range threads {
		s := signal{labels: map[string]string{"__name__": "node_cpu_info", "instance": host, "cpu": fmt.Sprint(n), "package": fmt.Sprint(n * 2 / threads), "model_name": model}, value: constant(1)}
		all = append(all, s.with(more...))
	}
	return all
}

// between is when signals are there.
func between(all []signal, from, to time.Duration) []signal {
	for i := range all {
		all[i].from, all[i].to = from, to
	}
	return all
}

func each(all []signal, every time.Duration) []signal {
	for i := range all {
		all[i].every = every
	}
	return all
}

func TestProcessors(t *testing.T) {
	const epyc, xeon = "AMD EPYC 7763 64-Core Processor", "Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz"
	off := cpus("a", epyc, 8)
	off = slices.Delete(off, 7, 8)
	big, little := cpus("a", "Cortex-A76", 4, "package", ""), cpus("a", "Cortex-A55", 4, "package", "")
	for i := range little {
		little[i].labels["cpu"] = fmt.Sprint(4 + i)
	}
	for _, c := range []struct {
		name    string
		signals []signal
		want    string // shares in hundredths, by model and threads
	}{
		{"one model", cpus("a", epyc, 8), "AMD 4: 100"},
		{"each thread a processor", cpus("a", epyc, 2), "AMD 1: 100"},
		{"a thread that is off", off, "AMD 4: 100"},
		{"a model that changes", slices.Concat(between(cpus("a", epyc, 8), 0, minutes(10)), between(cpus("a", xeon, 8), minutes(10), 0)), "AMD 4: 33, Intel(R) 4: 67"},
		{"two models in one host", append(big, little...), "Cortex-A55 0: 50, Cortex-A76 0: 50"},
		{"two servers", slices.Concat(cpus("a", epyc, 8, "replica", "a"), cpus("a", epyc, 8, "replica", "b")), "AMD 4: 100"},
		{"two jobs, one scrapes seldom", slices.Concat(between(cpus("a", epyc, 8), 0, minutes(15)), between(cpus("a", xeon, 8), minutes(15), 0), each(between(cpus("a", epyc, 8, "job", "x"), 0, minutes(15)), time.Minute), each(between(cpus("a", xeon, 8, "job", "x"), minutes(15), 0), time.Minute)), "AMD 4: 50, Intel(R) 4: 50"},
		{"processors without threads", []signal{{labels: map[string]string{"__name__": "node_cpu_info", "instance": "a", "package": "CPU0", "model_name": xeon}, value: constant(1)}}, "Intel(R) 0: 100"},
		{"no model", cpus("a", "", 8), " 4: 100"},
	} {
		for kind, query := range map[string]string{"a selector": "%s", "an expression": "(%s) * 1 # of all"} {
			t.Run(c.name+", "+kind, func(t *testing.T) {
				w := newWorld(t, minutes(-30), minutes(35), c.signals...)
				w.client.Query.Instruments.Processors = source.Processors{Query: fmt.Sprintf(query, w.of("node_cpu_info")), Model: "model_name", Package: "package"}
				all, _ := w.read(t, run(30*time.Minute, 1))
				got, want, sum := all[0].Models["a"], strings.Split(c.want, ", "), 0.0
				if len(got) != len(want) {
					t.Fatalf("got %v, want %q", got, c.want)
				}
				for i, s := range got {
					sum += s.Share
					who, share, _ := strings.Cut(want[i], ": ")
					hundredths, err := strconv.ParseFloat(share, 64)
					if model, _, _ := strings.Cut(s.Model, " "); err != nil || fmt.Sprint(model, " ", s.Threads) != who || math.Abs(100*s.Share-hundredths) > 3.5 { // a minute
						t.Errorf("got %v, want %q", got, c.want)
					}
				}
				if !near(sum, 1, 1e-12) {
					t.Errorf("shares add up to %v", sum)
				}
				if (len(all[0].Remarks) > 0) != (c.name == "no model") {
					t.Errorf("remarks %q", all[0].Remarks)
				}
			})
		}
	}
	w := newWorld(t, minutes(-30), minutes(35), cpus("a", epyc, 2)...)
	w.client.Query.Instruments.Processors = source.Processors{Query: w.of("node_cpu_info"), Model: "model_name"}
	if all, _, err := w.client.Instruments(t.Context(), run(30*time.Minute, 1), false); err != nil || all[0].Models != nil || len(w.Asked()) > 0 {
		t.Errorf("asked though they are not needed: %v, %v", all, err)
	}
}

func TestMemory(t *testing.T) {
	ram := func(host string, gib float64, more ...string) signal {
		return signal{labels: map[string]string{"__name__": "node_memory_MemTotal_bytes", "instance": host}, value: constant(gib * (1 << 30))}.with(more...)
	}
	short := ram("short", 4)
	short.from, short.to = minutes(10), minutes(20)
	w := newWorld(t, minutes(-30), minutes(35), ram("a", 64), ram("two", 16, "replica", "0"), ram("two", 16, "replica", "1"), short, ram("none", 0), ram("odd", math.NaN()))
	w.client.Query.Instruments.Memory = source.Memory{Query: w.of("node_memory_MemTotal_bytes")}
	all, rejects := w.read(t, run(30*time.Minute, 1))
	got := all[0].Memory
	if len(got) != 3 || got["a"] != 64*1800 || got["two"] != 16*1800 || math.Abs(float64(got["short"])-4*600) > 4*61 {
		t.Errorf("got %v", got)
	}
	if rejects["zero"] != 1 || rejects["nan"] != 1 {
		t.Errorf("rejects %v", rejects)
	}
}

// Everything together, and all that is asked for it, is what is said to be asked.
func TestWhatIsAskedIsSaid(t *testing.T) {
	watts := signal{labels: map[string]string{"__name__": "watts", "instance": "a"}, value: constant(100)}
	w := newWorld(t, minutes(-30), 25*time.Hour, append(cpus("a", "x", 4), watts, gpu("a", "1"))...)
	w.client.Query.Instruments = source.Instruments{
		Processors: source.Processors{Query: w.of("node_cpu_info"), Model: "model_name", Package: "package"},
		Meters:     []source.Meter{{Name: "ipmi", Query: w.of("watts")}},
		Devices:    []source.Device{{Name: "gpu", Query: w.of("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"), Unit: 1e-3}, {Name: "fpga", Query: w.of("watts")}},
		Memory:     source.Memory{Query: w.of("watts")},
		PUE:        w.of("watts") + " / 80",
		Zones:      []source.Zone{{Name: "hall", Query: w.of("watts")}},
	}
	all, _, err := w.client.Instruments(t.Context(), run(30*time.Minute, 48), true)
	if err != nil {
		t.Fatal(err)
	}
	said := w.client.InstrumentQueries(all[0].Piece)
	for i, asked := range w.Asked() {
		if i >= len(said) || asked.Query != said[i] {
			t.Errorf("query %d: asked %s", i, asked.Query)
		}
	}
	for _, i := range all {
		if len(i.Models) != 1 || len(i.Power) != 1 || len(i.Devices) != 2 || len(i.Memory) != 1 || i.PUE == nil || *i.PUE != 1.25 || len(i.Zones) != 1 || !i.Since.IsZero() {
			t.Fatalf("got %+v", i)
		}
	}
	w.client.Query.Instruments = source.Instruments{}
	if all, _, err := w.client.Instruments(t.Context(), run(time.Hour, 2), true); err != nil || len(all) != 4 || all[3].Piece != (usage.Interval{Start: noon.Add(90 * time.Minute), Length: 30 * time.Minute}) || len(w.Asked()) > 0 {
		t.Errorf("nothing is configured: %v, %v", all, err)
	}
}
