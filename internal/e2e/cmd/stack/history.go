// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/rehearsal"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// history creates the past of the stack: the exporter runs through it in simulated time, and
// what a Prometheus would have scraped is there when the real one starts.
func (p *programs) history(ctx context.Context) error {
	fmt.Fprintf(p.out, "Simulating %d days ...\n", p.days)
	rules, err := filepath.Glob(filepath.Join(p.examples, "..", "prometheus", "rules", "carbon*.yml"))
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	from := p.begin(now)
	return rehearsal.Rehearsal{
		Bin: p.bin, Dir: p.data, Config: filepath.Join(p.examples, "carbon.yml"), Rules: rules,
		Cloud:   simulate.Config{Seed: seed, Hosts: hosts, Start: from, Directory: true},
		History: from, Lives: []usage.Period{{From: from, To: now}},
		Every: 5 * time.Minute, Faults: rehearsal.Mishaps(now),
	}.Run(ctx)
}

// begin returns the start of the simulated cloud, the same as simcloud's.
func (p *programs) begin(now time.Time) time.Time { return usage.SlotAt(now.AddDate(0, 0, -p.days)) }

// The simulated cloud.
const (
	seed  = 1
	hosts = 24
)
