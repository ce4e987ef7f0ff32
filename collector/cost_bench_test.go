// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package collector

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
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
	e := NewExposition(live(), slog.New(slog.DiscardHandler))
	e.Show(usageOf(cloud(benchmarkKeys)))
	return e
}

// constMetrics answers as exporters usually do: every metric is made anew with
// each scrape, sorted, checked, rendered and compressed.
func constMetrics() http.Handler {
	u := NewUsage()
	u.Publish(cloud(benchmarkKeys))
	r := prometheus.NewRegistry()
	r.MustRegister(u)
	return promhttp.HandlerFor(prometheus.Gatherers{r, live()}, promhttp.HandlerOpts{EnableOpenMetrics: true})
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

// BenchmarkShowAndScrape is a new snapshot and the scrape that renders it.
func BenchmarkShowAndScrape(b *testing.B) {
	e := NewExposition(live(), slog.New(slog.DiscardHandler))
	r := usageOf(cloud(benchmarkKeys))
	measure(b, func() {
		e.Show(r)
		scrape(b, e)
	})
}
