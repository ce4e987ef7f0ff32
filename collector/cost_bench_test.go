// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package collector

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// keys that make 10 000 usage series: seven families, two modes each.
const benchmarkKeys = 715

// discard is a scraper at the end of an endless wire.
type discard struct {
	header http.Header
	code   int
	bytes  int
}

func (d *discard) Header() http.Header { return d.header }

func (d *discard) Write(p []byte) (int, error) {
	d.bytes += len(p)
	return len(p), nil
}

func (d *discard) WriteHeader(code int) { d.code = code }

// live is what is gathered with every scrape, as in the exporter.
func live() *prometheus.Registry {
	r := prometheus.NewRegistry()
	grid := NewGrid(clock)
	grid.Publish(around(slots()))
	NewHealth(r, clock).Reloaded(nil)
	r.MustRegister(grid, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// rendered answers as the exporter does.
func rendered() http.Handler {
	e := NewExposition(live(), slog.New(slog.DiscardHandler), clock)
	e.Show(usageOf(cloud(benchmarkKeys)))
	return e
}

// constMetrics answers as exporters usually do: every metric is made anew with
// each scrape, sorted, checked, rendered and compressed.
func constMetrics() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(usual{cloud(benchmarkKeys), prometheus.NewDesc("carbon_cpu_seconds", "help", []string{"project", "machine", "user", "group", "mode", "family"}, nil)})
	return promhttp.HandlerFor(prometheus.Gatherers{r, live()}, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// usual makes 14 metrics for each key.
type usual struct {
	s    *Snapshot
	desc *prometheus.Desc
}

func (u usual) Describe(ch chan<- *prometheus.Desc) { ch <- u.desc }

func (u usual) Collect(ch chan<- prometheus.Metric) {
	for _, t := range u.s.Totals {
		for _, name := range []string{"cpu", "energy", "emissions", "power", "rate", "settled_energy", "settled_emissions"} {
			for mode, v := range map[string]float64{"busy": float64(t.CPU.Busy), "idle": float64(t.CPU.Idle)} {
				ch <- prometheus.MustNewConstMetric(u.desc, prometheus.GaugeValue, v, t.Project, t.Machine, t.User, t.Group, mode, name)
			}
		}
	}
}

func scrape(tb testing.TB, h http.Handler) {
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", acceptOfPrometheus)
	r.Header.Set("Accept-Encoding", "gzip")
	w := &discard{header: http.Header{}, code: http.StatusOK}
	h.ServeHTTP(w, r)
	if w.code != http.StatusOK || w.bytes < 10_000 || w.header.Get("Content-Encoding") != "gzip" {
		tb.Fatalf("status %d, %d bytes, encoding %q", w.code, w.bytes, w.header.Get("Content-Encoding"))
	}
}

// cpu is what the process has used of its processors.
func cpu(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func measure(b *testing.B, f func()) {
	f() // the first is rendered, those of the next half hour are not
	b.ReportAllocs()
	b.ResetTimer()
	began := cpu(b)
	for b.Loop() {
		f()
	}
	b.ReportMetric(float64((cpu(b)-began).Microseconds())/float64(b.N), "cpu-us/op")
}

func BenchmarkScrape(b *testing.B) {
	h := rendered()
	measure(b, func() { scrape(b, h) })
}

func BenchmarkConstMetrics(b *testing.B) {
	h := constMetrics()
	measure(b, func() { scrape(b, h) })
}

// BenchmarkShow is what a snapshot costs that has just been read from the store, and what is held of
// it: of so many keys, and of keys with four kilobytes of labels.
func BenchmarkShow(b *testing.B) {
	for _, c := range []struct {
		keys, label int
	}{{715, 0}, {10_000, 0}, {100_000, 0}, {4_000, 1000}} {
		b.Run(fmt.Sprintf("%d-%d", c.keys, c.label), func(b *testing.B) {
			e := NewExposition(live(), slog.New(slog.DiscardHandler), clock)
			s := cloud(c.keys)
			long := strings.Repeat("x", c.label)
			for i := range s.Totals {
				k := &s.Totals[i].Key
				k.Project, k.Machine, k.User, k.Group = k.Project+long, k.Machine+long, k.User+long, k.Group+long
				s.Newest.Usage[i].Key = *k
			}
			before := heap()
			var size Size
			measure(b, func() { size = e.Show(NewUsage(s)) })
			e.zippers.New = nil
			b.ReportMetric((heap()-before)/float64(size.Samples), "held-bytes/sample")
			b.ReportMetric(float64(size.Zipped)/float64(size.Samples), "zipped-bytes/sample")
			b.ReportMetric(float64(size.Text)/1e6, "text-MB")
			b.ReportMetric(float64(size.Samples), "samples")
			runtime.KeepAlive(s)
			runtime.KeepAlive(e)
		})
	}
}

// heap is what is reachable.
func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
