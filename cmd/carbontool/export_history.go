package main

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/spool"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// history is what is read of the record in the order of time, to be written in that
// of series. Much of it is on disk.
type history struct {
	x     *exported
	keep  time.Duration // a key without usage for so long is not shown
	every time.Duration // how often a sample is repeated; 0: not at all
	user  func(id string) string

	from time.Time   // end of the last interval before the period: where usage begins
	to   time.Time   // end of the last interval that can be in it
	ends []time.Time // of the intervals

	usage    collected[usage.Key] // busy and idle: CPU seconds, kWh, grams, NaN while unpriced
	before   map[usage.Key]*before
	coverage collected[string] // by project
	power    collected[rated]  // busy and idle watts
	pue      []float64         // by interval; NaN: not known
}

// before is what a series had before the period.
type before struct {
	last   time.Time
	sums   [6]usage.Sum
	priced bool
}

// rated is a machine type and where its watts come from.
type rated struct{ machine, source string }

// collected are rows by what they are of.
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
	if h.usage, err = newCollected[usage.Key](6); err != nil {
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

// shown is a key as it appears: keys of people who are not told apart are one.
func (h *history) shown(k usage.Key) usage.Key {
	return usage.Key{Project: valid(k.Project), Machine: valid(k.Machine), User: valid(h.user(k.User)), Group: valid(k.Group)}
}

// valid is text as a label may have it.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// begin takes what was used before the period.
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
		for i, v := range [...]float64{
			float64(t.CPU.Busy), float64(t.CPU.Idle), float64(t.Energy.Busy), float64(t.Energy.Idle),
			float64(t.Emissions.Busy), float64(t.Emissions.Idle),
		} {
			b.sums[i].Add(v)
		}
	}
	return nil
}

// add takes the next interval.
func (h *history) add(rec usage.Record) error {
	at := uint32(len(h.ends))
	h.ends = append(h.ends, rec.Interval.End())
	for k, sums := range h.added(rec) {
		var v [6]float64
		for i := range sums {
			v[i] = sums[i].Float64()
		}
		if len(rec.Prices) == 0 {
			v[4], v[5] = math.NaN(), math.NaN()
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
	if pue == 0 {
		pue = math.NaN()
	}
	h.pue = append(h.pue, pue)
	return nil
}

// added adds an interval up by key, exactly.
func (h *history) added(rec usage.Record) map[usage.Key]*[6]usage.Sum {
	all := make(map[usage.Key]*[6]usage.Sum, len(rec.Facts))
	for _, f := range rec.Facts {
		k := h.shown(f.Key)
		sums := all[k]
		if sums == nil {
			sums = &[6]usage.Sum{}
			all[k] = sums
		}
		sums[0].Add(float64(f.CPU.Busy))
		sums[1].Add(float64(f.CPU.Idle))
		sums[2].Add(float64(f.Energy.Busy))
		sums[3].Add(float64(f.Energy.Idle))
		if p := priceOf(rec, f.Start); p != nil {
			sums[4].Add(float64(f.Energy.Busy.At(p.Intensity)))
			sums[5].Add(float64(f.Energy.Idle.At(p.Intensity)))
		}
	}
	return all
}
