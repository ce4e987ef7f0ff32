package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// outcome is what a range of intervals has come to, for people.
type outcome struct {
	interval string
	done     ingest.Done
	rejects  usage.Rejects
}

// head is the range itself.
func (o outcome) head(out io.Writer) {
	d := o.done
	if d.All == 0 {
		fmt.Fprintf(out, "No interval of %s that is over begins in the range.\n", o.interval)
		return
	}
	fmt.Fprintf(out, "%s to %s, %s of %s\n", d.Whole.From.Format(time.RFC3339), d.Whole.To.Format(time.RFC3339), intervals(d.All), o.interval)
}

// print says how many intervals have come to what, and why.
func (o outcome) print(out io.Writer) {
	o.head(out)
	d := o.done
	if d.All == 0 {
		return
	}
	stored, states := o.stored()
	row(out, "stored", stored, states)
	if n := d.Stored[usage.Empty]; n > 0 {
		row(out, "empty", n, "Prometheus has nothing of that time, such as before its retention: not 0, not known")
	}
	o.rest(out)
	for _, g := range d.Failed {
		fmt.Fprintf(out, "failed: %s to %s, %s: %s\n", g.From.Format(time.RFC3339), g.To.Format(time.RFC3339), intervals(g.Intervals), oneLine(fmt.Errorf("%s", g.Error)))
	}
	for _, reason := range slices.Sorted(maps.Keys(o.rejects)) {
		fmt.Fprintf(out, "refused: %d samples, %s\n", o.rejects[reason], reason)
	}
}

// stored is how many have usage now, and of which state.
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

// rest are the rows of what was not stored.
func (o outcome) rest(out io.Writer) {
	d := o.done
	if d.Had > 0 || d.Priced > 0 {
		priced := ""
		if d.Priced > 0 {
			priced = fmt.Sprintf("%d of them priced anew or final now", d.Priced)
		}
		row(out, "already there", d.Had, priced)
	}
	for _, why := range leftWhy {
		if n := d.Left[why.err]; n > 0 {
			row(out, why.name, n, why.words)
		}
	}
	if d.Unpriced > 0 {
		row(out, "unpriced", d.Unpriced, "of all of them; no carbon intensity is known yet")
	}
	failed := 0
	for _, g := range d.Failed {
		failed += g.Intervals
	}
	if failed > 0 {
		row(out, "failed", failed, "missing, not 0")
	}
}

// leftWhy is why intervals are left as they are, in the order in which it is told.
var leftWhy = []struct {
	err         error
	name, words string
}{
	{usage.ErrSettled, "settled", "final; --restate does them again"},
	{usage.ErrForgotten, "kept", "Prometheus has less of them now than is stored"},
	{usage.ErrPruned, "pruned", "what they were made of is no longer kept"},
	{usage.ErrOtherFactors, "other factors", "made with other watts or another PUE; do all projects again"},
	{usage.ErrNoWhole, "nothing yet", "one project of them would look like all; leave out --project"},
}

func row(out io.Writer, name string, n int, words string) {
	fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("  %-14s %6d  %s", name, n, words), " "))
}

func intervals(n int) string { return counted(n, "interval") }

// readable is a name as it can stand in a line: as it is, unless it would break it.
func readable(name string) string {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}
