// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// TestRecordedCountersAreRead reads what rules-upstream.yml records as carbon-recorded.yml
// says, with the engine of Prometheus in between: four half hours of two cores, a quarter
// busy, add up to the last second although the rules are not evaluated over an edge.
func TestRecordedCountersAreRead(t *testing.T) {
	e, prometheus, rules := recording(t)
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	target := e.NewTarget("node", "172.16.100.5:9100")
	for minute := -30; minute < 150; minute++ {
		at := start.Add(time.Duration(minute) * time.Minute)
		var page strings.Builder
		for core := range 2 {
			for mode, perMinute := range map[string]int{"user": 15, "idle": 45} {
				fmt.Fprintf(&page, "node_cpu_seconds_total{cloud_project_name=\"IDAaaS\",machine_name=\"Muon\",cpu=\"%d\",mode=%q} %d\n",
					core, mode, 100_000*(core+1)+perMinute*minute)
			}
		}
		if err := target.Scrape(t.Context(), at, []byte(page.String())); err != nil {
			t.Fatal(err)
		}
		if minute < 53 || minute > 68 {
			if err := rules.Eval(t.Context(), at.Add(20*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
	}

	p := recorded(t)
	server, err := url.Parse(prometheus)
	if err != nil {
		t.Fatal(err)
	}
	client := &source.Client{
		Upstream: &upstream.Client{HTTP: http.DefaultClient, UserAgent: "test", Timeout: time.Minute, MaxBytes: 1 << 20},
		URL:      server,
		Query: source.Query{
			Metric: p.Metric, Matchers: p.Matchers,
			Labels: source.Labels{
				Project: p.Labels.Project, Machine: p.Labels.Machine, Host: p.Labels.Host, User: p.Labels.User,
				CPU: p.Labels.CPU, Mode: p.Labels.Mode,
			},
			BusyModes: p.BusyModes, IdleModes: p.IdleModes, OtherModes: p.OtherModes,
			BusyQuery: p.BusyQuery, IdleQuery: p.IdleQuery, CoresQuery: p.CoresQuery,
		},
	}
	run := []usage.Interval{usage.IntervalAt(start, 30*time.Minute)}
	for len(run) < 4 {
		run = append(run, run[len(run)-1].Next())
	}
	answer, rejects, err := client.Read(t.Context(), run)
	readings := answer.All()
	if err != nil || len(rejects) > 0 {
		t.Fatal(rejects, err)
	}
	var busy, idle float64
	for _, r := range readings {
		if len(r.Samples) != 1 {
			t.Fatalf("%s: %d samples, doubts %+v", r.Piece, len(r.Samples), r.Doubts)
		}
		s := r.Samples[0]
		t.Logf("%s: %+v, coverage %v, doubts %+v", r.Piece, s, r.Coverage, r.Doubts)
		if math.Abs(float64(s.CPU.Busy)-900) > 30 {
			t.Errorf("%s: %v s busy, want 900 within a scrape and an evaluation", r.Piece, s.CPU.Busy)
		}
		if p := r.Present["IDAaaS"]; p != (usage.Presence{Hosts: 1, Cores: 2}) {
			t.Errorf("%s: %+v, want one host of 2 cores", r.Piece, p)
		}
		busy += float64(s.CPU.Busy)
		idle += float64(s.CPU.Idle)
	}
	if math.Abs(busy-3600) > 1e-6 || math.Abs(idle-10800) > 1e-6 {
		t.Errorf("two hours are %v s busy and %v s idle, want 3600 and 10800", busy, idle)
	}
}
