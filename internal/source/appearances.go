// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// maxAppearances bounds the combinations of labels of one answer.
const maxAppearances = 1_000_000

// appearanceChunk is the most evaluations of one query about appearances.
const appearanceChunk = 120

// Appearances returns which values some labels of a metric had in [from, to], at every step
// since the epoch, and when. A label that a series lacks is "". It returns all or nothing.
func (c *Client) Appearances(ctx context.Context, metric, matchers string, labels []string, from, to time.Time, step time.Duration) ([]usage.Appearance, error) {
	query := fmt.Sprintf("max by (%s) (%s)", listed(labels...), selectorOf(metric, matchers))
	s := &appearanceSink{step: step, numbers: map[string]int{}}
	from, to = from.Truncate(step), to.Truncate(step)
	for !from.After(to) {
		last := from.Add((appearanceChunk - 1) * step)
		if last.After(to) {
			last = to
		}
		if err := c.ask(ctx, grid{from, last, step}, query, labels, s); err != nil {
			return nil, err
		}
		from = last.Add(step)
	}
	return s.all, nil
}

// appearanceSink joins what answers about adjacent times say.
type appearanceSink struct {
	step    time.Duration
	numbers map[string]int // by the values of the labels
	all     []usage.Appearance
	current int
}

// Series implements sink.
func (s *appearanceSink) Series(labels []string) error {
	key := strings.Join(labels, "\xff")
	n, ok := s.numbers[key]
	if !ok {
		if n = len(s.all); n == maxAppearances {
			return &usage.Failure{Reason: usage.ReasonLimit, Detail: fmt.Sprintf("the metric has more than %d combinations of labels, the limit", maxAppearances)}
		}
		s.numbers[key] = n
		s.all = append(s.all, usage.Appearance{Values: append([]string(nil), labels...)})
	}
	s.current = n
	return nil
}

// Point implements sink. The value of an info metric says nothing.
func (s *appearanceSink) Point(at, _ float64) {
	if math.IsNaN(at) {
		return
	}
	t, a := atSeconds(at), &s.all[s.current]
	if n := len(a.Runs); n > 0 {
		switch last := &a.Runs[n-1]; {
		case !t.After(last.Last):
			return
		case t.Sub(last.Last) <= s.step:
			last.Last = t
			return
		}
	}
	a.Runs = append(a.Runs, usage.Run{First: t, Last: t})
}

// Odd implements sink.
func (s *appearanceSink) Odd(at float64) { s.Point(at, 0) }

// Histogram implements sink: one has labels, too, but no moment that can be read.
func (s *appearanceSink) Histogram() {}
