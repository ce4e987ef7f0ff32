// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// outcome is the result of processing a range of intervals, for people.
type outcome struct {
	interval string
	done     ingest.Done
	rejects  usage.Rejects
}

// head prints the range itself.
func (o outcome) head(out io.Writer) {
	d := o.done
	if d.All == 0 {
		fmt.Fprintf(out, "No complete interval of %s starts in this range.\n", o.interval)
		return
	}
	fmt.Fprintf(out, "%s to %s, %s of %s\n", d.Whole.From.Format(time.RFC3339), d.Whole.To.Format(time.RFC3339), intervals(d.All), o.interval)
}

// print prints how many intervals had which result, and why.
func (o outcome) print(out io.Writer) {
	o.head(out)
	d := o.done
	if d.All == 0 {
		return
	}
	stored, states := o.stored()
	row(out, "stored", stored, states)
	if n := d.Stored[usage.Empty]; n > 0 {
		row(out, "empty", n, "Prometheus has no data for that time, for example before its retention: unknown, not 0")
	}
	o.rest(out)
	for _, g := range d.Failed {
		fmt.Fprintf(out, "failed: %s to %s, %s: %s\n", g.From.Format(time.RFC3339), g.To.Format(time.RFC3339), intervals(g.Intervals), escape.Line(g.Error))
	}
	for _, reason := range slices.Sorted(maps.Keys(o.rejects)) {
		fmt.Fprintf(out, "rejected: %d samples, %s\n", o.rejects[reason], reason)
	}
}

// stored counts the intervals with usage, and lists their states.
func (o outcome) stored() (n int, states string) {
	var words []string
	for _, state := range slices.Backward(usage.States()) {
		if of := o.done.Stored[state]; of > 0 && state != usage.Empty {
			n += of
			words = append(words, fmt.Sprintf("%d %s", of, state))
		}
	}
	return n, strings.Join(words, ", ")
}

// rest prints the rows for what was not stored.
func (o outcome) rest(out io.Writer) {
	d := o.done
	if d.Had > 0 || d.Priced > 0 {
		priced := ""
		if d.Priced > 0 {
			priced = fmt.Sprintf("%d of them repriced or now final", d.Priced)
		}
		row(out, "already there", d.Had, priced)
	}
	for _, why := range leftWhy {
		if n := d.Left[why.err]; n > 0 {
			row(out, why.name, n, why.words)
		}
	}
	if d.Unpriced > 0 {
		row(out, "unpriced", d.Unpriced, "carbon intensity not known yet")
	}
	failed := 0
	for _, g := range d.Failed {
		failed += g.Intervals
	}
	if failed > 0 {
		row(out, "failed", failed, "missing, not 0")
	}
}

// leftWhy lists why intervals are left unchanged, in the order of printing.
var leftWhy = []struct {
	err         error
	name, words string
}{
	{usage.ErrSettled, "settled", "final; use --restate to redo them"},
	{usage.ErrForgotten, "kept", "Prometheus now has less data than is stored"},
	{usage.ErrPruned, "pruned", "their details were deleted by --storage.retention"},
	{usage.ErrOtherFactors, "other factors", "made with other watts or another PUE; redo all projects"},
	{usage.ErrNoWhole, "nothing yet", "not stored yet, and one project would look like all of them; leave out --project"},
}

func row(out io.Writer, name string, n int, words string) {
	fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("  %-14s %6d  %s", name, n, words), " "))
}

func intervals(n int) string { return counted(n, "interval") }
