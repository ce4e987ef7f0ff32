// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/doctor"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// division asks whether the shards of a site add up to it.
type division struct {
	shards  []doctor.Shard
	stores  []string // empty: not said
	configs []*config.Config
	clients []*source.Client
	now     time.Time
}

// compare is doctor --shards.
func (x *examine) compare(ctx context.Context, s streams) error {
	files := append(append([]string{}, x.shards...), x.files...)
	switch {
	case len(files) < 2:
		return wrongUsef("--shards: give at least two files, one for each exporter of the site")
	case x.configGiven || x.only != "" || x.web != "":
		return wrongUsef("--shards: cannot be combined with --config.file, --only and --web.config.file")
	}
	limited, done := context.WithTimeout(ctx, patientExamination)
	defer done()
	c := &division{now: time.Now()}
	found := c.load(files)
	if doctor.Count(found)[doctor.Failure] == 0 {
		found = append(found, c.find(limited)...)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err := (&examination{examine: x, now: c.now}).write(s.out, found, false)
	if n := doctor.Count(found); err == nil && n[doctor.Failure] > 0 {
		return fmt.Errorf("%d of %d checks failed", n[doctor.Failure], len(found))
	}
	return err
}

// load reads the files, each of which may have =STORE behind it.
func (c *division) load(files []string) (found []doctor.Finding) {
	var matchers []string
	turns := &upstream.Turns{}
	for _, file := range files {
		store := ""
		if _, err := os.Stat(file); err != nil {
			file, store, _ = strings.Cut(file, "=")
		}
		cfg, err := config.Load(file)
		if err == nil {
			err = parts.Check(cfg)
		}
		var client *source.Client
		if err == nil {
			cfg.Prometheus.Timeout = min(cfg.Prometheus.Timeout, durationOf(eachQuestion))
			client, err = parts.Source(cfg.Prometheus, turns)
		}
		if err != nil {
			text := err.Error()
			if !strings.HasPrefix(text, file) {
				text = file + ": " + text
			}
			found = append(found, doctor.BadConfig(text)...)
			continue
		}
		c.shards = append(c.shards, doctor.Shard{Name: file})
		c.stores, c.configs, c.clients = append(c.stores, store), append(c.configs, cfg), append(c.clients, client)
		matchers = append(matchers, cfg.Prometheus.Matchers)
		found = append(found, doctor.GoodConfig(file, true))
	}
	if len(matchers) > 0 {
		_, own := source.Divide(matchers)
		for i := range c.shards {
			c.shards[i].Own = own[i]
		}
	}
	return found
}

// find asks the server and compares.
func (c *division) find(ctx context.Context) []doctor.Finding {
	var differ [][]string
	for _, cfg := range c.configs {
		differ = append(differ, c.configs[0].Differs(cfg))
	}
	all := append(doctor.Settings(c.shards, differ), doctor.Stores(c.shards, c.stores, sameStores(c.stores))...)
	var matchers []string
	given := false
	for _, cfg := range c.configs {
		matchers = append(matchers, cfg.Prometheus.Matchers)
		given = given || cfg.Prometheus.BusyQuery != ""
	}
	common, _ := source.Divide(matchers)
	var site *source.Client
	if !given {
		site = c.clients[0].Matching(common)
	}
	cuts, projects, err := c.cuts(ctx, site)
	if len(cuts) == 0 {
		return append(all, doctor.Unreached(config.PublicURL(c.configs[0].Prometheus.URL), usage.Cause(err), ""))
	}
	all = append(all, doctor.CutOf(c.shards, common, given, cuts)...)
	if err != nil {
		all = append(all, doctor.Unasked(doctor.Shards, "cut", usage.Cause(err)))
	}
	return append(all, doctor.PerShard(c.shards, c.wide(projects))...)
}

// cuts asks who is in which shard now, at the last edge of an interval, and at two of the last day.
// It also returns the projects of each shard now. An error is that of the first moment that is not
// known.
func (c *division) cuts(ctx context.Context, site *source.Client) (cuts []doctor.Cut, projects []map[string]bool, err error) {
	p := c.configs[0]
	length := time.Duration(p.Interval)
	edge := usage.IntervalAt(c.now.Add(-time.Duration(p.Prometheus.Lag)-length), length).End()
	for _, at := range []time.Time{c.now, edge, edge.Add(-3 * time.Hour), edge.Add(-24 * time.Hour)} {
		cut := doctor.Cut{At: at}
		if site != nil {
			hosts, err := c.hosts(ctx, site, at)
			if err != nil {
				return cuts, projects, err
			}
			cut.Whole = countOf(hosts)
		}
		for i := range c.clients {
			hosts, err := c.hosts(ctx, c.clients[i], at)
			if err != nil {
				return cuts, projects, err
			}
			cut.Parts = append(cut.Parts, countOf(hosts))
			if len(cuts) == 0 {
				projects = append(projects, projectsOf(hosts))
			}
		}
		cuts = append(cuts, cut)
	}
	return cuts, projects, nil
}

func (c *division) hosts(ctx context.Context, from *source.Client, at time.Time) (map[string]source.Selected, error) {
	return inTime(ctx, func(ctx context.Context) (map[string]source.Selected, error) { return from.Hosts(ctx, at) })
}

func countOf(hosts map[string]source.Selected) map[string]int {
	all := map[string]int{}
	for host, s := range hosts {
		all[host] = s.Series()
	}
	return all
}

func projectsOf(hosts map[string]source.Selected) map[string]bool {
	all := map[string]bool{}
	for _, s := range hosts {
		for project := range s {
			all[project] = true
		}
	}
	return all
}

// wide is what shards have that is about more than a shard.
func (c *division) wide(projects []map[string]bool) []doctor.Wide {
	var all []doctor.Wide
	for i, cfg := range c.configs {
		w := doctor.Wide{
			Projects: projects[i], Groups: map[string][]string{}, ByProject: cfg.Attribution.GroupBy == config.GroupByProject,
			Reconcile: len(cfg.Power.Reconcile) > 0, Calibrate: cfg.Power.Calibrate != config.CalibrateOff, Meters: len(cfg.Power.Measured) > 0,
			MaxUsers: cfg.Attribution.MaxUsers, Devices: map[string]string{}, Database: parts.UsageDatabase(cfg),
		}
		if cfg.Lake != nil {
			w.Lake = cfg.Lake.Site
		}
		for _, g := range cfg.Attribution.Groups {
			w.Groups[g.Name] = g.Projects
		}
		for _, b := range parts.Budgets(cfg) {
			w.Budgets = append(w.Budgets, doctor.Target{Budget: b.Name, Scope: b.Scope, Name: b.Target})
		}
		for _, d := range cfg.Power.Devices {
			w.Devices[d.Name] = d.Query
		}
		all = append(all, w)
	}
	return all
}

// sameStores are the stores that are the file of an earlier one.
func sameStores(paths []string) map[int]int {
	same := map[int]int{}
	for i, path := range paths {
		for j, other := range paths[:i] {
			if _, known := same[i]; path != "" && !known && isSameFile(path, other) {
				same[i] = j
			}
		}
	}
	return same
}

func isSameFile(a, b string) bool {
	if a == b {
		return true
	}
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
