// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds_test

import (
	"context"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// ruleFile has the recording rules for a large Prometheus.
var ruleFile = filepath.Join("..", "..", "..", "examples", "prometheus", "rules-upstream.yml")

// ruleEvery is how often they are evaluated.
const ruleEvery = time.Minute

// askRecorded is what the profile recorded asks.
func askRecorded(q *source.Query) {
	q.Metric, q.Labels.CPU = "carbon:cpu_seconds:sum", ""
	q.CoresQuery = "max_over_time(carbon:cpu_cores:count[$__interval])"
}

// recordRules evaluates the rules in a world's time, but for some moments.
func (s *stage) recordRules(t testing.TB, missed func(at time.Duration) bool) {
	t.Helper()
	rules, err := s.Engine.Rules(ruleFile)
	if err != nil {
		t.Fatal(err)
	}
	for at := s.From; at <= s.To; at += ruleEvery {
		if missed != nil && missed(at) {
			continue
		}
		if err := rules.Eval(context.Background(), s.Noon.Add(at+7*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
}

// alone serves a world by an engine of its own, because what rules record has no label of a world.
func alone(t testing.TB, w *worlds.World) *stage {
	t.Helper()
	e, err := engine.Open(engine.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range w.Machines {
		m.Labels = map[string]string{"job": "node"}
	}
	front := worlds.Serve(e, e.Handler())
	t.Cleanup(func() {
		front.Close()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &stage{World: w, Server: front}
	s.client = clientOf(t, w, front, func(*source.Query) {})
	s.record(t, nil)
	return s
}

// The energy by way of the recording rules is that by the raw way: each half hour up to an
// evaluation of the rules and a scrape at either edge, and all of it together up to that once, not
// for each half hour. Of machines whose load is the same at both ends it is the same to nine
// digits, whatever happens in between.
func TestRecordedEnergyIsRawEnergy(t *testing.T) {
	const halves = 8
	busier := worlds.Load{"user": 0.60, "nice": 0.005, "system": 0.15, "irq": 0.002, "softirq": 0.003, "idle": 0.20, "iowait": 0.04, "steal": 0}
	changing := []worlds.Phase{{At: minutes(40), Load: busier}, {At: minutes(95), Load: quarter}, {At: minutes(130), Load: busier}, {At: minutes(190), Load: quarter}}
	w := newWorld(
		linux("steady"),
		with(linux("many cores"), func(m *worlds.Machine) { m.Cores = 32 }),
		phased(linux("changing"), changing...),
		phased(scraped(linux("changing, all minute"), worlds.Scrape{Every: time.Minute, Offset: 20 * time.Second}), changing...),
		scraped(linux("away over an edge"), worlds.Scrape{Every: 30 * time.Second, Holes: []worlds.Hole{{From: minutes(85), To: minutes(97)}}}),
		phased(linux("boots"), worlds.Phase{At: minutes(104), Load: quarter, Boot: true}),
	)
	w.To = minutes(halves*30 + 125)
	s := alone(t, w)
	s.recordRules(t, func(at time.Duration) bool { return at > minutes(145) && at < minutes(153) }) // a hole over an edge
	run := halfHours(halves)
	raw := s.read(t, run)
	recorded := &stage{World: s.World, Server: s.Server, client: clientOf(t, s.World, s.Server, askRecorded)}
	summed := recorded.read(t, run)

	watts := usage.BusyIdle[usage.Watts]{Busy: 3.3, Idle: 0.65}
	energy := func(c seconds) float64 { return float64(watts.Busy.For(c.Busy) + watts.Idle.For(c.Idle)) }
	for _, m := range s.Machines {
		t.Run(m.Name, func(t *testing.T) {
			// A scrape and an evaluation of every core, at the watts of a busy one.
			edge := float64(watts.Busy.For(usage.CPUSeconds(float64(m.Cores) * (time.Minute + ruleEvery).Seconds())))
			var one, other float64
			for i := range run {
				a, b := energy(sum(booked(raw[i], m.Name))), energy(sum(booked(summed[i], m.Name)))
				if a <= 0 || math.Abs(a-b) > edge {
					t.Errorf("%s: %v kWh by raw series, %v as recorded, want within %v", run[i], a, b, edge)
				}
				one, other = one+a, other+b
			}
			within := 1e-9 * one
			if m.Name == "boots" { // what it did between the last scrape and the boot nobody knows
				within = edge
			}
			if math.Abs(one-other) > within {
				t.Errorf("all together: %v kWh by raw series, %v as recorded, want within %v", one, other, within)
			}
			t.Logf("%v kWh by raw series, %v as recorded: %g", one, other, other/one-1)
		})
	}
}
