// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package instruments holds what package source makes of meters, devices, memory and processors
// against small worlds whose truth is known, through Prometheus' own engine. Start with world.
package instruments_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var noon = worlds.Noon

// minutes is a time after noon.
func minutes(m float64) time.Duration { return time.Duration(m * float64(time.Minute)) }

// run is n intervals from noon on.
func run(length time.Duration, n int) []usage.Interval {
	all := []usage.Interval{{Start: noon, Length: length}}
	for len(all) < n {
		all = append(all, all[len(all)-1].Next())
	}
	return all
}

// signal is one series: what it shows at a time after noon, and who scrapes it.
type signal struct {
	labels        map[string]string // and __name__
	value         func(at time.Duration) float64
	every, offset time.Duration
	from, to      time.Duration // 0: from before noon on; to the end
	holes         [][2]time.Duration
	silent        bool // it ends without a mark
}

// samples are what a server keeps of a signal. A hole begins with a mark that it is gone.
func (s signal) samples(from, to time.Duration) (all []engine.Sample) {
	if s.every == 0 {
		s.every = 15 * time.Second
	}
	there := false
	for at := from - from%s.every + s.offset; at < to; at += s.every {
		shows := (s.from == 0 || at >= s.from) && (s.to == 0 || at < s.to) &&
			!slices.ContainsFunc(s.holes, func(h [2]time.Duration) bool { return h[0] <= at && at < h[1] })
		switch {
		case shows:
			all = append(all, engine.Sample{T: noon.Add(at).UnixMilli(), V: s.value(at)})
		case there && !s.silent:
			all = append(all, engine.Sample{T: noon.Add(at).UnixMilli(), V: engine.Stale()})
		}
		there = shows
	}
	return all
}

// world is signals that a server has, and a client that asks for them.
type world struct {
	*worlds.Server
	name   string
	client *source.Client
}

// shared is one engine for all worlds: a label of all series tells them apart.
var shared struct {
	engine *engine.Engine
	api    http.Handler
	worlds int
}

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "instruments")
	if err == nil {
		defer os.RemoveAll(dir)
		shared.engine, err = engine.Open(engine.Options{Dir: dir})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer shared.engine.Close()
	shared.api = shared.engine.Handler()
	return m.Run()
}

// newWorld serves signals from two days before noon, or from a time on, to a time.
func newWorld(t testing.TB, from, to time.Duration, signals ...signal) *world {
	t.Helper()
	shared.worlds++
	w := &world{Server: worlds.Serve(shared.engine, shared.api), name: fmt.Sprint("w", shared.worlds)}
	t.Cleanup(w.Close)
	for _, s := range signals {
		labels := maps.Clone(s.labels)
		labels["world"] = w.name
		if err := shared.engine.Append(context.Background(), engine.NewSeries(labels), s.samples(from, to)...); err != nil {
			t.Fatal(err)
		}
	}
	h, err := upstream.NewHTTPClient(config.DefaultHTTPClientConfig, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.CloseIdleConnections)
	address, err := url.Parse(w.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.client = &source.Client{
		Upstream: &upstream.Client{HTTP: h, UserAgent: "carbon_exporter/test", Timeout: time.Minute, MaxBytes: 1 << 28},
		URL:      address,
		Query: source.Query{Labels: source.Labels{
			Project: "project", Machine: "machine", Host: "instance", User: "user", CPU: "cpu", Mode: "mode",
		}},
	}
	return w
}

// of is a selector of this world.
func (w *world) of(metric string) string { return fmt.Sprintf("%s{world=%q}", metric, w.name) }

// read reads a run, once as a whole and then in each other way to cut it: what comes of it must be
// the same.
func (w *world) read(t testing.TB, intervals []usage.Interval) ([]usage.Instruments, usage.Rejects) {
	t.Helper()
	all, rejects, err := w.client.Instruments(context.Background(), intervals, true)
	if err != nil {
		t.Fatal(err)
	}
	var again []usage.Instruments
	for i := range slices.Backward(intervals) { // the last first
		one, _, err := w.client.Instruments(context.Background(), intervals[i:i+1], true)
		if err != nil {
			t.Fatal(err)
		}
		again = slices.Concat(one, again)
	}
	if len(all) != len(again) {
		t.Fatalf("%d pieces at once, %d one by one", len(all), len(again))
	}
	for i := range all {
		alike(t, all[i], again[i])
	}
	return all, rejects
}

// alike checks that two readings of a piece have the same numbers.
func alike(t testing.TB, a, b usage.Instruments) {
	t.Helper()
	same := func(what string, x, y float64) {
		t.Helper()
		if !near(x, y, 1e-9) {
			t.Errorf("%s: %s is %v at once and %v alone", a.Piece, what, x, y)
		}
	}
	if !a.Since.Equal(b.Since) {
		t.Errorf("%s: since %v at once and %v alone", a.Piece, a.Since, b.Since)
	}
	for host := range union(a.Power, b.Power) {
		same("energy of "+host, float64(a.Power[host].Energy), float64(b.Power[host].Energy))
		same("cover of "+host, a.Power[host].Covered, b.Power[host].Covered)
	}
	for host := range union(a.Memory, b.Memory) {
		same("memory of "+host, float64(a.Memory[host]), float64(b.Memory[host]))
	}
	for host := range union(a.Models, b.Models) {
		if len(a.Models[host]) != len(b.Models[host]) {
			t.Errorf("%s: %v at once and %v alone", a.Piece, a.Models[host], b.Models[host])
		}
	}
	x, y := devices(a), devices(b)
	for s := range union(x, y) {
		if _, both := x[s]; !both {
			t.Errorf("%s: %v is not there at once", a.Piece, s)
		}
		same(fmt.Sprint(s), x[s], y[s])
	}
	if len(a.Zones) != len(b.Zones) {
		t.Errorf("%s: zones %v at once and %v alone", a.Piece, a.Zones, b.Zones)
	}
}

func devices(i usage.Instruments) map[usage.Series]float64 {
	all := map[usage.Series]float64{}
	for _, d := range i.Devices {
		all[d.Series] += float64(d.Energy)
	}
	return all
}

func union[K comparable, V any](a, b map[K]V) map[K]V {
	all := maps.Clone(a)
	if all == nil {
		all = map[K]V{}
	}
	maps.Copy(all, b)
	return all
}

func near(a, b, relative float64) bool {
	return math.Abs(a-b) <= relative*max(math.Abs(a), math.Abs(b), 1)
}

// constant shows the same at all times.
func constant(v float64) func(time.Duration) float64 { return func(time.Duration) float64 { return v } }
