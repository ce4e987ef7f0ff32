// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package power_test

import (
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const halfHour = 30 * time.Minute

// span is what an empty store begins with and how far it is filled now.
type span struct {
	first, end    time.Time
	interval      time.Duration
	lag, lookback time.Duration
}

// spanOf chooses lookback and lag so that the span stays as it is for half an interval, whenever
// a test runs.
func spanOf(interval time.Duration, intervals int) span {
	now := time.Now().UTC()
	s := span{interval: interval, end: usage.FloorEpoch(now, interval)}
	s.first = s.end.Add(-time.Duration(intervals) * interval)
	s.lookback = now.Sub(s.first.Add(interval / 2)).Truncate(time.Second)
	if s.end.Add(interval).Sub(now) < interval/2 {
		s.lag = interval / 2
	}
	return s
}

// intervals are those of a span.
func (s span) intervals() (all []usage.Interval) {
	for at := s.first; at.Before(s.end); at = at.Add(s.interval) {
		all = append(all, usage.Interval{Start: at, Length: s.interval})
	}
	return all
}

// site is an engine with what is scraped at a site, and a server that counts what it is asked.
type site struct {
	*worlds.Server
	t        *testing.T
	from, to time.Time // recorded
}

func newSite(t *testing.T, from, to time.Time) *site {
	t.Helper()
	e, err := engine.Open(engine.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{worlds.Serve(e, e.Handler()), t, from, to}
	t.Cleanup(func() {
		s.Close()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// again is one more server of the same engine.
func (s *site) again() *site {
	other := &site{worlds.Serve(s.Engine, s.Answers), s.t, s.from, s.to}
	s.t.Cleanup(other.Close)
	return other
}

type labels map[string]string

// of are labels and more of them.
func (l labels) of(more labels) labels {
	all := maps.Clone(l)
	maps.Copy(all, more)
	return all
}

// record has a series scraped each minute, at its first second. A moment for which shows is false
// has no sample, and ends the series if there was one before.
func (s *site) record(name string, l labels, value func(at time.Time) (v float64, shows bool)) {
	s.t.Helper()
	var samples []engine.Sample
	there := false
	for at := s.from; at.Before(s.to); at = at.Add(time.Minute) {
		v, shows := value(at)
		switch {
		case shows:
			samples = append(samples, engine.At(at, v))
		case there:
			samples = append(samples, engine.At(at, engine.Stale()))
		}
		there = shows
	}
	if err := s.Engine.Append(s.t.Context(), engine.NewSeries(l.of(labels{"__name__": name})), samples...); err != nil {
		s.t.Fatal(err)
	}
}

// always shows a value at all times.
func always(value func(at time.Time) float64) func(time.Time) (float64, bool) {
	return func(at time.Time) (float64, bool) { return value(at), true }
}

func constant(v float64) func(time.Time) (float64, bool) {
	return always(func(time.Time) float64 { return v })
}

// grows is a counter that has grown at a rate since a day before the records.
func (s *site) grows(perSecond float64) func(time.Time) float64 {
	begun := s.from.Add(-24 * time.Hour)
	return func(at time.Time) float64 { return perSecond * at.Sub(begun).Seconds() }
}

// host is a machine with node_exporter, each of whose threads is busy for a share of the time.
type host struct {
	labels   labels // those of all its series
	packages int
	threads  int // of each package
	busy     float64
	model    string // of its processors; empty: node_exporter does not say
}

func (h host) all() float64 { return float64(h.packages * h.threads) }

// cpu is its CPU time in some time.
func (h host) cpu(over time.Duration) usage.BusyIdle[float64] {
	all := h.all() * over.Seconds()
	return usage.BusyIdle[float64]{Busy: all * h.busy, Idle: all * (1 - h.busy)}
}

// run has a host scraped. shows is when; nil: at all times.
func (s *site) run(h host, shows func(time.Time) bool) {
	s.t.Helper()
	when := func(value func(time.Time) float64) func(time.Time) (float64, bool) {
		return func(at time.Time) (float64, bool) { return value(at), shows == nil || shows(at) }
	}
	for p := range h.packages {
		for n := range h.threads {
			cpu := labels{"cpu": strconv.Itoa(p*h.threads + n)}
			for mode, share := range map[string]float64{"user": h.busy * 0.75, "system": h.busy * 0.25, "idle": 1 - h.busy} {
				s.record("node_cpu_seconds_total", h.labels.of(cpu).of(labels{"mode": mode}), when(s.grows(share)))
			}
		}
	}
	if h.model != "" {
		s.says(h, h.model, shows)
	}
}

// says has a host say what its processors are.
func (s *site) says(h host, model string, shows func(time.Time) bool) {
	s.t.Helper()
	for p := range h.packages {
		for n := range h.threads {
			s.record("node_cpu_info", h.labels.of(labels{
				"cpu": strconv.Itoa(p*h.threads + n), "package": strconv.Itoa(p), "core": strconv.Itoa(n / 2),
				"model_name": model, "vendor": "any", "family": "6", "stepping": "1",
			}), func(at time.Time) (float64, bool) { return 1, shows == nil || shows(at) })
		}
	}
}
