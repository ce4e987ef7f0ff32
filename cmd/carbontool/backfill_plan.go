// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// printPlan prints which queries would be sent, and for how many intervals.
func printPlan(out io.Writer, cfg *config.Config, set ingest.Settings, o outcome) {
	fmt.Fprintln(out, "Dry run: no queries are sent and nothing is written.")
	o.head(out)
	d := o.done
	if d.All == 0 {
		return
	}
	row(out, "to collect", o.toAsk(), "")
	o.rest(out)
	if d.Runs > 0 {
		i := usage.IntervalAt(d.Whole.From, set.Interval)
		queries := set.Source.(*source.Client).Queries(i)
		fmt.Fprintf(out, "Prometheus at %s: %s of up to a day, %d queries each, %d requests in all:\n",
			config.PublicURL(cfg.Prometheus.URL), counted(d.Runs, "run"), len(queries), d.Runs*len(queries))
		for _, q := range queries {
			fmt.Fprintf(out, "  %s\n", q)
		}
	}
	if len(d.Windows) > 0 {
		for _, g := range set.Grid {
			fmt.Fprintf(out, "Carbon intensity of %s (%s): %s of up to 13 days%s.\n",
				g.Grid(), g.Provider(), counted(len(d.Windows), "window"), requests(g, d.Windows))
		}
	}
}

// toAsk counts the intervals that are neither stored nor skipped.
func (o outcome) toAsk() int {
	n := o.done.All - o.done.Had
	for _, left := range o.done.Left {
		n -= left
	}
	return n
}

// requests is how many requests a provider makes for the windows, if it makes any.
func requests(g ingest.Grid, windows []usage.Period) string {
	counter, ok := g.(interface{ Requests(from, to time.Time) int })
	if !ok {
		return ", no requests"
	}
	n := 0
	for _, w := range windows {
		n += counter.Requests(w.From, w.To)
	}
	return ", " + counted(n, "request")
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
