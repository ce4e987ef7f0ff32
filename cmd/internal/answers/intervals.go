// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/when"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Intervals asks which intervals are stored, which are not, and why.
type Intervals struct {
	Span   when.Range
	States []string // of IntervalStates; empty: all
	Format string   // one of IntervalFormats
	Most   int      // lines; more are TooMuch; 0: any number
}

// IntervalStates lists the states.
func IntervalStates() (all []string) {
	for _, s := range usage.States() {
		all = append(all, string(s))
	}
	return all
}

// IntervalFormats lists the formats of the answer.
func IntervalFormats() []string { return []string{Table, JSON} }

// Answer reads the intervals from the store.
func (q Intervals) Answer(ctx context.Context, from From) (*IntervalsAnswer, error) {
	period, err := q.Span.Period(from.Zone(), from.Now)
	if err != nil {
		return nil, err
	}
	if !q.Span.FromGiven && !q.Span.ToGiven {
		period = usage.Period{} // all, even intervals that a wrong clock put into the future
	}
	st := from.Store
	a := &IntervalsAnswer{format: q.Format}
	if a.gaps, err = st.Gaps(ctx, period); err != nil {
		return nil, fmt.Errorf("list the intervals: %w", err)
	}
	var states []usage.State
	for _, state := range q.States {
		states = append(states, usage.State(state))
	}
	if len(states) > 0 {
		a.gaps = slices.DeleteFunc(a.gaps, func(g usage.Gap) bool { return !slices.Contains(states, g.State) })
	}
	if q.Most > 0 && len(a.gaps) > q.Most {
		return nil, tooMuchf("the list has %d lines; at most %d are answered at once: narrow it with --from, --to or --state", len(a.gaps), q.Most)
	}
	if q.Format == JSON {
		return a, a.readDoubts(ctx, st)
	}
	if a.doubted, a.allDoubted, err = st.Doubted(ctx, period, states, mostDoubted); err != nil {
		return nil, err
	}
	a.neverAsked, err = st.NeverAsked(ctx, from.Now.Add(-time.Duration(from.Config.Lookback)))
	return a, err
}

// readDoubts reads the hosts of each line that are not exact.
func (a *IntervalsAnswer) readDoubts(ctx context.Context, st *store.Store) error {
	for _, g := range a.gaps {
		var hosts []usage.Doubted
		if g.Hosts != nil && g.Hosts.Interpolated+g.Hosts.Refused > 0 {
			var err error
			if hosts, _, err = st.Doubted(ctx, g.Period, nil, mostDoubted); err != nil {
				return err
			}
		}
		a.doubts = append(a.doubts, hosts)
	}
	return nil
}

// IntervalsAnswer lists intervals.
type IntervalsAnswer struct {
	format     string
	gaps       []usage.Gap
	doubts     [][]usage.Doubted // in JSON: of each gap, those with the most intervals
	doubted    []usage.Doubted   // in a table: of all, those with the most intervals
	allDoubted int
	neverAsked int
}

// Write writes the intervals.
func (a *IntervalsAnswer) Write(out io.Writer, _ func(string) string) error {
	if a.format == JSON {
		return a.json(out)
	}
	if err := gapsTable(out, a.gaps); err != nil {
		return err
	}
	if err := a.doubtedTable(out); err != nil || a.neverAsked == 0 {
		return err
	}
	_, err := fmt.Fprintf(out, "%s %s never asked for, %s; if a wrong clock left them, drop them with --drop-never-asked.\n",
		counted(a.neverAsked, "interval"), WasOrWere(a.neverAsked), WhereNeverAsked)
	return err
}

// WhereNeverAsked is where intervals can be dropped.
const WhereNeverAsked = "before the first usage or in a gap of more than 90 days"

// WasOrWere is the verb for so many.
func WasOrWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}
