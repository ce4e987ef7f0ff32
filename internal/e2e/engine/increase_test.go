package engine_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
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

// These numbers are what the exporter builds on: energy is what increase() says
// a core did. The truth is 1800 for each window that the samples fill.
func TestWhatIncreaseMakesOfACore(t *testing.T) {
	server := serve(t, engine.Options{})
	for _, tc := range []struct {
		name    string
		samples []engine.Sample
		want    []float64 // of the windows that end at minute 30 and 60 and have a result
	}{
		{"all samples", minutes(0, 30, 0), []float64{1800}},
		{"all samples, the counter of an old host", minutes(0, 30, 1e6), []float64{1800}},
		{"last sample at minute 20", minutes(0, 20, 0), []float64{1230}},
		{"starts at minute 10 from 0", minutes(10, 30, 0), []float64{1200}},
		{"starts at minute 10 from 5000", minutes(10, 30, 5000), []float64{1230}},
		{"reset with first sample 20 at minute 15", join(minutes(0, 14, 0), minutes(15, 30, 20)), []float64{1758.6206896551723}},
		{"gap of minutes 10 to 20", join(minutes(0, 10, 0), minutes(20, 30, 1200)), []float64{1800}},
		{"three samples", minutes(0, 2, 0), []float64{150}},
		{"a single sample", minutes(10, 10, 600), nil},
		{"gap over a boundary, minutes 25 to 35", join(minutes(0, 25, 0), minutes(35, 60, 2100)), []float64{1530, 1530}},
		{"two windows with all samples", minutes(0, 60, 0), []float64{1800, 1800}},
		// A window is open at its start: the sample at minute 30 is of the first alone.
		{"nothing after minute 30", minutes(20, 30, 1200), []float64{630}},
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
		})
	}
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
