// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Rehearse fills a directory with the data of a Prometheus that has scraped the exporter for
// weeks, and with the exporter's store.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/rehearsal"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

type settings struct {
	rehearsal.Rehearsal
	days, history, hosts int
	seed                 uint64
	until, rules         string
}

func main() {
	var s settings
	flag.StringVar(&s.Bin, "bin", "bin", "directory of the programs")
	flag.StringVar(&s.Dir, "into", ".rehearsal", "directory to fill with carbon.db, and prometheus/ for --storage.tsdb.path; must be empty or not exist")
	flag.StringVar(&s.Config, "config", "examples/demo.yml", "configuration of the exporter")
	flag.StringVar(&s.rules, "rules", "", "files of Prometheus rules, separated by commas")
	flag.IntVar(&s.days, "days", 35, "days to run and scrape, plus an hour of the same day of last month if that is earlier")
	flag.IntVar(&s.history, "history", 60, "days before those, which are in the store, and in Prometheus as an export")
	flag.StringVar(&s.until, "until", "", "end of the last day, such as 2026-11-01T00:00:00Z; default: now")
	flag.DurationVar(&s.Every, "every", 5*time.Minute, "time between two scrapes")
	flag.IntVar(&s.hosts, "hosts", 24, "number of hosts")
	flag.Uint64Var(&s.seed, "seed", 1, "seed of the simulated cloud")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "rehearse:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	if entries, err := os.ReadDir(s.Dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty", s.Dir)
	}
	now := time.Now().UTC()
	if s.until != "" {
		var err error
		if now, err = time.Parse(time.RFC3339, s.until); err != nil {
			return fmt.Errorf("until: %w", err)
		}
	}
	from := usage.SlotAt(now.AddDate(0, 0, -s.days))
	s.Lives = []usage.Period{{From: from, To: now}}
	if then := sameDayLastMonth(now); then.Before(from) {
		from = usage.SlotAt(then.Add(-time.Hour))
		s.Lives = append([]usage.Period{{From: from, To: then.Add(10 * time.Minute)}}, s.Lives...)
	}
	s.History = from.AddDate(0, 0, -s.history)
	s.Cloud = simulate.Config{Seed: s.seed, Hosts: s.hosts, Start: s.History, End: now.AddDate(1, 0, 0), Directory: true}
	s.Faults = rehearsal.Mishaps(now)
	s.Log = os.Stdout
	if s.rules != "" {
		s.Rules = strings.Split(s.rules, ",")
	}
	return s.Run(ctx)
}

// sameDayLastMonth returns this time on the same day of last month, or on its last day if last
// month is shorter.
func sameDayLastMonth(now time.Time) time.Time {
	length := now.AddDate(0, 0, -now.Day()).Day()
	return now.AddDate(0, 0, -max(length, now.Day()))
}
