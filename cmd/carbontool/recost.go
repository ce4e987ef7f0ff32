// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/table"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// recost recalculates stored usage with other watts, another PUE or another grid.
type recost struct {
	site
	span    timeRange
	restate bool
	dryRun  bool
}

func (r *recost) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("recost", "Recalculate stored usage with the current watts, PUE and carbon intensity.").HelpLong(`
Recalculates energy and emissions from the stored CPU seconds, using the watts and
carbon intensity of the configuration and the stored averages. It sends no queries to
Prometheus, and asks the carbon intensity provider only for values that are not final
in the store. Averages are valid for a period of time: last year's usage keeps last
year's watts.

Settled (final) intervals change only with --restate. The difference is printed per
project; --dry-run prints it and changes nothing, and prints what the same energy
would give by the other factors of carbon_intensity.also. Use --config.file to try
another configuration. carbon_exporter may run at the same time; it keeps pricing intervals
that are not final with its own configuration.

Example:

    carbontool recost --from=2026-10-01 --to=2026-11-01 --restate --dry-run
        --config.file=/etc/carbon_exporter/carbon.yml
        --storage.path=/var/lib/carbon_exporter/carbon.db
`)
	r.site.register(c)
	r.span.registerAhead(c)
	c.Flag("restate", "Include settled intervals.").BoolVar(&r.restate)
	c.Flag("dry-run", "Print the difference without changing anything.").BoolVar(&r.dryRun)
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
	made, err := parts.New(cfg, st, time.Now, false, nil)
	if err != nil {
		return err
	}
	defer made.Close() //nolint:errcheck // nothing was connected
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
	if r.dryRun {
		byOtherFactors(s.out, made.Settings.Factors, done)
	}
	if err == nil && ctx.Err() == nil && done.NoPrice > 0 && done.NoCarbon != nil {
		err = fmt.Errorf("%d of %d intervals keep their old price: %w", done.NoPrice, done.All, done.NoCarbon)
		return errors.Join(err, ended(ctx, done.Done, nil))
	}
	return ended(ctx, done.Done, err)
}

// wanted counts the intervals to recalculate.
func (r *recost) wanted(known map[time.Time]usage.State) (n int) {
	for _, state := range known {
		if state == usage.Unpriced || state == usage.Provisional || state == usage.Settled && r.restate {
			n++
		}
	}
	return n
}

func (r *recost) print(out io.Writer, interval string, done ingest.Recosted) {
	verb := "recalculated"
	if r.dryRun {
		fmt.Fprintln(out, "Dry run: nothing is changed.")
		verb = "to recalculate"
	}
	d := done.Done
	of := "with usage"
	if d.All+d.Left[usage.ErrSettled] == 0 {
		fmt.Fprintf(out, "No interval of %s %s starts in this range.\n", interval, of)
		return
	}
	fmt.Fprintf(out, "%s to %s, %s of %s %s\n", d.Whole.From.Format(time.RFC3339), d.Whole.To.Format(time.RFC3339),
		intervals(d.All+d.Left[usage.ErrSettled]), interval, of)
	o := outcome{interval: interval, done: d}
	stored, states := o.stored()
	row(out, verb, stored, states)
	if done.NoPrice > 0 {
		row(out, "price kept", done.NoPrice, "of those; no carbon intensity available")
	}
	o.rest(out)
	difference(out, done.Before, done.After)
}

// difference prints the change, per project and for the site.
func difference(out io.Writer, before, after map[string]ingest.Cost) {
	if len(after) == 0 {
		return
	}
	fmt.Fprintln(out)
	t := table.Table{
		table.Words("PROJECT"), table.Numbers("kWh BEFORE"), table.Numbers("AFTER"), table.Numbers("DIFFERENCE"), table.Numbers("%"),
		table.Numbers("gCO2eq BEFORE"), table.Numbers("AFTER"), table.Numbers("DIFFERENCE"), table.Numbers("%"),
	}
	var was, is ingest.Cost
	for _, project := range slices.Sorted(maps.Keys(after)) {
		b, a := before[project], after[project]
		t.Add(line(escape.Name(project), b, a)...)
		was, is = plus(was, b), plus(is, a)
	}
	t.Add(line("site", was, is)...)
	t.Write(out, "") //nolint:errcheck // out is a buffer; flushing it reports the error
	if was.Hardware || is.Hardware {
		embodiedDifference(out, before, after, was, is)
	}
}

// embodiedDifference prints the change of what making the machines emitted, which is in no emissions.
func embodiedDifference(out io.Writer, before, after map[string]ingest.Cost, was, is ingest.Cost) {
	fmt.Fprintln(out)
	t := table.Table{
		table.Words("PROJECT"), table.Numbers("EMBODIED g BEFORE"), table.Numbers("AFTER"), table.Numbers("DIFFERENCE"), table.Numbers("%"),
	}
	for _, project := range slices.Sorted(maps.Keys(after)) {
		t.Add(append([]string{escape.Name(project)}, embodied(before[project], after[project])...)...)
	}
	t.Add(append([]string{"site"}, embodied(was, is)...)...)
	t.Write(out, "") //nolint:errcheck // out is a buffer; flushing it reports the error
}

// embodied are the cells of embodied emissions. What is not known is not 0.
func embodied(b, a ingest.Cost) []string {
	one := func(c ingest.Cost) string {
		if !c.Hardware {
			return "-"
		}
		return fmt.Sprintf("%.1f", float64(c.Embodied))
	}
	if b.Hardware && a.Hardware {
		return compared(float64(b.Embodied), float64(a.Embodied), 1)
	}
	return []string{one(b), one(a), "-", "-"}
}

func plus(a, b ingest.Cost) ingest.Cost {
	return ingest.Cost{
		Energy: a.Energy + b.Energy, Emissions: a.Emissions + b.Emissions, Priced: a.Priced || b.Priced,
		Embodied: a.Embodied + b.Embodied, Hardware: a.Hardware || b.Hardware,
	}
}

// line is a row of the table of differences.
func line(name string, b, a ingest.Cost) []string {
	cells := append([]string{name}, compared(float64(b.Energy), float64(a.Energy), 3)...)
	switch {
	case b.Priced && a.Priced:
		return append(cells, compared(float64(b.Emissions), float64(a.Emissions), 1)...)
	case a.Priced:
		return append(cells, "-", fmt.Sprintf("%.1f", float64(a.Emissions)), "-", "-")
	}
	return append(cells, "-", "-", "-", "-")
}

// compared returns before, after, the difference, and the difference in percent. The difference is
// that of the numbers beside it, so that what rounds to nothing is none.
func compared(before, after float64, digits int) []string {
	was, is := rounded(before, digits), rounded(after, digits)
	percent := "-"
	switch {
	case before == 0:
	case was == is:
		percent = "+0.0"
	default:
		percent = fmt.Sprintf("%+.1f", rounded(100*(after-before)/before, 1))
	}
	return []string{
		fmt.Sprintf("%.*f", digits, was), fmt.Sprintf("%.*f", digits, is), fmt.Sprintf("%+.*f", digits, rounded(is-was, digits)), percent,
	}
}

// rounded is the number that is shown with so many decimals. It is never -0.
func rounded(v float64, digits int) float64 {
	shown, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'f', digits, 64), 64) // it is a number
	return shown + 0
}
