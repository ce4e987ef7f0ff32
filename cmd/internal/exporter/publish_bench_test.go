// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package exporter

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// BenchmarkPublish is what a live interval costs /metrics: the store is read, the exposition is
// made, and Prometheus scrapes it once. Of 100 000 keys, 20 000 users of 2 000
// projects have one each in five of 200 machine types.
func BenchmarkPublish(b *testing.B) {
	for _, keys := range []int{1_000, 20_000, 100_000} {
		b.Run(strconv.Itoa(keys), func(b *testing.B) {
			d, server := prepared(b, "--config.file="+configFile(b, ""))
			began := time.Now().UTC().Truncate(24 * time.Hour)
			if began.Equal(time.Now().UTC().Truncate(30 * time.Minute)) {
				began = began.Add(-30 * time.Minute)
			}
			rec := usage.Record{Interval: usage.Interval{Start: began, Length: 30 * time.Minute}, State: usage.Provisional}
			for i := range keys {
				v := 1 + float64(i)/7
				rec.Facts = append(rec.Facts, usage.Fact{
					Key: usage.Key{
						Project: fmt.Sprintf("project-%d", i%(keys/50)), Machine: fmt.Sprintf("machine-%d", i/(keys/5)*40+i%40),
						User: fmt.Sprintf("user-%d", i%(keys/5)), Group: fmt.Sprintf("group-%d", i%(keys/50)),
					},
					Start:  began,
					CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(v), Idle: usage.CPUSeconds(v * 1.25)},
					Energy: usage.ByMode[usage.KWh]{Busy: usage.KWh(v / 3), Idle: usage.KWh(v / 9)},
				})
			}
			rec.Prices = []usage.PiecePrice{{
				Start: began, Price: usage.Price{Intensity: 210.89, Kind: usage.Actual, Provider: "static", Grid: "GB", SlotFrom: began, FetchedAt: began},
			}}
			storetest.Commit(b, d.store, rec)
			rec.Facts = nil
			runtime.GC()
			debug.FreeOSMemory()
			runtime.GC()
			before := heapMB()
			resetPeak(b)
			base := residentMB(b, os.Getpid())
			start := cpuTime(b)
			var pub, first, second time.Duration
			for b.Loop() {
				c := cpuTime(b)
				if err := d.publish(b.Context()); err != nil {
					b.Fatal(err)
				}
				pub += cpuTime(b) - c
				c = cpuTime(b)
				n := scrapeAs(b, server.URL)
				first += cpuTime(b) - c
				c = cpuTime(b)
				scrapeAs(b, server.URL)
				second += cpuTime(b) - c
				b.ReportMetric(float64(n)/1e6, "scrape-MB")
			}
			n := float64(b.N)
			b.ReportMetric((cpuTime(b)-start).Seconds()/n, "cpu-s/op")
			b.ReportMetric(pub.Seconds()/n, "publish-cpu-s/op")
			b.ReportMetric(first.Seconds()/n, "first-cpu-s/op")
			b.ReportMetric(second.Seconds()/n, "second-cpu-s/op")
			b.ReportMetric(peakMB(b)-base, "peak-MB")
			runtime.GC()
			runtime.GC()
			b.ReportMetric(heapMB()-before, "held-MB")
		})
	}
}

// heapMB is what Go has on its heap.
func heapMB() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

// scrapeAs asks as Prometheus 3 does, and returns how many bytes come.
func scrapeAs(b *testing.B, url string) int64 {
	req, err := http.NewRequest(http.MethodGet, url+"/metrics", nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Accept", "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		b.Fatalf("status %d: %v", resp.StatusCode, err)
	}
	return n
}

// cpuTime is what the process has used of its processors.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resetPeak makes peakMB begin anew.
func resetPeak(b *testing.B) {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Fatal(err)
	}
}

// peakMB is the most that the process held.
func peakMB(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(v)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb / 1024
		}
	}
	b.Fatal("no VmHWM")
	return 0
}
