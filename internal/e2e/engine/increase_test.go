// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// start is the border of a half hour.
var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// minutes samples a counter of 1 s/s once a minute; value is that at the first.
func minutes(first, last int, value float64) []engine.Sample {
	var samples []engine.Sample
	for m := first; m <= last; m++ {
		samples = append(samples, engine.At(start.Add(time.Duration(m)*time.Minute), value+60*float64(m-first)))
	}
	return samples
}

func join(parts ...[]engine.Sample) []engine.Sample {
	var all []engine.Sample
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

// These numbers are why the exporter does not build on increase(): it extrapolates to the ends of
// the window, or does not, and knows nothing of what a core can do. What the exporter reads of
// the same samples is beside them. The truth is 1800 for each window that the samples fill.
func TestWhatIncreaseMakesOfACore(t *testing.T) {
	server := serve(t, engine.Options{})
	for _, tc := range []struct {
		name    string
		samples []engine.Sample
		want    []float64 // of the windows that end at minute 30 and 60 and have a result
		read    []float64 // what the exporter books of the two
	}{
		{"all samples", minutes(0, 30, 0), []float64{1800}, []float64{1800, 0}},
		{"all samples, the counter of an old host", minutes(0, 30, 1e6), []float64{1800}, []float64{1800, 0}},
		{"last sample at minute 20", minutes(0, 20, 0), []float64{1230}, []float64{1200, 0}},
		{"starts at minute 10 from 0", minutes(10, 30, 0), []float64{1200}, []float64{1200, 0}},
		{"starts at minute 10 from 5000", minutes(10, 30, 5000), []float64{1230}, []float64{1200, 0}},
		{"reset with first sample 20 at minute 15", join(minutes(0, 14, 0), minutes(15, 30, 20)), []float64{1758.6206896551723}, []float64{840 + 20 + 900, 0}},
		{"gap of minutes 10 to 20", join(minutes(0, 10, 0), minutes(20, 30, 1200)), []float64{1800}, []float64{1800, 0}},
		{"three samples", minutes(0, 2, 0), []float64{150}, []float64{120, 0}},
		{"a single sample", minutes(10, 10, 600), nil, []float64{600, 0}},
		{"gap over a boundary, minutes 25 to 35", join(minutes(0, 25, 0), minutes(35, 60, 2100)), []float64{1530, 1530}, []float64{1800, 1800}},
		{"two windows with all samples", minutes(0, 60, 0), []float64{1800, 1800}, []float64{1800, 1800}},
		// A window is open at its start: the sample at minute 30 is of the first alone.
		{"nothing after minute 30", minutes(20, 30, 1200), []float64{630}, []float64{1800, 0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server.add(t, cpuSeries(map[string]string{"instance": tc.name}), tc.samples...)
			result := server.queryRange(t, url.Values{
				"query": {fmt.Sprintf(`sum by (instance) (increase(node_cpu_seconds_total{job="node",mode=~"user|nice",instance=%q}[30m]))`, tc.name)},
				"start": {unix(start.Add(30 * time.Minute))},
				"end":   {unix(start.Add(60 * time.Minute))},
				"step":  {"1800"},
			})
			var got []float64
			for _, series := range result {
				for _, point := range series.Values {
					got = append(got, point.value(t))
				}
			}
			if len(got) != len(tc.want) {
				t.Fatalf("got %v, want %v", got, tc.want)
			}
			for i := range got {
				if !near(got[i], tc.want[i]) {
					t.Errorf("window %d: got %v, want %v", i, got[i], tc.want[i])
				}
			}
			for i, got := range read(t, server, tc.name, tc.samples) {
				if !near(got, tc.read[i]) {
					t.Errorf("half hour %d: read %v, want %v", i, got, tc.read[i])
				}
			}
		})
	}
}

// read returns the CPU seconds that the exporter books of a core in two half hours, if half of
// its samples are idle time.
func read(t *testing.T, s server, name string, samples []engine.Sample) [2]float64 {
	t.Helper()
	const metric = "half_seconds_total"
	halves := slices.Clone(samples)
	for i := range halves {
		halves[i].V /= 2
	}
	for _, mode := range []string{"user", "idle"} {
		s.add(t, cpuSeries(map[string]string{"__name__": metric, "instance": name, "mode": mode}), halves...)
	}
	base, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	client := source.Client{
		Upstream: &upstream.Client{HTTP: http.DefaultClient, UserAgent: "test", Timeout: time.Minute, MaxBytes: 1 << 20},
		URL:      base,
		Query: source.Query{
			Metric: metric, Matchers: fmt.Sprintf("instance=%q", name),
			Labels:    source.Labels{Project: "cloud_project_name", Machine: "machine_name", Host: "instance", User: "user", CPU: "cpu", Mode: "mode"},
			BusyModes: []string{"user"}, IdleModes: []string{"idle"},
		},
	}
	first := usage.Interval{Start: start, Length: usage.SlotLength}
	answer, _, err := client.Read(t.Context(), []usage.Interval{first, first.Next()})
	readings := answer.All()
	if err != nil {
		t.Fatal(err)
	}
	var booked [2]float64
	for i, r := range readings {
		for _, s := range r.Samples {
			booked[i] += float64(s.CPU.Busy + s.CPU.Idle)
		}
		for _, d := range r.Doubts {
			if d.State == usage.HostRefused {
				t.Errorf("half hour %d: %s: %s", i, d.Reason, d.Detail)
			}
		}
	}
	return booked
}

// A pair of servers that scrape the same host is twice the truth for a query
// that does not know the label that tells them apart.
func TestTwoScrapersOfOneHostAreAddedUp(t *testing.T) {
	server := serve(t, engine.Options{})
	for _, replica := range []string{"a", "b"} {
		server.add(t, cpuSeries(map[string]string{"prometheus_replica": replica}), minutes(0, 30, 0)...)
	}
	result := server.queryRange(t, at30(`sum by (instance) (increase(node_cpu_seconds_total[30m]))`))
	if len(result) != 1 || !near(result[0].Values[0].value(t), 3600) {
		t.Errorf("got %v, want 3600", result)
	}
}
