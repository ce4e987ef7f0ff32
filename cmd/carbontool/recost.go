package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// recost makes what is stored anew by other watts, another PUE or another grid.
type recost struct {
	site
	span    timeRange
	restate bool
	dryRun  bool
}

func (r *recost) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("recost", "Make a range anew by the watts, PUE and grid now configured.").HelpLong(`
The CPU seconds in the store get the power and the prices that the configuration
and the stored averages give them now. Prometheus is not asked; the grid is, for
what of its intensity is not final in the store. Averages are valid for a time:
what was used last year keeps last year's watts.

Final (settled) intervals change with --restate alone. The difference is printed by
project; --dry-run prints it and changes nothing. Try another configuration with
--config.file. carbon_exporter may run meanwhile; what is not final yet it goes on
to price by its own configuration.

Example:

    carbontool recost --from=2026-10-01 --to=2026-11-01 --restate --dry-run
        --config.file=/etc/carbon_exporter/carbon.yml
        --storage.path=/var/lib/carbon_exporter/carbon.db
`)
	r.site.register(c)
	r.span.registerAhead(c)
	c.Flag("restate", "Settled intervals too.").BoolVar(&r.restate)
	c.Flag("dry-run", "Print the difference and change nothing.").BoolVar(&r.dryRun)
	return c
}

func (r *recost) run(ctx context.Context, s streams) error {
	cfg, err := r.config()
	if err != nil {
		return err
	}
	period, err := r.span.period(cfg, time.Now())
	if err != nil {
		return err
	}
	st, err := r.open(ctx, cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	made, err := parts.New(cfg, st, false)
	if err != nil {
		return err
	}
	defer made.Close() //nolint:errcheck // nothing was connected to
	worker := &ingest.Worker{Store: st, Observer: &refused{samples: usage.Rejects{}}, Clock: clock.Real{}, Settings: made.Settings}
	whole := worker.Whole(period)
	known, err := st.Known(ctx, whole)
	if err != nil {
		return err
	}
	w := newWatch(ctx, s.err, r.wanted(known))
	worker.Log, worker.Step = w.log(), w.step
	done, err := worker.Recost(ctx, ingest.Range{Period: period, Restate: r.restate, Dry: r.dryRun})
	w.end()
	r.print(s.out, cfg.Interval.String(), done)
	if err == nil && ctx.Err() == nil && done.NoPrice > 0 && done.NoCarbon != nil {
		err = fmt.Errorf("%d of %d intervals keep the price they have: %w", done.NoPrice, done.All, done.NoCarbon)
		return errors.Join(err, ended(ctx, done.Done, nil))
	}
	return ended(ctx, done.Done, err)
}

// wanted is how many intervals are to be made anew.
func (r *recost) wanted(known map[time.Time]usage.State) (n int) {
	for _, state := range known {
		if state == usage.Unpriced || state == usage.Provisional || state == usage.Settled && r.restate {
			n++
		}
	}
	return n
}

func (r *recost) print(out io.Writer, interval string, done ingest.Recosted) {
	verb := "made anew"
	if r.dryRun {
		fmt.Fprintln(out, "A dry run: nothing is changed.")
		verb = "to be done"
	}
	d := done.Done
	of := "with usage"
	if d.All+d.Left[usage.ErrSettled] == 0 {
		fmt.Fprintf(out, "No interval of %s %s begins in the range.\n", interval, of)
		return
	}
	fmt.Fprintf(out, "%s to %s, %s of %s %s\n", d.Whole.From.Format(time.RFC3339), d.Whole.To.Format(time.RFC3339),
		intervals(d.All+d.Left[usage.ErrSettled]), interval, of)
	o := outcome{interval: interval, done: d}
	stored, states := o.stored()
	row(out, verb, stored, states)
	if done.NoPrice > 0 {
		row(out, "price kept", done.NoPrice, "of those; the grid says none")
	}
	o.rest(out)
	difference(out, done.Before, done.After)
}

// difference is what it comes to, by project and for the site.
func difference(out io.Writer, before, after map[string]ingest.Cost) {
	if len(after) == 0 {
		return
	}
	fmt.Fprintln(out)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "PROJECT\tkWh BEFORE\tAFTER\tDIFFERENCE\t%\tgCO2eq BEFORE\tAFTER\tDIFFERENCE\t%\t")
	var was, is ingest.Cost
	for _, project := range slices.Sorted(maps.Keys(after)) {
		b, a := before[project], after[project]
		line(t, readable(project), b, a)
		was, is = plus(was, b), plus(is, a)
	}
	line(t, "site", was, is)
	t.Flush() //nolint:errcheck // out is a buffer, whose end is looked at
}

func plus(a, b ingest.Cost) ingest.Cost {
	return ingest.Cost{Energy: a.Energy + b.Energy, Emissions: a.Emissions + b.Emissions, Priced: a.Priced || b.Priced}
}

func line(out io.Writer, name string, b, a ingest.Cost) {
	fmt.Fprintf(out, "%s\t%s", name, compared(float64(b.Energy), float64(a.Energy), 3))
	switch {
	case b.Priced && a.Priced:
		fmt.Fprintf(out, "\t%s\t\n", compared(float64(b.Emissions), float64(a.Emissions), 1))
	case a.Priced:
		fmt.Fprintf(out, "\t-\t%.1f\t-\t-\t\n", float64(a.Emissions))
	default:
		fmt.Fprint(out, "\t-\t-\t-\t-\t\n")
	}
}

// compared is before, after, difference and that in percent.
func compared(before, after float64, digits int) string {
	percent := "-"
	if before != 0 {
		percent = fmt.Sprintf("%+.1f", 100*(after-before)/before)
	}
	return fmt.Sprintf("%.*f\t%.*f\t%+.*f\t%s", digits, before, digits, after, digits, after-before, percent)
}
