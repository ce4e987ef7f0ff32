// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/doctor"
)

// settings reads the configuration; nil: it cannot be used. A file that it names and that is bad
// concerns one upstream, and the others are asked all the same.
func (x *examine) settings() (*config.Config, []doctor.Finding) {
	cfg, err := x.site.config()
	if err != nil {
		return nil, doctor.BadConfig(err.Error())
	}
	// No question may take longer than its time here.
	cfg.Prometheus.Timeout = min(cfg.Prometheus.Timeout, durationOf(eachQuestion))
	if cfg.MongoDB != nil {
		cfg.MongoDB.Timeout = min(cfg.MongoDB.Timeout, durationOf(eachQuestion))
	}
	if err := parts.Check(cfg); err != nil {
		return cfg, doctor.BadConfig(err.Error())
	}
	_, err = os.Stat(x.configFile)
	return cfg, []doctor.Finding{doctor.GoodConfig(x.configFile, !errors.Is(err, fs.ErrNotExist))}
}

// config checks what only the upstreams and the store can tell: names that nobody has. It is
// called when they were asked.
func (e *examination) config(context.Context) []doctor.Finding {
	var all []doctor.Finding
	if e.web != "" {
		fault := ""
		if err := parts.CheckWebConfig(e.web); err != nil {
			fault = strings.TrimPrefix(err.Error(), "--web.config.file: ")
		}
		all = append(all, doctor.WebConfig(e.web, fault))
	}
	lacking := slices.DeleteFunc(config.ByAll(), func(label string) bool { return slices.Contains(e.cfg.Metrics.By, label) })
	all = append(all, doctor.Lacking(lacking)...)
	if e.machines != nil {
		var projects []string
		for _, g := range e.cfg.Attribution.Groups {
			projects = append(projects, g.Projects...)
		}
		all = append(all, doctor.Strange(projects, slices.Collect(maps.Keys(e.cfg.Power.Machines)), e.machines)...)
	}
	if e.seen == nil {
		return all
	}
	var targets []doctor.Target
	for _, b := range parts.Budgets(e.cfg) {
		targets = append(targets, doctor.Target{Budget: b.Name, Scope: b.Scope, Name: b.Target})
	}
	return append(all, doctor.Budgets(targets, e.seen)...)
}
