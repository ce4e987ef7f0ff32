// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"math"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Jobs returns how many of the series that are selected each job has now or, with a window, had in
// the time before now; nil where the operator wrote the queries.
func (c *Client) Jobs(ctx context.Context, now time.Time, window time.Duration) (map[string]int, error) {
	if c.Query.given() {
		return nil, nil
	}
	return c.numbers(ctx, now, c.Query.inJobs(window), "job")
}

// maxScraped is how many hosts Scrapes asks about: their scrape intervals are alike.
const maxScraped = 20

// Scrapes returns how many samples some of the hosts have in an interval; nil where the operator
// wrote the queries.
func (c *Client) Scrapes(ctx context.Context, i usage.Interval, hosts []string) (map[string]int, error) {
	if c.Query.given() || len(hosts) == 0 {
		return nil, nil
	}
	few := hosts
	if len(hosts) > maxScraped {
		few = make([]string, maxScraped)
		for n := range few {
			few[n] = hosts[n*len(hosts)/maxScraped]
		}
	}
	return c.numbers(ctx, i.End(), c.Query.scrapes(few, i.Length), c.Query.Labels.Host)
}

// Renamed lists the labels of our own metrics that the server has renamed, and reports whether it
// has these metrics at all.
func (c *Client) Renamed(ctx context.Context, now time.Time) (labels []string, has bool, err error) {
	for _, label := range []string{"project", "machine", "user", "group", "host"} {
		n, err := c.numbers(ctx, now, renamed(label), "")
		if err != nil {
			return nil, false, err
		}
		if n[""] > 0 {
			labels = append(labels, label)
		}
	}
	n, err := c.numbers(ctx, now, ours, "")
	return labels, n[""] > 0, err
}

// numbers returns the answer to a query that gives one whole number for each value of a label or,
// without a label, a single one.
func (c *Client) numbers(ctx context.Context, at time.Time, query, label string) (map[string]int, error) {
	s := &numberSink{by: map[string]int{}}
	err := c.ask(ctx, grid{at, at, time.Minute}, query, []string{label}, s)
	return s.by, err
}

// numberSink receives one number for each value of a label.
type numberSink struct {
	by  map[string]int
	now string
}

// Series implements sink.
func (s *numberSink) Series(labels []string) error {
	if len(s.by) >= maxHosts {
		return errTooManySeries()
	}
	s.now = usage.HostLabel(labels[0])
	return nil
}

// Point implements sink.
func (s *numberSink) Point(_, v float64) { s.by[s.now] = int(math.Round(v)) }

// Odd implements sink.
func (s *numberSink) Odd(float64) {}

// Histogram implements sink.
func (s *numberSink) Histogram() {}
