// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// backfill collects past usage from Prometheus.
type backfill struct {
	site
	span         timeRange
	project      string
	projectGiven bool
	restate      bool
	dryRun       bool
}

func (b *backfill) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("backfill", "Collect past usage from Prometheus.").HelpLong(`
Collects a range of time during which carbon_exporter did not run, and stores exactly
what it would have stored. carbon_exporter may run at the same time, on the same
store. Ctrl-C stops the command at once: finished intervals stay stored, and running
the same command again resumes. If the store does not exist, it is created, but its
directory must exist.

Intervals that are already stored are skipped. With --restate they are collected again
and replaced, even if settled (final), except where Prometheus has less data now.
Time before the retention of Prometheus ends up as "empty", never as 0.

Each query covers one day, or less where the server does not allow that. Carbon
intensity is fetched for 13 days at a time; energy does not wait for it.

Example:

    carbontool backfill --from=2026-10-01 --to=2026-11-01
        --config.file=/etc/carbon_exporter/carbon.yml
        --storage.path=/var/lib/carbon_exporter/carbon.db
`)
	b.site.register(c)
	b.span.registerAhead(c)
	c.Flag("project", "Collect only this project and keep what is stored for others. Intervals that are not stored yet are skipped.").
		PlaceHolder("NAME").IsSetByUser(&b.projectGiven).StringVar(&b.project)
	c.Flag("restate", "Collect stored intervals again, including settled ones.").BoolVar(&b.restate)
	c.Flag("dry-run", "Print what would be queried and stored, without doing either.").BoolVar(&b.dryRun)
	return c
}

func (b *backfill) run(ctx context.Context, s streams) error {
	cfg, err := b.config()
	if err != nil {
		return err
	}
	period, err := b.span.period(cfg, time.Now())
	if err != nil {
		return err
	}
	if err := b.checkProject(cfg); err != nil {
		return err
	}
	st, isNew, closeStore, err := b.openOrMake(ctx, cfg, b.dryRun)
	if err != nil {
		return err
	}
	defer closeStore() //nolint:errcheck // everything is stored by then
	if isNew && !b.dryRun {
		fmt.Fprintf(s.err, "carbontool backfill: created the store %s\n", b.storagePath)
	}
	hosts, err := st.KeepsHosts(ctx)
	if err != nil {
		return err
	}
	made, err := parts.New(cfg, st, time.Now, hosts, nil)
	if err != nil {
		return err
	}
	defer made.Close() //nolint:errcheck // nothing was written to these connections
	over := ingest.Range{Period: period, Restate: b.restate, Dry: b.dryRun}
	if b.projectGiven {
		if err := b.restrict(ctx, st, &made.Settings, period); err != nil {
			return err
		}
		over.Project = &b.project
	}
	return b.collect(ctx, s, cfg, st, made.Settings, over)
}

// checkProject refuses what is wrong before the store is opened or a query is sent.
func (b *backfill) checkProject(cfg *config.Config) error {
	switch {
	case !b.projectGiven:
	case b.project == "":
		return wrongUsef("--project: must not be empty")
	case cfg.Prometheus.BusyQuery != "":
		return wrongUsef("--project: prometheus.busy_query and idle_query cannot be restricted to one project; leave out --project")
	case len(cfg.Prometheus.Info) > 0 || cfg.Prometheus.Shares.Metric != "":
		return wrongUsef("--project: with prometheus.info or prometheus.shares the projects of machines are not a label of their series, so Prometheus cannot be queried for one alone; leave out --project")
	case len(cfg.Power.Measured)+len(cfg.Power.Devices)+len(cfg.Power.Reconcile) > 0 || cfg.Power.MemoryWattsPerGiB > 0:
		// Who else has a part of a host is not known without the others.
		return wrongUsef("--project: with power.measured, devices, reconcile or memory_watts_per_gib energy is that of hosts, which projects may share, so it cannot be had for one project alone; leave out --project")
	}
	return nil
}

// restrict makes the settings query one project only. It must exist in the store or,
// within the range, in Prometheus.
func (b *backfill) restrict(ctx context.Context, st *store.Store, set *ingest.Settings, p usage.Period) error {
	known, err := st.Projects(ctx)
	if err != nil {
		return err
	}
	client := set.Source.(*source.Client)
	if !slices.Contains(known, b.project) {
		there, err := client.Projects(ctx, p)
		if err != nil {
			return fmt.Errorf("--project: %q is not in the store: %w", b.project, err)
		}
		if !slices.Contains(there, b.project) {
			return b.noProject(append(known, there...))
		}
	}
	if set.Directory != nil {
		// Their series have no project label, so a query for the project misses them.
		d, err := st.Directory(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(d.Hosts, func(h directory.Placement) bool { return h.Project == b.project }) {
			return wrongUsef("--project: only MongoDB knows some of the machines of %q, so Prometheus cannot be queried for this project alone; leave out --project", b.project)
		}
	}
	set.Source = client.OfProject(b.project)
	return nil
}

func (b *backfill) noProject(known []string) error {
	slices.Sort(known)
	known = slices.Compact(known)
	const most = 10
	more := ""
	if len(known) > most {
		known, more = known[:most], ", ..."
	}
	if len(known) == 0 {
		return wrongUsef("--project: there is no project %q in the store, or in Prometheus in this range", b.project)
	}
	return wrongUsef("--project: there is no project %q; known projects: %s%s", b.project, strings.Join(known, ", "), more)
}

func (b *backfill) collect(ctx context.Context, s streams, cfg *config.Config, st *store.Store, set ingest.Settings, over ingest.Range) error {
	refused := &refused{samples: usage.Rejects{}}
	worker := &ingest.Worker{Store: st, Observer: refused, Clock: s.time(), Settings: set}
	whole := worker.Whole(over.Period)
	shown := s.err
	if b.dryRun {
		shown = io.Discard // it is done at once
	}
	w := newWatch(ctx, shown, int(whole.To.Sub(whole.From)/set.Interval))
	worker.Log, worker.Step = w.log(), w.step
	done, err := worker.Backfill(ctx, over)
	w.end()
	sum := outcome{interval: cfg.Interval.String(), done: done, rejects: refused.samples}
	if b.dryRun {
		if err == nil {
			printPlan(s.out, cfg, set, sum)
		}
		return err
	}
	sum.print(s.out)
	return ended(ctx, done, err)
}

// ended says why a range is incomplete.
func ended(ctx context.Context, done ingest.Done, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%d of %d intervals done; run again to resume", done.Finished, done.All)
	case err != nil:
		return fmt.Errorf("%w; %d of %d intervals done; run again to resume", err, done.Finished, done.All)
	}
	var errs []error
	if n := len(done.Failed); n > 0 {
		all := 0
		for _, gap := range done.Failed {
			all += gap.Intervals
		}
		errs = append(errs, fmt.Errorf("%d of %d intervals could not be collected: %s", all, done.All, done.Failed[n-1].Error))
	}
	if done.Unpriced > 0 && done.NoCarbon != nil {
		errs = append(errs, fmt.Errorf("%d of %d intervals have no price: %w", done.Unpriced, done.All, done.NoCarbon))
	}
	return errors.Join(errs...)
}
