// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package exporter

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate/scraped"
)

// BenchmarkDay is a day of 1 000 hosts and 600 keys, from an upstream that
// answers at once to committed rows, in the real program: its CPU seconds, its
// largest resident memory, and what it keeps when it is idle.
func BenchmarkDay(b *testing.B) {
	program := compiled(b, "carbon_exporter")
	server := httptest.NewServer(&scraped.Remembered{Server: scraped.Crowd(7)})
	defer server.Close()
	for b.Loop() {
		p := launch(b, program, b.TempDir(), server.URL)
		p.until(b, wholeDay)
		idle := restingMB(b, p.cmd.Process.Pid)
		cpu, peak := p.end(b)
		b.ReportMetric(cpu, "cpu-s/day")
		b.ReportMetric(peak, "max-rss-MB")
		b.ReportMetric(idle, "idle-rss-MB")
	}
}

// restingMB is what the process holds once it has had nothing to do for a while.
func restingMB(b *testing.B, pid int) float64 {
	b.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	least := residentMB(b, pid)
	for range 30 {
		<-tick.C
		least = min(least, residentMB(b, pid))
	}
	return least
}

// residentMB is what the process holds, as Linux counts it.
func residentMB(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		b.Fatal(err)
	}
	pages, err := strconv.ParseFloat(strings.Fields(string(text))[1], 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * float64(os.Getpagesize()) / (1 << 20)
}
