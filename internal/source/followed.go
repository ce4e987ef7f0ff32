// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// UsageQueries returns the queries by which a person can follow the CPU seconds of an interval:
// the growth of both counters between its edges or, of queries of the operator, their value at
// its end.
func (c *Client) UsageQueries(i usage.Interval) usage.Queries {
	window := c.windows([]usage.Interval{i})[0].Length
	switch q := c.Query; {
	case q.Shares != nil:
		return usage.Queries{
			Busy: multiplied(q.Shares.growth(window, lately, ""), q.Shares.unit()),
			Idle: "what is reserved - busy; reserved: " + q.Shares.reserved(window),
		}
	case !q.given() && q.Labels.Mode == "":
		return usage.Queries{Busy: q.growthOf(nil), Idle: "cores x time - busy; cores: " + q.cores(window, nil), Growth: true}
	case !q.given():
		return usage.Queries{Busy: q.growthOf(q.BusyModes), Idle: q.growthOf(q.IdleModes), Growth: true}
	case q.IdleQuery == "":
		return usage.Queries{Busy: q.busy(window), Idle: "cores x time - busy; cores: " + q.cores(window, nil)}
	}
	return usage.Queries{Busy: c.Query.busy(window), Idle: c.Query.idle(window)}
}

// Queries returns all queries that Read sends for an interval in the usual case.
func (c *Client) Queries(i usage.Interval) []string {
	window := c.windows([]usage.Interval{i})[0].Length
	var all []string
	switch {
	case !c.Query.given():
		all = []string{c.Query.counters(nil), c.Query.cores(window, nil), c.Query.times(nil)}
		for _, i := range c.Query.Info {
			all = append(all, i.query(i.common([]string{c.Query.Labels.Host}), window))
		}
		if c.Query.Shares != nil {
			all = append(all, c.Query.Shares.queries(window)...)
		}
		return all
	case c.Query.IdleQuery != "":
		all = []string{c.Query.busy(window), c.Query.idle(window)}
	default:
		all = []string{c.Query.busy(window)}
	}
	if c.Query.CoresQuery != "" {
		all = append(all, c.Query.cores(window, nil))
	}
	return all
}
