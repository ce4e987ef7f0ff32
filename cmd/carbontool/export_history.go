// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/spool"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// history is read from the store in order of time and written in order of series. Most
// of it is on disk.
type history struct {
	x     *exported
	keep  time.Duration // keys without usage for this long are not shown
	every time.Duration // how often a sample is repeated; 0: never
	user  func(id string) string

	from time.Time   // end of the last interval before the period
	to   time.Time   // end of the last interval that can be in the period
	ends []time.Time // of the intervals

	usage    collected[usage.Key] // by column
	before   map[usage.Key]*before
	coverage collected[string] // by project
	power    collected[rated]  // busy and idle watts
	pue      []float64         // by interval; NaN: unknown
}

// before is the usage of a series before the period.
type before struct {
	last    time.Time
	sums    sums
	priced  bool
	devices bool // whether any of it was measured
}

// rated is a machine type and where its watts come from.
type rated struct{ machine, source string }

// collected holds rows by series.
type collected[K comparable] struct {
	*spool.Spool
	series map[K]int
}

func newCollected[K comparable](width int) (collected[K], error) {
	s, err := spool.New(width)
	return collected[K]{s, map[K]int{}}, err
}

func (c *collected[K]) number(k K) int {
	n, ok := c.series[k]
	if !ok {
		n = len(c.series)
		c.series[k] = n
	}
	return n
}

func newHistory(x *exported, keep, every time.Duration, user func(string) string) (h *history, err error) {
	h = &history{
		x: x, keep: keep, every: every, user: user, from: x.ceil(x.period.From), to: x.ceil(x.period.To), before: map[usage.Key]*before{},
	}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	if h.usage, err = newCollected[usage.Key](int(columns)); err != nil {
		return nil, err
	}
	if h.coverage, err = newCollected[string](1); err != nil {
		return nil, err
	}
	h.power, err = newCollected[rated](2)
	return h, err
}

func (h *history) close() error {
	var errs []error
	for _, s := range []*spool.Spool{h.usage.Spool, h.coverage.Spool, h.power.Spool} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// shown returns a key as /metrics shows it: keys of users that are shown as one are merged.
func (h *history) shown(k usage.Key) usage.Key {
	return usage.Key{Project: valid(k.Project), Machine: valid(k.Machine), User: valid(h.user(k.User)), Group: valid(k.Group)}
}

// valid returns text that is valid in a label.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// begin takes the usage before the period.
func (h *history) begin(totals []usage.Total) error {
	for _, t := range totals {
		k := h.shown(t.Key)
		b := h.before[k]
		if b == nil {
			b = &before{}
			h.before[k] = b
			h.usage.number(k)
		}
		if t.Last.After(b.last) {
			b.last = t.Last
		}
		b.priced = b.priced || t.Priced
		b.devices = b.devices || t.Energy.Measured != 0
		b.sums.add(t.CPU, t.Energy)
		b.sums.emit(t.Emissions)
	}
	return nil
}

// add takes the next interval.
func (h *history) add(rec usage.Record) error {
	at := uint32(len(h.ends))
	h.ends = append(h.ends, rec.Interval.End())
	for k, sum := range h.added(rec) {
		var v amounts
		for i := range sum {
			v[i] = sum[i].Float64()
		}
		if len(rec.Prices) == 0 {
			v[busyGrams], v[idleGrams], v[measuredGrams] = math.NaN(), math.NaN(), math.NaN()
		}
		if err := h.usage.Add(h.usage.number(k), at, v[:]...); err != nil {
			return err
		}
	}
	for project, c := range rec.Coverage {
		if c.Capacity <= 0 {
			continue
		}
		if err := h.coverage.Add(h.coverage.number(valid(project)), at, float64(c.Seen/c.Capacity)); err != nil {
			return err
		}
	}
	for _, r := range rec.Ratings {
		if err := h.power.Add(h.power.number(rated{valid(r.Machine), valid(r.Source)}), at, float64(r.Watts.Busy), float64(r.Watts.Idle)); err != nil {
			return err
		}
	}
	pue := rec.PUE
	if n := len(rec.PUEs); n > 0 { // at its end, as on /metrics
		pue = rec.PUEs[n-1]
	}
	if pue == 0 {
		pue = math.NaN()
	}
	h.pue = append(h.pue, pue)
	return nil
}

// added adds up an interval by key, exactly.
func (h *history) added(rec usage.Record) map[usage.Key]*sums {
	all := make(map[usage.Key]*sums, len(rec.Facts))
	for _, f := range rec.Facts {
		k := h.shown(f.Key)
		s := all[k]
		if s == nil {
			s = &sums{}
			all[k] = s
		}
		s.add(f.CPU, f.Energy)
		if p := priceOf(rec, f.Start); p != nil {
			s.emit(usage.EmissionsAt(f.Energy, p.Intensity))
		}
	}
	return all
}

func (s *sums) add(cpu usage.BusyIdle[usage.CPUSeconds], energy usage.ByMode[usage.KWh]) {
	s[busyCPU].Add(float64(cpu.Busy))
	s[idleCPU].Add(float64(cpu.Idle))
	s[busyEnergy].Add(float64(energy.Busy))
	s[idleEnergy].Add(float64(energy.Idle))
	s[measuredEnergy].Add(float64(energy.Measured))
}

func (s *sums) emit(grams usage.ByMode[usage.Grams]) {
	s[busyGrams].Add(float64(grams.Busy))
	s[idleGrams].Add(float64(grams.Idle))
	s[measuredGrams].Add(float64(grams.Measured))
}
