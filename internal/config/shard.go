// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"slices"

	"github.com/prometheus/common/config"
)

// Differs returns the keys in which the configurations of two shards of a site differ and must
// not, since the sum of the shards would hold two different things. What chooses the shard's part
// may differ, and what is its own: how it connects, its limits and budgets, what it compares.
func (c *Config) Differs(from *Config) []string {
	one, other := c.common(), from.common()
	return Changes(&one, &other)
}

// common is a copy without what may differ.
func (c *Config) common() Config {
	one := *c
	p := &one.Prometheus
	p.Matchers, p.Shares.Matchers = "", ""
	p.BusyQuery, p.IdleQuery, p.CoresQuery = "", "", ""
	p.Fallback.BusyQuery, p.Fallback.IdleQuery, p.Fallback.CoresQuery = "", "", ""
	p.Timeout, p.MaxSamplesPerQuery, p.HTTPClientConfig = 0, 0, config.HTTPClientConfig{}
	one.Power.Reconcile = nil
	one.Power.Measured = slices.Clone(one.Power.Measured)
	for i := range one.Power.Measured {
		one.Power.Measured[i].Query = ""
	}
	one.Power.Devices = slices.Clone(one.Power.Devices)
	for i := range one.Power.Devices {
		one.Power.Devices[i].Query = ""
	}
	one.Attribution.PseudonymKeyFile = ""
	one.Lookback, one.Budgets, one.Metrics, one.Lake = 0, nil, Metrics{}, nil
	if c.MongoDB != nil {
		m := *c.MongoDB
		m.URI, m.URIFile, m.UsageDatabase, m.Timeout, m.Refresh = "", "", "", 0, 0
		one.MongoDB = &m
	}
	if c.Directory != nil {
		d := *c.Directory
		d.Refresh = 0
		if d.Prometheus != nil {
			server := *d.Prometheus
			server.HTTPClientConfig = config.HTTPClientConfig{}
			d.Prometheus = &server
		}
		one.Directory = &d
	}
	return one
}
