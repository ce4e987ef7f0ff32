// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"cmp"
	"fmt"
	"time"

	"github.com/prometheus/common/version"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// maxAnswerBytes bounds one answer of Prometheus, decoded. A day of 100 000 series needs a seventh
// of it. It is read as a stream and never held in memory.
const maxAnswerBytes = 1 << 30

// Source returns Prometheus alone, for who needs nothing else. turns are shared with others that
// ask it; nil: nobody does.
func Source(c config.Prometheus, turns *upstream.Turns) (*source.Client, error) {
	client, err := newSource(c, turns)
	if err != nil {
		return nil, fmt.Errorf("prometheus: %w", err)
	}
	return client, nil
}

func newSource(c config.Prometheus, turns *upstream.Turns) (*source.Client, error) {
	client, err := upstream.NewHTTPClient(c.HTTPClientConfig, usage.SourcePrometheus)
	if err != nil {
		return nil, err
	}
	client.Transport = guard(client.Transport, (&config.Config{Prometheus: c}).Files())
	return &source.Client{
		Upstream: &upstream.Client{HTTP: client, UserAgent: userAgent(), Timeout: time.Duration(c.Timeout), MaxBytes: maxAnswerBytes, Scrubber: upstream.NewScrubber(c), Turns: turns},
		URL:      c.URL.URL, MaxSamples: c.MaxSamplesPerQuery,
		Query: source.Query{
			Metric: c.Metric, Matchers: c.Matchers,
			Labels: source.Labels{
				Project: c.Labels.Project, Machine: c.Labels.Machine, Host: c.Labels.Host, User: c.Labels.User,
				CPU: c.Labels.CPU, Mode: c.Labels.Mode,
			},
			BusyModes: c.BusyModes, IdleModes: c.IdleModes, OtherModes: c.OtherModes,
			BusyQuery: c.BusyQuery, IdleQuery: c.IdleQuery, CoresQuery: c.CoresQuery,
			Fallback: fallback(c), Unit: secondsIn[c.Unit], Info: infos(c.Info), Shares: shares(c.Shares),
		},
	}, nil
}

// secondsIn are units of time as the configuration names them.
var secondsIn = map[string]float64{"s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}

func infos(all []config.Info) []source.Info {
	var made []source.Info
	for _, i := range all {
		made = append(made, source.Info{
			Query: i.Query, On: i.By, Project: i.Labels.Project, Machine: i.Labels.Machine, User: i.Labels.User, Alias: i.Labels.Alias,
		})
	}
	return made
}

// fallback returns nil if there is none.
func fallback(c config.Prometheus) *source.Fallback {
	f := c.Fallback
	if f.BusyQuery == "" {
		return nil
	}
	return &source.Fallback{BusyQuery: f.BusyQuery, IdleQuery: f.IdleQuery, CoresQuery: f.CoresQuery, Host: cmp.Or(f.Host, c.Labels.Host)}
}

// shares returns nil if there are none.
func shares(c config.Shares) *source.Shares {
	if c.Metric == "" {
		return nil
	}
	return &source.Shares{
		Metric: c.Metric, Matchers: c.Matchers, Unit: secondsIn[c.Unit],
		Project: c.Labels.Project, User: c.Labels.User, Hosts: c.Labels.Host,
		Each: c.Each, CoresQuery: c.CoresQuery, Info: infos(c.Info),
	}
}

func userAgent() string {
	if version.Version == "" {
		return "carbon_exporter/unreleased" // built without the release's flags
	}
	return "carbon_exporter/" + version.Version
}
