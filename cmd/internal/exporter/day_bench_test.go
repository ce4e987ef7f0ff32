// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package exporter

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate/scraped"
)

// BenchmarkDay is a day of 1 000 hosts and 600 keys, from an upstream that
// answers at once to committed rows, in the real program: its CPU seconds, its
// largest resident memory, and what it keeps when it is idle.
func BenchmarkDay(b *testing.B) {
	program := filepath.Join(b.TempDir(), "carbon_exporter")
	if out, err := exec.Command("go", "build", "-o", program, "../../carbon_exporter").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	server := httptest.NewServer(&scraped.Remembered{Server: scraped.Crowd(7)})
	defer server.Close()
	for b.Loop() {
		dir := b.TempDir()
		config := filepath.Join(dir, "carbon.yml")
		if err := os.WriteFile(config, fmt.Appendf(nil,
			"prometheus: {url: %s, lag: 0s}\ncarbon_intensity: {provider: static, static: {gco2eq_per_kwh: 210.89, grid: GB}}\n", server.URL), 0o600); err != nil {
			b.Fatal(err)
		}
		port := freePort(b)
		cmd := exec.Command(program, "--config.file="+config, "--storage.path="+filepath.Join(dir, "carbon.db"),
			"--web.listen-address="+port)
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		waitForDay(b, "http://"+port+"/metrics")
		idle := restingMB(b, cmd.Process.Pid)
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			b.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			b.Fatal(err)
		}
		used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		b.ReportMetric(cpu.Seconds(), "cpu-s/day")
		b.ReportMetric(float64(used.Maxrss)/1024, "max-rss-MB")
		b.ReportMetric(idle, "idle-rss-MB")
	}
}

func waitForDay(b *testing.B, url string) {
	b.Helper()
	tick := time.NewTicker(100 * time.Millisecond) // each look is a scrape that costs
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); <-tick.C {
		resp, err := http.Get(url)
		if err == nil {
			text, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if strings.Contains(string(text), "carbon_intervals{state=\"missing\"} 0") &&
				strings.Contains(string(text), "carbon_intervals{state=\"provisional\"} 48") {
				return
			}
		}
	}
	b.Fatal("the day has not come in within a minute")
}

func freePort(b *testing.B) string {
	b.Helper()
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	return s.Listener.Addr().String()
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
