// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/rehearsal"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// now is the time on every picture: always the same, so that a picture changes only if what it
// shows does. It is an afternoon near the end of a month, when there is most to see.
var now = time.Date(2026, 11, 26, 14, 25, 0, 0, time.UTC)

// lived is how long the exporter was scraped: a little more than most dashboards show, because
// each day takes a minute to simulate.
const lived = 54 * time.Hour

// site is a Prometheus that has scraped an exporter, and the landing page of that.
type site struct {
	rehearsal.Rehearsal
	engine *engine.Engine
	server *httptest.Server
}

func openSite(ctx context.Context, s settings) (*site, error) {
	what := &site{Rehearsal: aYear(s)}
	if s.firstDay {
		what.Rehearsal = aFirstDay(s)
	}
	// The landing page is written last.
	if _, err := os.Stat(what.Landing); errors.Is(err, os.ErrNotExist) {
		fmt.Println("Simulating the site ...")
		if err := what.make(ctx); err != nil {
			return nil, err
		}
	}
	var err error
	if what.engine, err = engine.Open(engine.Options{Dir: what.Prometheus(), WAL: true, Blocks: 24 * time.Hour}); err != nil {
		return nil, err
	}
	what.server = httptest.NewServer(what.engine.Handler())
	return what, nil
}

// make rehearses into an empty directory.
func (s *site) make(ctx context.Context) error {
	if entries, err := os.ReadDir(s.Dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty and not a site that was made to its end", s.Dir)
	}
	page := s.Landing
	s.Landing += ".new"
	if err := s.Run(ctx); err != nil {
		return err
	}
	if err := os.Rename(s.Landing, page); err != nil {
		return err
	}
	s.Landing = page
	return nil
}

func (s *site) close() {
	s.server.Close()
	if err := s.engine.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// aYear is the site of the documents: a year in the store and in Prometheus, of which the
// exporter was scraped for the last days. What is before that comes from the store, as an operator
// would import it.
func aYear(s settings) rehearsal.Rehearsal {
	from := usage.SlotAt(now.Add(-lived))
	begin := from.AddDate(0, 0, -365)
	rules, _ := filepath.Glob(filepath.Join(s.root, "examples/prometheus/rules/carbon*.yml")) // the pattern is right
	return rehearsal.Rehearsal{
		Bin: s.bin, Dir: s.data, Config: filepath.Join(s.root, "tools/pictures/carbon.yml"), Rules: rules,
		Cloud:   simulate.Config{Seed: 1, Hosts: 12, Start: begin, End: now.AddDate(1, 0, 0), Directory: true},
		History: begin, Metrics: []string{"carbon_energy_kwh", "carbon_emissions_gco2eq"}, Lives: []usage.Period{{From: from, To: now}}, Every: 5 * time.Minute,
		Faults: rehearsal.Mishaps(now), Landing: filepath.Join(s.data, "landing.html"),
	}
}

// aFirstDay is a site of one machine, two hours after its exporter was started, with one value
// for the carbon intensity, and without budgets and a directory.
func aFirstDay(s settings) rehearsal.Rehearsal {
	from := now.Add(-2 * time.Hour)
	return rehearsal.Rehearsal{
		Bin: s.bin, Dir: s.data, Config: filepath.Join(s.root, "tools/pictures/first-day.yml"),
		Cloud: simulate.Config{Seed: 1, Hosts: 1, Start: usage.SlotAt(from.AddDate(0, 0, -1)), End: now.AddDate(1, 0, 0)},
		Lives: []usage.Period{{From: from, To: now}}, History: from, Every: time.Minute,
		Landing: filepath.Join(s.data, "landing.html"),
	}
}

// url is where Prometheus answers.
func (s *site) url() string { return s.server.URL }
