// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package cloud puts the simulated cloud into Prometheus: it simulates scrapes. History and
// live data share one code path. It must not know what is queried later. Start with
// Recorder.Record.
package cloud

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Recorder scrapes a cloud into an engine.
type Recorder struct {
	// Sharp scrapes every address on the minute, and once more when a host ends, so that the
	// counters at the edges of intervals are the truth. Else each address has a phase of its
	// own, and an edge has the counters of up to a scrape interval before.
	Sharp bool

	cloud  *simulate.Cloud
	engine *engine.Engine
	every  time.Duration
	series map[*simulate.Host]*targetSeries
	count  atomic.Int64
}

// NewRecorder scrapes each address once in every; the hosts of simulate.Odd are made for a
// minute.
func NewRecorder(c *simulate.Cloud, e *engine.Engine, every time.Duration) *Recorder {
	r := &Recorder{cloud: c, engine: e, every: every, series: make(map[*simulate.Host]*targetSeries)}
	for _, h := range c.Hosts() {
		r.series[h] = &targetSeries{}
	}
	return r
}

// Samples returns the number of samples recorded.
func (r *Recorder) Samples() int64 { return r.count.Load() }

// Record appends every scrape of [from, to). Later calls must be for later times, and calls
// must not overlap.
func (r *Recorder) Record(ctx context.Context, from, to time.Time) error {
	addresses := make(chan []*simulate.Host)
	failed := make([]error, runtime.GOMAXPROCS(0))
	var workers sync.WaitGroup
	for n := range failed {
		workers.Go(func() {
			for hosts := range addresses {
				for _, h := range hosts {
					if failed[n] == nil {
						failed[n] = r.host(ctx, h, from, to)
					}
				}
			}
		})
	}
	for _, hosts := range r.byAddress() {
		addresses <- hosts
	}
	close(addresses)
	workers.Wait()
	return errors.Join(failed...)
}

// byAddress keeps the hosts of an address together: two without a user are one series, which
// only accepts samples in order of time.
func (r *Recorder) byAddress() [][]*simulate.Host {
	var addresses [][]*simulate.Host
	for _, h := range r.cloud.Hosts() {
		if n := len(addresses); n > 0 && addresses[n-1][0].Instance == h.Instance {
			addresses[n-1] = append(addresses[n-1], h)
		} else {
			addresses = append(addresses, []*simulate.Host{h})
		}
	}
	return addresses
}

// host appends the scrapes of one host in [from, to) while it lives, and the marker that ends
// its series at the first scrape after its life.
func (r *Recorder) host(ctx context.Context, h *simulate.Host, from, to time.Time) error {
	var scrapes []time.Time
	gone := r.scrapeFrom(h, h.End)
	if r.Sharp {
		gone = r.scrapeFrom(h, h.End.Add(1))
	}
	for at := r.scrapeFrom(h, usage.Later(from, h.Begin)); at.Before(to) && at.Before(gone); at = at.Add(r.every) {
		if h.Scraped(usage.Earlier(at, h.End.Add(-time.Millisecond))) {
			scrapes = append(scrapes, at)
		}
	}
	ends := !gone.Before(from) && gone.Before(to)
	if len(scrapes) == 0 && !ends {
		return nil
	}
	samples := make([]engine.Sample, 0, len(scrapes)+1)
	write := func(s *engine.Series, value func(time.Time) float64) error {
		samples = samples[:0]
		for _, at := range scrapes {
			samples = append(samples, engine.At(at, value(at)))
		}
		if ends {
			samples = append(samples, engine.At(gone, engine.Stale()))
		}
		r.count.Add(int64(len(samples)))
		return r.engine.Append(ctx, s, samples...)
	}
	series := r.series[h].of(h)
	if err := write(series.up, func(time.Time) float64 { return 1 }); err != nil {
		return err
	}
	for cpu, modes := range series.cpu {
		for mode, s := range modes {
			if err := write(s, func(at time.Time) float64 {
				if at.Before(h.End) {
					seconds, _ := h.Counter(cpu, simulate.CPUMode(mode), at) // it is alive
					return seconds
				}
				// Of its last second, the rate is constant.
				before, _ := h.Counter(cpu, simulate.CPUMode(mode), h.End.Add(-time.Second))
				half, _ := h.Counter(cpu, simulate.CPUMode(mode), h.End.Add(-time.Second/2))
				return before + 2*(half-before)
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// scrapeFrom returns the first scrape of the host's address at or after t.
func (r *Recorder) scrapeFrom(h *simulate.Host, t time.Time) time.Time {
	at := usage.FloorEpoch(t, r.every)
	if !r.Sharp {
		at = at.Add(h.Phase(r.every))
	}
	if at.Before(t) {
		at = at.Add(r.every)
	}
	return at
}

// targetSeries are the series of one host, created when first needed.
type targetSeries struct {
	up  *engine.Series
	cpu [][]*engine.Series // by core and simulate.CPUMode
}

func (t *targetSeries) of(h *simulate.Host) *targetSeries {
	if t.up != nil {
		return t
	}
	target := map[string]string{
		"job": "node", "instance": h.Instance,
		"cloud_project_name": h.Project, "machine_name": h.Machine, "user": h.User,
	}
	named := func(name string, more map[string]string) *engine.Series {
		l := maps.Clone(target)
		l["__name__"] = name
		maps.Copy(l, more)
		return engine.NewSeries(l)
	}
	t.up = named("up", nil)
	for cpu := range h.Cores {
		var modes []*engine.Series
		for _, mode := range simulate.CPUModes() {
			modes = append(modes, named("node_cpu_seconds_total",
				map[string]string{"cpu": strconv.Itoa(cpu), "mode": mode.String()}))
		}
		t.cpu = append(t.cpu, modes)
	}
	return t
}
