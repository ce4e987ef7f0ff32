// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Booted says when each host last booted, by its label, according to node_exporter. Hosts
// without that metric are left out.
func (c *Client) Booted(ctx context.Context, at time.Time) (map[string]time.Time, error) {
	at = at.Truncate(time.Second)
	boots := bootSink{at: map[string]time.Time{}, now: float64(at.Unix())}
	err := c.ask(ctx, grid{at, at, time.Minute}, c.Query.booted(), []string{c.Query.Labels.Host}, &boots)
	return boots.at, err
}

type bootSink struct {
	at   map[string]time.Time
	host string
	now  float64
}

// Series implements sink.
func (b *bootSink) Series(labels []string) error {
	b.host = usage.HostLabel(labels[0])
	return nil
}

// Point implements sink. A boot time in the future or before 1970 comes from a wrong clock.
func (b *bootSink) Point(_, v float64) {
	if b.host != "" && v > 0 && v <= b.now {
		b.at[b.host] = time.Unix(int64(v), 0).UTC()
	}
}

// Odd implements sink.
func (b *bootSink) Odd(float64) {}

// Histogram implements sink.
func (b *bootSink) Histogram() {}
