// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"net/url"
	"slices"
	"time"

	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// Default is the configuration of an empty file. Each call returns new values, so that no caller
// can change another's.
func Default() Config {
	c := defaults()
	c.fit(func(string) bool { return false })
	return c
}

// defaults are those that do not depend on what a file says; fit has the others.
func defaults() Config {
	return Config{
		Interval:    model.Duration(30 * time.Minute),
		Lookback:    model.Duration(24 * time.Hour),
		SettleAfter: model.Duration(24 * time.Hour),
		Prometheus: Prometheus{
			Profile:     DefaultProfile,
			URL:         config.URL{URL: &url.URL{Scheme: "http", Host: "localhost:9090"}},
			Timeout:     model.Duration(2 * time.Minute),
			Lag:         model.Duration(2 * time.Minute),
			RereadAfter: model.Duration(3 * time.Hour),
			// What Prometheus itself allows, unless it is told otherwise (--query.max-samples).
			MaxSamplesPerQuery: 50_000_000,

			Metric: "node_cpu_seconds_total",
			Unit:   "s",
			Labels: Labels{
				Project: "cloud_project_name", Machine: "machine_name", Host: "instance", User: "user",
				CPU: "cpu", Mode: "mode",
			},
			BusyModes:  []string{"user", "nice", "system", "irq", "softirq"},
			IdleModes:  []string{"idle", "iowait"},
			OtherModes: []string{"steal", "guest", "guest_nice"},
			Shares:     Shares{Unit: "s"},
			Processors: Processors{
				Query:  "node_cpu_info",
				Labels: ProcessorLabels{Model: "model_name", Package: "package"},
			},
			Memory:           Memory{Query: "node_memory_MemTotal_bytes"},
			HTTPClientConfig: config.DefaultHTTPClientConfig,
		},
		// The watts are those of internal/processor for a server of which nothing is known.
		Power:           Power{BusyWatts: 3.3, IdleWatts: 0.65, PUE: PUE{Ratio: 1}, CPUModels: CPUModelsAuto, Calibrate: CalibrateOff},
		CarbonIntensity: CarbonIntensity{Provider: ProviderUK, UK: defaultUK()},
		Attribution:     Attribution{GroupBy: GroupByProject, UserLabel: UserLabelID},
		Timezone:        "Europe/London",
		Metrics:         Metrics{Keep: model.Duration(40 * 24 * time.Hour), By: ByAll(), MaxSamples: 500_000},
	}
}

// fit adapts the defaults of keys that are not in the file to the keys that are: a default must
// not be at odds with what somebody wrote.
func (c *Config) fit(inFile func(path string) bool) {
	p := &c.Prometheus
	if !inFile("prometheus.reread_after") && !c.rereads() {
		// Halfway between what it must be between.
		p.RereadAfter = model.Duration(time.Duration(p.Lag + (c.SettleAfter-p.Lag)/2).Truncate(time.Second))
		if !c.rereads() {
			p.RereadAfter = 0
		}
	}
	p.Processors.Labels.Host = cmp.Or(p.Processors.Labels.Host, p.Labels.Host)
	p.Memory.Labels.Host = cmp.Or(p.Memory.Labels.Host, p.Labels.Host)
	c.Power.fit(p.Labels.Host)
	c.Embodied.fit()
	c.CarbonIntensity.fit()
	if c.Directory != nil && !inFile("directory.refresh") {
		c.Directory.Refresh = c.Directory.defaultRefresh()
	}
	if !inFile("prometheus.other_modes") {
		p.OtherModes = slices.DeleteFunc(p.OtherModes, func(mode string) bool {
			return slices.Contains(p.BusyModes, mode) || slices.Contains(p.IdleModes, mode)
		})
	}
}

// defaultMongoDB has the defaults of a mongodb section. It is separate from Default because
// without a section there is no MongoDB at all.
func defaultMongoDB() MongoDB {
	return MongoDB{
		Database:    "ada",
		Collections: Collections{Workspaces: "workspaces", Users: "users", Groups: "groups", Hosts: "hosts"},
		Fields: Fields{
			Workspaces: WorkspaceFields{
				Hostname: "hostname", Owner: "owner",
				CreatedTime: "created_time", AcquiredTime: "acquired_time", DeletedTime: "deleted_time",
			},
			Users:  UserFields{PlatformName: "platform_name", Name: "name"},
			Groups: GroupFields{Name: "name", Members: "members"},
			Hosts:  HostFields{Hostname: "hostname", Project: "cloud_project_name", Machine: "machine_name"},
		},
		Refresh: model.Duration(5 * time.Minute),
		Timeout: model.Duration(10 * time.Second),
	}
}

// UnmarshalYAML sets the section's defaults first.
func (m *MongoDB) UnmarshalYAML(section *yaml.Node) error {
	*m = defaultMongoDB()
	type plain MongoDB
	return section.Decode((*plain)(m))
}
