// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/doctor"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/table"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// allGrids in --grids means every grid of the configuration.
const allGrids = "all"

// comparison is when and where to run.
type comparison struct {
	Window string       `json:"window"`
	Until  *time.Time   `json:"until"` // when a window ends at the latest; nil: any time
	Grids  []gridWindow `json:"grids"`
	Best   *gridWindow  `json:"best"` // of those that are compared; nil: there is none

	job answers.Job
}

// gridWindow is the best window of one grid.
type gridWindow struct {
	Grid     string              `json:"grid"`
	Provider string              `json:"provider"` // empty with Failure
	Basis    string              `json:"basis"`
	Now      *answers.PlanWindow `json:"now"`
	Best     *answers.PlanWindow `json:"best"`
	// Compared is whether its values count the same as those of the first grid.
	Compared bool   `json:"compared"`
	LeftOut  string `json:"left_out,omitempty"` // why it is not compared
	// Undeclared is what nobody says of its basis: whether it compares is not known for sure.
	Undeclared string `json:"undeclared,omitempty"`
	Failure    string `json:"failure,omitempty"` // why there is no forecast
}

// namedChain is a grid that can be compared.
type namedChain struct {
	name  string
	chain ingest.Chain
}

// compare asks several grids, and says where and when to run.
func (f *forecast) compare(ctx context.Context, s streams, c *config.Config, now time.Time) error {
	job, err := f.Job(c.Location(), now)
	if err != nil {
		return err
	}
	chains, err := f.chains(c)
	if err != nil {
		return err
	}
	limited, done := context.WithTimeout(ctx, patientExamination)
	defer done()
	said := comparison{Window: f.Window, Grids: askGrids(limited, chains, now, c.Location(), job), job: job}
	if job.Until != nil {
		said.Until = new(job.Until.UTC())
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	said.judge()
	if f.Format == answers.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		err = e.Encode(said)
	} else {
		err = said.text(s.out, c.Location())
	}
	if err == nil && said.Best == nil {
		return errors.New("no grid has a forecast for a whole window")
	}
	return err
}

// chains makes those that --grids names, in its order.
func (f *forecast) chains(c *config.Config) ([]namedChain, error) {
	known, names := map[string]ingest.Chain{}, []string{}
	for _, of := range parts.GridChains(c) {
		if of.Use != parts.UsePrices && of.Use != parts.UseElsewhere {
			continue
		}
		chain, err := parts.Chain(c, of.Chain, of.Path, time.Now)
		if err != nil {
			return nil, err
		}
		name := of.Grid
		if name == "" {
			name = chain[0].Grid()
		}
		if _, twice := known[name]; !twice {
			known[name], names = chain, append(names, name)
		}
	}
	wanted := names
	if f.grids != allGrids {
		wanted = nil
		for name := range strings.SplitSeq(f.grids, ",") {
			wanted = append(wanted, strings.TrimSpace(name))
		}
	}
	var some []namedChain
	for i, name := range wanted {
		if known[name] == nil {
			return nil, wrongUsef("--grids: there is no grid %q; the grids are %s, or all", name, strings.Join(names, ", "))
		}
		if !slices.Contains(wanted[:i], name) {
			some = append(some, namedChain{name, known[name]})
		}
	}
	return some, nil
}

// askGrids asks side by side, but for grids whose sources want time between requests.
func askGrids(ctx context.Context, chains []namedChain, now time.Time, zone *time.Location, job answers.Job) []gridWindow {
	found := make([]gridWindow, len(chains))
	var group sync.WaitGroup
	places := make(chan struct{}, sourcesAtOnce)
	ask := func(i int) {
		places <- struct{}{}
		defer func() { <-places }()
		found[i] = askGrid(ctx, chains[i], now, zone, job)
	}
	var slow []int
	for i, c := range chains {
		if longestGap(c.chain) > 0 {
			slow = append(slow, i)
			continue
		}
		group.Go(func() { ask(i) })
	}
	for n, i := range slow {
		if n > 0 {
			rest(ctx, longestGap(chains[i].chain))
		}
		ask(i)
	}
	group.Wait()
	return found
}

func longestGap(chain ingest.Chain) (gap time.Duration) {
	for _, g := range chain {
		gap = max(gap, g.Terms().Gap)
	}
	return gap
}

func askGrid(ctx context.Context, c namedChain, now time.Time, zone *time.Location, job answers.Job) gridWindow {
	w := gridWindow{Grid: c.name}
	some := answers.Ahead(c.chain)
	if len(some) == 0 {
		w.Failure = "none of its sources has a forecast"
		return w
	}
	quiet := func(string) {} // each failure is told in the last
	grid, slots, err := answers.FirstForecast(ctx, quiet, some, nil, now)
	if err != nil {
		w.Failure = oneLine(errors.New(usage.Cause(err)))
		return w
	}
	outlook := usage.OutlookAt(slots, now)
	w.Provider, w.Basis = grid.Provider(), grid.Terms().Basis.String()
	w.Undeclared = doctor.Undeclared(grid.Terms())
	w.Now, w.Best = answers.PlanWindowOf(outlook.Window(0, job.Length)), answers.PlanWindowOf(job.Best(outlook))
	if w.Best == nil {
		w.Failure = job.None(now, zone)
	}
	return w
}

// judge compares those that count the same as the first that has a window.
func (c *comparison) judge() {
	var first *gridWindow
	for i := range c.Grids {
		w := &c.Grids[i]
		if w.Best == nil {
			continue
		}
		if first == nil {
			first = w
		}
		if !usage.BasisOf(w.Basis).Agrees(usage.BasisOf(first.Basis)) {
			w.LeftOut = fmt.Sprintf("its values are %s, and those of %s are %s: they do not compare", w.Basis, first.Grid, first.Basis)
			continue
		}
		w.Compared = true
		if c.Best == nil || w.Best.Mean < c.Best.Best.Mean {
			c.Best = w
		}
	}
}

func (c *comparison) text(out io.Writer, zone *time.Location) error {
	fmt.Fprintf(out, "Best %s%s of each grid, gCO2eq/kWh.\n\n", c.Window, c.job.By(zone))
	t := table.Table{
		table.Words("GRID"), table.Words("SOURCE"), table.Words("WHEN"), table.Numbers("MEAN"), table.Numbers("STARTING NOW"), table.Words("BASIS"),
	}
	for _, w := range c.Grids {
		when, mean, now, basis := "none", "-", "-", w.Basis
		if w.Best != nil {
			when, mean = w.Best.When(zone), answers.PlanNumber(w.Best.Mean)
		}
		if w.Now != nil {
			now = answers.PlanNumber(w.Now.Mean)
		}
		if basis == "" {
			basis = "not declared"
		}
		if w.Provider == "" {
			basis = "-"
		}
		t.Add(w.Grid, orDash(w.Provider), when, mean, now, basis)
	}
	if err := t.Write(out, ""); err != nil {
		return err
	}
	fmt.Fprintln(out)
	if b := c.Best; b != nil {
		fmt.Fprintf(out, "Best of all: %s, %s, mean %s%s.\n", escape.Name(b.Grid), b.Best.When(zone), answers.PlanNumber(b.Best.Mean), c.saved())
	}
	for _, w := range c.Grids {
		switch {
		case w.Failure != "":
			fmt.Fprintf(out, "NO FORECAST of %s: %s.\n", escape.Name(w.Grid), strings.TrimSuffix(escape.Line(w.Failure), "."))
		case w.LeftOut != "":
			fmt.Fprintf(out, "NOT COMPARED: %s: %s.\n", escape.Name(w.Grid), escape.Line(w.LeftOut))
		case w.Undeclared != "":
			fmt.Fprintf(out, "NOT SURE: nobody says whether the values of %s are %s; carbontool doctor --only=sources says where to declare it.\n", escape.Name(w.Grid), w.Undeclared)
		}
	}
	return nil
}

// saved says what is saved against a start now, in the first grid.
func (c *comparison) saved() string {
	for _, w := range c.Grids {
		if !w.Compared || w.Now == nil || w.Now.Mean <= 0 {
			continue
		}
		if saved := 100 * float64(1-c.Best.Best.Mean/w.Now.Mean); saved >= 0.5 {
			return fmt.Sprintf(": %.0f %% less than starting now in %s", saved, escape.Name(w.Grid))
		}
		return ", which is now or as good as now in " + escape.Name(w.Grid)
	}
	return ""
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
