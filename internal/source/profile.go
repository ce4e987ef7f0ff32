// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// profileStep is the resolution of a profile if the piece allows it, which is about the
	// usual scrape interval.
	profileStep = time.Minute
	// maxProfiled is how many hosts are named in one query, to bound the query's length.
	maxProfiled = 200
)

// Profiles returns how the CPU time of some series is spread over a piece, per minute. It
// queries only their hosts. Series that the server does not know are left out, and so are all
// series if the operator wrote the queries, which name no counter.
func (c *Client) Profiles(ctx context.Context, piece usage.Interval, series []usage.Series) (map[usage.Series]usage.Profile, error) {
	steps := int(piece.Length / profileStep)
	if c.Query.given() || steps < 2 {
		return nil, nil
	}
	p := &profiler{
		piece: piece, step: piece.Length / time.Duration(steps), steps: steps,
		counters: map[usage.Series]*busyIdleCounters{}, unit: c.Query.unit(),
	}
	var hosts []string
	for _, s := range series {
		if s.Host != usage.Unknown {
			hosts = append(hosts, s.Host)
		}
	}
	slices.Sort(hosts)
	for some := range inQueries(slices.Compact(hosts), maxProfiled) {
		if err := c.ask(ctx, grid{piece.Start, piece.End(), p.step}, c.Query.steps(some), append(c.Query.Labels.list(), partLabel), p); err != nil {
			return nil, err
		}
	}
	return p.profiles(series), nil
}

// profiler collects counters at the borders of the steps. It is a sink.
type profiler struct {
	piece    usage.Interval
	step     time.Duration
	steps    int
	unit     float64 // see Query.Unit
	counters map[usage.Series]*busyIdleCounters
	now      []float64 // of the current series
}

// busyIdleCounters are the counters of one series at steps+1 moments; NaN: unknown.
type busyIdleCounters struct{ busy, idle []float64 }

// Series implements sink.
func (p *profiler) Series(labels []string) error {
	p.now = nil
	part := labels[4]
	if part != partBusy && part != partIdle {
		return nil // not part of the answer
	}
	s := named(rawSeries(labels))
	both := p.counters[s]
	if both == nil {
		unknown := []float64{math.NaN()}
		both = &busyIdleCounters{busy: slices.Repeat(unknown, p.steps+1), idle: slices.Repeat(unknown, p.steps+1)}
		p.counters[s] = both
	}
	if p.now = both.busy; part == partIdle {
		p.now = both.idle
	}
	return nil
}

// Point implements sink.
func (p *profiler) Point(at, v float64) {
	i := math.Round((at - float64(p.piece.Start.Unix())) / p.step.Seconds())
	if i >= 0 && i < float64(len(p.now)) && v >= 0 && !math.IsInf(v, 0) {
		p.now[int(i)] = v * p.unit
	}
}

// Odd implements sink: that moment stays unknown.
func (p *profiler) Odd(float64) {}

// Histogram implements sink.
func (p *profiler) Histogram() {}

func (p *profiler) profiles(series []usage.Series) map[usage.Series]usage.Profile {
	all := map[usage.Series]usage.Profile{}
	for _, s := range series {
		both := p.counters[s]
		if both == nil {
			continue
		}
		profile := usage.Profile{Step: p.step, CPU: make([]usage.BusyIdle[usage.CPUSeconds], p.steps)}
		busy, idle := growth(both.busy), growth(both.idle)
		for i := range profile.CPU {
			profile.CPU[i] = usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(busy[i]), Idle: usage.CPUSeconds(idle[i])}
		}
		all[s] = profile
	}
	return all
}

// growth returns the growth of a counter from each moment to the next. A counter that fell was
// reset to 0. Where values are unknown it is taken to have grown evenly.
func growth(counter []float64) []float64 {
	grew := make([]float64, len(counter)-1)
	last := -1
	for i, v := range counter {
		if math.IsNaN(v) {
			continue
		}
		if last >= 0 {
			by := v - counter[last]
			if by < 0 {
				by = v
			}
			for j := last; j < i; j++ {
				grew[j] = by / float64(i-last)
			}
		}
		last = i
	}
	return grew
}
