// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package ingest

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// BenchmarkReprice prices a month of intervals that a carbon outage has left
// without: 1 440 of them, of a site of 100 keys.
func BenchmarkReprice(b *testing.B) {
	const intervals, keys = 1440, 100
	var cpu time.Duration
	for b.Loop() {
		b.StopTimer()
		r := newRig(b)
		first := start.Add(-intervals * usage.SlotLength)
		var all []usage.Interval
		var slots []usage.Slot
		for n := range intervals {
			i := usage.Interval{Start: first.Add(time.Duration(n) * usage.SlotLength), Length: usage.SlotLength}
			all = append(all, i)
			actual := usage.GramsPerKWh(100 + n%200)
			slots = append(slots, usage.Slot{From: i.Start, Actual: &actual, Provider: "uk", Grid: "GB", FetchedAt: start})
		}
		for run := range slices.Chunk(all, atOnce) {
			if _, err := r.store.Update(context.Background(), run, func(was usage.Stored) (usage.Record, usage.Policy, error) {
				rec := usage.Record{Interval: was.Interval, State: usage.Unpriced, PUE: 1, FetchedAt: was.Interval.End()}
				for k := range keys {
					rec.Facts = append(rec.Facts, usage.Fact{
						Key:   usage.Key{Project: fmt.Sprint("p", k%10), Machine: fmt.Sprint("m", k%5), User: fmt.Sprint("u", k), Group: fmt.Sprint("g", k%10)},
						Start: was.Interval.Start, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 100, Idle: 300}, Energy: usage.ByMode[usage.KWh]{Busy: 0.1, Idle: 0.2},
					})
				}
				return rec, usage.Policy{Answered: true}, nil
			}); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := r.store.SaveSlots(context.Background(), slots); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		before := cpuNow()
		if unpriced, err := r.grams.reprice(context.Background(), r.spine.current()); err != nil || unpriced {
			b.Fatal(unpriced, err)
		}
		cpu += cpuNow() - before
		b.StopTimer()
		r.store.Close()
		b.StartTimer()
	}
	b.ReportMetric(float64(cpu.Milliseconds())/float64(b.N), "cpu-ms/op")
}

// cpuNow is the CPU time of this process.
func cpuNow() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
