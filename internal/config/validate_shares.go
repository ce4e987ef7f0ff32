// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"
	"strings"
)

// units are the units that counters of CPU time have.
var units = []string{"s", "ms", "us", "ns"}

func validateUnit(f *faults, path, unit string) {
	if !slices.Contains(units, unit) {
		f.key(path, "must be one of %s, is %q", strings.Join(units, ", "), unit)
	}
}

// validateInfo checks queries that say more of something that is known by the labels in common.
// Without common labels any may be named.
func validateInfo(f *faults, path string, all []Info, common []string, shares bool) {
	for i, info := range all {
		at := fmt.Sprintf("%s[%d]", path, i)
		if strings.TrimSpace(info.Query) == "" {
			f.key(at+".query", "must not be empty")
		}
		for j, name := range info.By {
			on := fmt.Sprintf("%s.by[%d]", at, j)
			switch {
			case !isLabel(name):
				f.key(on, "must be a label name, is %q", name)
			case !shares && !slices.Contains(common, name):
				f.key(on, "must be the host label %q, is %q", common[0], name)
			}
		}
		if shares && len(info.By) == 0 {
			f.key(at+".by", "must name the labels that the query and the shares have in common")
		}
		says := false
		for _, label := range []struct{ part, name string }{
			{"project", info.Labels.Project}, {"machine", info.Labels.Machine}, {"user", info.Labels.User}, {"alias", info.Labels.Alias},
		} {
			switch {
			case label.name == "":
			case shares && (label.part == "machine" || label.part == "alias"):
				f.key(at+".labels."+label.part, "must be left out: a share has the machine type of its machine")
			case !isLabel(label.name):
				f.key(at+".labels."+label.part, "must be a label name, is %q", label.name)
			default:
				says = true
			}
		}
		if !says {
			f.key(at+".labels", "must name at least one label")
		}
	}
}

func (s *Shares) validate(f *faults) {
	if s.Metric == "" {
		return
	}
	if !isMetric(s.Metric) {
		f.key("prometheus.shares.metric", "must be a metric name such as container_cpu_usage_seconds_total, is %q", s.Metric)
	}
	if fault := matchersFault(s.Matchers); fault != "" {
		f.key("prometheus.shares.matchers", "%s", fault)
	}
	validateUnit(f, "prometheus.shares.unit", s.Unit)
	for _, label := range []struct{ part, name string }{{"project", s.Labels.Project}, {"user", s.Labels.User}} {
		if !isLabel(label.name) {
			f.key("prometheus.shares.labels."+label.part, "must be a label name such as namespace, is %q", label.name)
		}
	}
	if len(s.Labels.Host) == 0 {
		f.key("prometheus.shares.labels.host", "must name the labels by which shares name their machine, such as [node, instance]")
	}
	for i, name := range s.Labels.Host {
		if !isLabel(name) {
			f.key(fmt.Sprintf("prometheus.shares.labels.host[%d]", i), "must be a label name, is %q", name)
		}
	}
	for i, name := range s.Each {
		if !isLabel(name) {
			f.key(fmt.Sprintf("prometheus.shares.each[%d]", i), "must be a label name, is %q", name)
		}
	}
	validateInfo(f, "prometheus.shares.info", s.Info, nil, true)
}
