// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
)

// Series is one series that is scraped.
type Series struct {
	Labels map[string]string // with __name__
	Shown  Span              // always, if it is empty
	Value  func(at time.Duration) float64
	// Silent series end without the mark that Prometheus sets when a target no longer shows
	// them: they were pushed.
	Silent bool
}

// labels are pairs of a name and a value. An empty value is no label.
func labels(name string, pairs ...string) map[string]string {
	all := map[string]string{"__name__": name}
	for i := 0; i+1 < len(pairs); i += 2 {
		all[pairs[i]] = pairs[i+1]
	}
	return all
}

// with returns labels and some more.
func with(l map[string]string, pairs ...string) map[string]string {
	all := maps.Clone(l)
	for i := 0; i+1 < len(pairs); i += 2 {
		all[pairs[i]] = pairs[i+1]
	}
	return all
}

// constant is a gauge that stands still.
func constant(v float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return v }
}

// counter is a counter that began at 0 at a time.
func counter(since time.Duration, paces ...Pace) func(time.Duration) float64 {
	return func(at time.Duration) float64 { return grown(paces, Span{since, max(at, since)}) }
}

// steady is a counter that has grown at one pace since long before the history.
func steady(rate float64) func(time.Duration) float64 {
	return counter(always.From, busy(rate)...)
}

// Record appends to an engine what is scraped of a site.
func (s *Site) Record(ctx context.Context, e *engine.Engine) error {
	known := map[string]bool{}
	for _, series := range s.Series {
		key := fmt.Sprint(series.Labels, series.Shown)
		if known[key] {
			return fmt.Errorf("two series are %v", series.Labels)
		}
		known[key] = true
		if err := e.Append(ctx, engine.NewSeries(series.Labels), s.samples(series)...); err != nil {
			return err
		}
	}
	return nil
}

func (s *Site) samples(series Series) (samples []engine.Sample) {
	shown := series.Shown
	if shown == (Span{}) {
		shown = always
	}
	there := false
	for at := History.From + s.offset(series); at <= History.To; at += s.every() {
		missing := (s.HoleOf == "" || s.HoleOf == series.Labels["job"]) && slices.ContainsFunc(s.Holes, func(h Span) bool { return h.holds(at) })
		switch {
		case shown.holds(at) && !missing:
			samples = append(samples, engine.At(Noon.Add(at), series.Value(at)))
			there = true
		case there && !series.Silent:
			samples = append(samples, engine.At(Noon.Add(at), engine.Stale()))
			there = false
		}
	}
	return samples
}

// offset is when a target is scraped first: those of one target come together.
func (s *Site) offset(series Series) time.Duration {
	if !s.Unaligned {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(series.Labels["job"] + series.Labels["instance"])) // never fails
	return time.Duration(h.Sum64() % uint64(s.every())).Truncate(time.Millisecond)
}

// gauge is a gauge that has the rate of a pace while it lasts, and otherwise a value.
func gauge(otherwise float64, paces ...Pace) func(time.Duration) float64 {
	return func(at time.Duration) float64 {
		for _, p := range paces {
			if p.holds(at) {
				return p.Rate
			}
		}
		return otherwise
	}
}
