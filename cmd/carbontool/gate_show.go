// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/gate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// gateAnswer is a verdict and the numbers that it rests on, for programs.
type gateAnswer struct {
	Time     time.Time    `json:"time"`
	Verdict  gate.Verdict `json:"verdict"`
	ExitCode int          `json:"exit_code"`
	Reason   string       `json:"reason"`
	Start    *time.Time   `json:"start"` // of the better time, if the work is deferred
	NotKnown []string     `json:"not_known"`
	Project  string       `json:"project,omitempty"`
	Budget   *gateBudget  `json:"budget"` // nil: none was asked for, or nothing is known of it
	Grid     *gateGrid    `json:"grid"`
}

type gateBudget struct {
	answers.BudgetStatus
	AllowedRatio   float64    `json:"allowed_ratio"`
	NewestInterval *time.Time `json:"newest_interval_end"`
}

type gateGrid struct {
	Grid      string              `json:"grid"`
	Provider  string              `json:"provider"`
	FetchedAt time.Time           `json:"fetched_at"`
	Now       *answers.PlanWindow `json:"now"`
	Best      *answers.PlanWindow `json:"best"` // that begins within --defer-to-best; it may be now
	Saving    *float64            `json:"saving_ratio"`
}

func gateWindow(w *usage.Window) *answers.PlanWindow {
	if w == nil {
		return nil
	}
	return &answers.PlanWindow{From: w.From.UTC(), To: w.To.UTC(), Mean: w.Mean}
}

// decided adds a decision.
func (a *gateAnswer) decided(d gate.Decision) {
	a.Verdict, a.Reason, a.NotKnown = d.Verdict, d.Reason, d.Doubts
	if a.NotKnown == nil {
		a.NotKnown = []string{}
	}
	switch d.Verdict {
	case gate.Denied:
		a.ExitCode = exitDenied
	case gate.Deferred:
		a.ExitCode = exitDeferred
		a.Start = new(d.Best.From.UTC())
	}
	if a.Grid != nil {
		a.Grid.Now, a.Grid.Best = gateWindow(d.Now), gateWindow(d.Best)
		if saving, ok := d.Saving(); ok {
			a.Grid.Saving = &saving
		}
	}
}

// write writes what was not known and the numbers to standard error, and the answer to standard output.
func (a *gateAnswer) write(s streams, format string) error {
	for _, doubt := range a.NotKnown {
		fmt.Fprintf(s.err, "carbontool gate: not known: %s\n", escape.Line(doubt))
	}
	slog.New(slog.NewTextHandler(s.err, nil)).Info(string(a.Verdict), a.numbers()...)
	switch {
	case format == "json":
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		return e.Encode(a)
	case a.Start != nil:
		_, err := fmt.Fprintln(s.out, a.Start.Format(time.RFC3339))
		return err
	}
	return nil
}

// numbers are those that are known, for the line in logfmt.
func (a *gateAnswer) numbers() []any {
	line := []any{"reason", a.Reason}
	add := func(key string, value any) { line = append(line, key, value) }
	number := func(key string, value *float64) {
		if value != nil {
			add(key, *value)
		}
	}
	if a.Project != "" {
		add("project", a.Project)
	}
	if b := a.Budget; b != nil {
		add("budget", b.Name)
		add("scope", b.Scope)
		add("unit", b.Unit)
		add("limit", b.Limit)
		number("used", b.Used)
		number("used_ratio", b.UsedRatio)
		add("allowed_ratio", b.AllowedRatio)
		for _, w := range slices.Sorted(maps.Keys(b.Burn)) {
			add("burn_ratio_"+w, b.Burn[w])
		}
		number("projected_ratio", b.Projected)
		add("unseen_seconds", b.Unseen)
		add("period_end", b.To.UTC().Format(time.RFC3339))
		if b.NewestInterval != nil {
			add("newest_interval_end", b.NewestInterval.UTC().Format(time.RFC3339))
		}
	}
	if g := a.Grid; g != nil {
		add("grid", g.Grid)
		add("fetched_at", g.FetchedAt.UTC().Format(time.RFC3339))
		if g.Now != nil {
			add("now_gco2eq_per_kwh", float64(g.Now.Mean))
		}
		if g.Best != nil {
			add("best_gco2eq_per_kwh", float64(g.Best.Mean))
			add("best_start", g.Best.From.UTC().Format(time.RFC3339))
		}
		number("saving_ratio", g.Saving)
	}
	return line
}
