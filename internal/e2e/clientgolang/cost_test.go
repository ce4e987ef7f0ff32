// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

// The race detector makes calls dear, and with them what is small and quick:
// under it nobody's cost is what it is in use.

package clientgolang

import (
	"fmt"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// day is the answer for the counters of as many hosts by mode over a day.
func day(hosts int, run []usage.Interval) []byte {
	b := []byte(`{"status":"success","data":{"resultType":"matrix","result":[`)
	for h := range hosts {
		cores := float64(h%64 + 1)
		for m, mode := range []string{"idle", "iowait", "system", "user"} {
			if h+m > 0 {
				b = append(b, ',')
			}
			b = fmt.Appendf(b, `{"metric":{"cloud_project_name":"project-%d","instance":"172.16.%d.%d:9100","machine_name":"Muon-%d","mode":%q,"user":"user-%d"},"values":[`,
				h%40, h/256, h%256, h%7, mode, h%900)
			for i := range len(run) + 3 { // one piece more at either end
				if i > 0 {
					b = append(b, ',')
				}
				b = fmt.Appendf(b, `[%d,"`, run[0].Start.Unix()+int64(i-1)*1800)
				b = strconv.AppendFloat(b, 450*cores*(float64(i)+1000/49.7), 'f', -1, 64)
				b = append(b, `"]`...)
			}
			b = append(b, `]}`...)
		}
	}
	return append(b, `]}}`...)
}

// cpuTime is what the process has used, garbage collection included.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const hosts = 10_000

// readOurs and readTheirs fail unless the whole answer was read.
func readOurs(tb testing.TB, answer []byte, run []usage.Interval) {
	tb.Helper()
	readings, rejects, err := ours(answer, run)
	if err != nil || len(rejects) > 0 || len(readings) != len(run) || len(readings[0].Samples) != hosts {
		tb.Fatal(len(readings), rejects, err)
	}
}

func readTheirs(tb testing.TB, answer []byte, run []usage.Interval) {
	tb.Helper()
	matrix, warnings, err := theirs(answer, run)
	if err != nil || len(warnings) > 0 || len(matrix) != len(modes)*hosts {
		tb.Fatal(len(matrix), warnings, err)
	}
}

func BenchmarkRead(b *testing.B)         { benchmark(b, readOurs) }
func BenchmarkClientGolang(b *testing.B) { benchmark(b, readTheirs) }

func benchmark(b *testing.B, read func(testing.TB, []byte, []usage.Interval)) {
	run := intervals(48)
	answer := day(hosts, run)
	b.SetBytes(int64(len(answer)))
	b.ReportAllocs()
	runtime.GC()
	before := cpuTime(b)
	for b.Loop() {
		read(b, answer, run)
	}
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

// Allocations can be counted, so they are held by a test: a third of
// client_golang's. CPU time is for the benchmarks alone.
func TestAllocationsAreAFractionOfClientGolangs(t *testing.T) {
	run := intervals(48)
	answer := day(hosts, run)
	ours := testing.AllocsPerRun(1, func() { readOurs(t, answer, run) })
	theirs := testing.AllocsPerRun(1, func() { readTheirs(t, answer, run) })
	if 3*ours > theirs {
		t.Errorf("makes %.0f allocations, client_golang %.0f", ours, theirs)
	}
}
