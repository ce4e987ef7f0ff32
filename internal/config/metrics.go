// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Metrics configures what /metrics shows.
type Metrics struct {
	Keep       model.Duration `yaml:"keep"`        // how long a key stays after its last usage
	By         []string       `yaml:"by"`          // the labels of usage; empty: none
	MaxSamples int            `yaml:"max_samples"` // from how many on there is a warning; 0: there is none
}

// The labels of usage by which it may be added up.
const (
	ByProject = "project"
	ByMachine = "machine"
	ByUser    = "user"
	ByGroup   = "group"
)

// ByAll are all labels of usage.
func ByAll() []string { return []string{ByProject, ByMachine, ByUser, ByGroup} }

// Fold returns the labels that metrics.by leaves out.
func (c *Config) Fold() usage.Fold {
	out := func(label string) bool { return !slices.Contains(c.Metrics.By, label) }
	return usage.Fold{Project: out(ByProject), Machine: out(ByMachine), User: out(ByUser), Group: out(ByGroup)}
}

func (c *Config) validateMetrics(f *faults) {
	if keep := time.Duration(c.Metrics.Keep); keep < time.Hour {
		f.key("metrics.keep", "must be at least 1h (0 does not mean for ever), is %s", c.Metrics.Keep)
	}
	if c.Metrics.By == nil {
		f.key("metrics.by", "is empty; write [] for metrics without any of the labels project, machine, user and group")
	}
	for i, label := range c.Metrics.By {
		switch {
		case !slices.Contains(ByAll(), label):
			f.key("metrics.by", "must be labels out of project, machine, user and group, has %q", label)
		case slices.Contains(c.Metrics.By[:i], label):
			f.key("metrics.by", "has %s twice", label)
		}
	}
	if c.Metrics.MaxSamples < 0 {
		f.key("metrics.max_samples", "must be 0 (no warning) or more, is %d", c.Metrics.MaxSamples)
	}
}
