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
	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// backfill collects what Prometheus still has of the past.
type backfill struct {
	site
	span         timeRange
	project      string
	projectGiven bool
	restate      bool
	dryRun       bool
}

func (b *backfill) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("backfill", "Collect a range of the past from Prometheus.").HelpLong(`
It does what carbon_exporter does, interval by interval, for a time at which that
did not run, and ends in the same numbers. carbon_exporter may run meanwhile, on
the same store. Ctrl-C ends it at once; what is stored stays, and the same command
goes on from there. A store that is not there yet is made, if its directory is.

What is stored already is not asked for again. With --restate it is, and replaced,
final (settled) intervals too; what Prometheus has forgotten since stays. A part of
the range that is older than Prometheus' retention ends as "empty", never as 0.

Prometheus is asked for a day at a time, and for less where that is too much. The
grid is asked for 13 days at a time; energy does not wait for it.

Example:

    carbontool backfill --from=2026-10-01 --to=2026-11-01
        --config.file=/etc/carbon_exporter/carbon.yml
        --storage.path=/var/lib/carbon_exporter/carbon.db
`)
	b.site.register(c)
	b.span.registerAhead(c)
	c.Flag("project", "Ask for this project alone, and leave what is stored of the others. Intervals that hold nothing are left.").
		PlaceHolder("NAME").IsSetByUser(&b.projectGiven).StringVar(&b.project)
	c.Flag("restate", "Do again what is stored, settled intervals too.").BoolVar(&b.restate)
	c.Flag("dry-run", "Say what would be asked and stored, and do neither.").BoolVar(&b.dryRun)
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
	defer closeStore() //nolint:errcheck // all that was to be stored is
	if isNew && !b.dryRun {
		fmt.Fprintf(s.err, "carbontool backfill: made the store %s\n", b.storagePath)
	}
	hosts, err := st.KeepsHosts(ctx)
	if err != nil {
		return err
	}
	made, err := parts.New(cfg, st, hosts)
	if err != nil {
		return err
	}
	defer made.Close() //nolint:errcheck // connections that were only read from
	over := ingest.Range{Period: period, Restate: b.restate, Dry: b.dryRun}
	if b.projectGiven {
		if err := b.restrict(ctx, st, &made.Settings, period); err != nil {
			return err
		}
		over.Project = &b.project
	}
	return b.collect(ctx, s, cfg, st, made.Settings, over)
}

// checkProject refuses what can be refused before anything is opened or asked.
func (b *backfill) checkProject(cfg *config.Config) error {
	switch {
	case !b.projectGiven:
	case b.project == "":
		return wrongUsef("--project: names no project")
	case cfg.Prometheus.BusyQuery != "":
		return wrongUsef("--project: prometheus.busy_query and idle_query are asked as they are and cannot be restricted to one; leave out --project")
	}
	return nil
}

// restrict lets the settings ask for one project, which must be one: in the store
// or, in the range, in Prometheus.
func (b *backfill) restrict(ctx context.Context, st *store.Store, set *ingest.Settings, p usage.Period) error {
	known, err := st.Projects(ctx)
	if err != nil {
		return err
	}
	client := set.Source.(*source.Client)
	if !slices.Contains(known, b.project) {
		there, err := client.Projects(ctx, p)
		if err != nil {
			return fmt.Errorf("--project: the store does not know %q: %w", b.project, err)
		}
		if !slices.Contains(there, b.project) {
			return b.noProject(append(known, there...))
		}
	}
	if set.Directory != nil {
		// Those are asked for without the label, as everybody's who has none.
		d, err := st.Directory(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(d.Hosts, func(h usage.Placement) bool { return h.Project == b.project }) {
			return wrongUsef("--project: %q has machines that only MongoDB knows to be its, and Prometheus cannot be asked for them alone; leave out --project", b.project)
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
		return wrongUsef("--project: there is no project %q in the store, nor in prometheus in the range", b.project)
	}
	return wrongUsef("--project: there is no project %q; there are %s%s", b.project, strings.Join(known, ", "), more)
}

func (b *backfill) collect(ctx context.Context, s streams, cfg *config.Config, st *store.Store, set ingest.Settings, over ingest.Range) error {
	refused := &refused{samples: usage.Rejects{}}
	worker := &ingest.Worker{Store: st, Observer: refused, Clock: clock.Real{}, Settings: set}
	whole := worker.Whole(over.Period)
	shown := s.err
	if b.dryRun {
		shown = io.Discard // it takes no time
	}
	w := newWatch(ctx, shown, int(whole.To.Sub(whole.From)/set.Interval))
	worker.Log, worker.Step = w.log(), w.step
	done, err := worker.Backfill(ctx, over)
	w.end()
	sum := outcome{interval: cfg.Interval.String(), done: done, rejects: refused.samples}
	if b.dryRun {
		if err == nil {
			b.plan(s.out, cfg, set, sum)
		}
		return err
	}
	sum.print(s.out)
	return ended(ctx, done, err)
}

// ended is why a range is not done whole.
func ended(ctx context.Context, done ingest.Done, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%d of %d intervals done; run again to resume", done.Finished, done.All)
	case err != nil:
		return fmt.Errorf("%w; %d of %d intervals done, run again to resume", err, done.Finished, done.All)
	}
	var errs []error
	if n := len(done.Failed); n > 0 {
		all := 0
		for _, gap := range done.Failed {
			all += gap.Intervals
		}
		errs = append(errs, fmt.Errorf("%d of %d intervals could not be had: %s", all, done.All, done.Failed[n-1].Error))
	}
	if done.Unpriced > 0 && done.NoCarbon != nil {
		errs = append(errs, fmt.Errorf("%d of %d intervals have no price: %w", done.Unpriced, done.All, done.NoCarbon))
	}
	return errors.Join(errs...)
}
