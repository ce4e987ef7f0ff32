// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package instruments_test

import (
	"fmt"
	"math"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
)

// BenchmarkInstruments measures what each instrument of 1 000 hosts costs Prometheus for a day of 48
// pieces, and for one piece: the CPU time of its engine and API together with ours, the requests,
// and the bytes of the answers. Scrapes are each minute.
func BenchmarkInstruments(b *testing.B) {
	const hosts = 1000
	var signals []signal
	for i := range hosts {
		host := fmt.Sprintf("172.16.%d.%d:9100", i/200, i%200)
		add := func(name string, value func(time.Duration) float64, labels ...string) {
			s := signal{labels: map[string]string{"__name__": name, "instance": host}, value: value, every: time.Minute, offset: time.Duration(i*61%60_000) * time.Millisecond}
			signals = append(signals, s.with(labels...))
		}
		load := func(at time.Duration) float64 { return math.Round(200 + 100*math.Sin(at.Hours()+float64(i))) }
		add("psu_watts", load, "psu", "1")
		add("psu_watts", load, "psu", "2")
		add("memory_bytes", constant(1<<38))
		add("gpu_joules", func(at time.Duration) float64 { return 1e6 + 200*(at+48*time.Hour).Seconds() + float64(i) }, "UUID", fmt.Sprint("GPU-", i), "project", fmt.Sprint(i%9))
		for n := range 4 { // of 64: the cost of processors grows by their threads
			add("node_cpu_info", constant(1), "cpu", fmt.Sprint(n), "package", fmt.Sprint(n/2), "model_name", "AMD EPYC 7763 64-Core Processor")
		}
	}
	odd := signal{labels: map[string]string{"__name__": "psu_watts", "instance": "odd"}, value: constant(0)} // as some sensor always is
	w := newWorld(b, minutes(-25*60), 24*time.Hour+5*time.Minute, append(signals, odd)...)
	for _, bm := range []struct {
		name string
		in   func(*world) source.Instruments
	}{
		{"processors", func(w *world) source.Instruments {
			return source.Instruments{Processors: source.Processors{Query: w.of("node_cpu_info"), Model: "model_name", Package: "package"}}
		}},
		{"a meter", func(w *world) source.Instruments {
			return source.Instruments{Meters: []source.Meter{{Name: "psu", Query: strings.Replace(w.of("psu_watts"), "}", `,psu!=""}`, 1)}}}
		}},
		{"a meter with a value that is none", func(w *world) source.Instruments {
			return source.Instruments{Meters: []source.Meter{{Name: "psu", Query: w.of("psu_watts")}}}
		}},
		{"a gauge of devices", func(w *world) source.Instruments {
			return source.Instruments{Devices: []source.Device{{Name: "gpu", Query: w.of("psu_watts")}}}
		}},
		{"counters of devices", func(w *world) source.Instruments {
			return source.Instruments{Devices: []source.Device{{Name: "gpu", Query: w.of("gpu_joules"), Unit: 1}}}
		}},
		{"memory", func(w *world) source.Instruments {
			return source.Instruments{Memory: source.Memory{Query: w.of("memory_bytes")}}
		}},
		{"a zone", func(w *world) source.Instruments {
			return source.Instruments{Zones: []source.Zone{{Name: "hall", Query: w.of("psu_watts")}}}
		}},
	} {
		for _, pieces := range []int{1, 48} {
			b.Run(fmt.Sprintf("%s, %d pieces", bm.name, pieces), func(b *testing.B) {
				w.client.Query.Instruments = bm.in(w)
				bytes := 0
				w.Before(worlds.Edited(func(text string) string {
					bytes += len(text)
					return text
				}))
				w.Asked()
				before := cpuTime(b)
				for b.Loop() {
					if _, _, err := w.client.Instruments(b.Context(), run(30*time.Minute, pieces), true); err != nil {
						b.Fatal(err)
					}
				}
				n := float64(b.N)
				b.ReportMetric((cpuTime(b)-before).Seconds()/n, "cpu-s")
				b.ReportMetric(float64(len(w.Asked()))/n, "requests")
				b.ReportMetric(float64(bytes)/n, "bytes")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
