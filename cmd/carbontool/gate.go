// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/remote"
	"github.com/carbon-exporter/carbon_exporter/internal/gate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// gateWork says by its exit code whether work should start now.
type gateWork struct {
	site
	project, budget         string
	projectGiven            bool
	at, projected, saves    float64
	deferFor, length        string
	deferGiven, lengthGiven bool
	savesGiven              bool
	format                  string
}

// gateTimeout bounds how long work waits for its gate.
const gateTimeout = 30 * time.Second

func (g *gateWork) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("gate", "Say by the exit code whether work should start now: for CI jobs and schedulers.").HelpLong(`
The exit code is

  0  go
  3  denied: the budget is used up, or will be
  4  deferred: a later time is better for the grid
  2  wrong use, such as a budget that there is not
  1  interrupted, or the answer could not be written

What cannot be known never holds work back: without a store, a server that answers,
usage of the budget, data that is new or a forecast, the exit code is 0, and standard
error has a line that says what was not known.

--budget names a budget of the configuration that concerns the project: its own, its
group's or the site's. It denies work once --at of its limit is used, and with
--projected also while it is projected to end that high.

--defer-to-best=6h looks for a better time to begin, within the next six hours: one from
which on the mean forecast over --for is lower by more than --saves. Standard output is
then that time in RFC 3339, and nothing otherwise. A budget that denies the work comes
first. A static value has no forecast, and is the same at any time: go.

Standard error has a line of numbers that the verdict rests on, in logfmt; --format=json
writes them to standard output.

Example:

    carbontool gate --project=CLF --budget=clf-monthly --defer-to-best=6h
        --server=https://carbon.example.org
`)
	g.site.register(c)
	c.Flag("project", "Project that the work is of.").PlaceHolder("PROJECT").IsSetByUser(&g.projectGiven).StringVar(&g.project)
	c.Flag("budget", "Budget that the work counts against, by its name in the configuration.").PlaceHolder("BUDGET").StringVar(&g.budget)
	c.Flag("at", "Deny work once this share of the limit is used.").Default("1").FloatVar(&g.at)
	c.Flag("projected", "Deny work while the period is projected to end at this share of the limit, such as 1.2. 0: never.").Default("0").FloatVar(&g.projected)
	c.Flag("defer-to-best", "Defer work if a better time begins within this time, at most 47h.").PlaceHolder("DURATION").IsSetByUser(&g.deferGiven).StringVar(&g.deferFor)
	c.Flag("for", "How long the work takes: a multiple of 30m, at most 48h.").Default("1h").IsSetByUser(&g.lengthGiven).StringVar(&g.length)
	c.Flag("saves", "The share of emissions that a better time must save, and more than that.").Default("0.1").IsSetByUser(&g.savesGiven).FloatVar(&g.saves)
	c.Flag("format", "Format of standard output: text or json.").Default("text").EnumVar(&g.format, "text", "json")
	return c
}

// rules are those of the flags.
func (g *gateWork) rules() (gate.Rules, error) {
	r := gate.Rules{At: g.at, Projected: g.projected, Saves: g.saves}
	var err error
	switch {
	case g.budget == "" && g.projectGiven:
		return r, wrongUsef("--budget: is missing: which budget of the project?")
	case g.budget == "" && !g.deferGiven:
		return r, wrongUsef("nothing to decide: give --project and --budget, or --defer-to-best, or all of them")
	case g.budget != "" && g.project == "":
		return r, wrongUsef("--project: is missing: whose work counts against the budget?")
	case !(g.at > 0): // also what is no number
		return r, wrongUsef("--at: must be above 0, is %v", g.at)
	case !(g.projected >= 0):
		return r, wrongUsef("--projected: must not be below 0, is %v", g.projected)
	case !(g.saves >= 0 && g.saves < 1):
		return r, wrongUsef("--saves: must be at least 0 and below 1, is %v", g.saves)
	case !g.deferGiven && (g.lengthGiven || g.savesGiven):
		return r, wrongUsef("--for and --saves belong to --defer-to-best")
	case !g.deferGiven:
		return r, nil
	}
	if r.Within, err = deferral("--defer-to-best", g.deferFor); err != nil {
		return r, err
	}
	if r.Within > usage.OutlookLength-time.Hour {
		return r, wrongUsef("--defer-to-best: must be at most 47h, because forecasts are for 48h, is %s", g.deferFor)
	}
	r.For, err = answers.Forecast{Window: g.length}.Length()
	if err != nil {
		return r, wrongUsef("--for: must be a multiple of 30m, at most 48h, is %q", g.length)
	}
	return r, nil
}

func deferral(flag, value string) (time.Duration, error) {
	d, err := model.ParseDuration(value)
	if err != nil || d <= 0 {
		return 0, wrongUsef("%s: %q is not a duration such as 6h or 90m", flag, value)
	}
	return time.Duration(d), nil
}

// asker answers a question of the API in JSON. Answers of the store and of a server are the same.
type asker func(ctx context.Context, question string, flags url.Values) ([]byte, error)

func (g *gateWork) run(ctx context.Context, s streams) error { return g.decide(ctx, s, g.here(s)) }

func (g *gateWork) ask(ctx context.Context, s streams, from *remote.Server, _ url.Values) error {
	return g.decide(ctx, s, func(ctx context.Context, question string, flags url.Values) ([]byte, error) {
		var answer bytes.Buffer
		flags.Set("format", answers.JSON)
		err := from.Ask(ctx, question, flags, &answer)
		return answer.Bytes(), err
	})
}

// here asks the store and, for a forecast that is not in it, the providers.
func (g *gateWork) here(s streams) asker {
	return func(ctx context.Context, question string, flags url.Values) ([]byte, error) {
		c, err := g.config()
		if err != nil {
			return nil, err
		}
		var said answers.Answer
		if question == "forecast" {
			said, err = (&forecast{site: g.site, Forecast: answers.Forecast{
				Window: flags.Get("window"), Format: answers.JSON,
				Say: func(line string) { fmt.Fprintf(s.err, "carbontool gate: %s\n", line) },
			}}).answer(ctx, c, s.time().Now())
		} else {
			said, err = (&listBudgets{site: g.site, Budgets: answers.Budgets{Format: answers.JSON}}).answer(ctx, s, c)
		}
		if err != nil {
			return nil, err
		}
		var answer bytes.Buffer
		err = said.Write(&answer, nil)
		return answer.Bytes(), err
	}
}

// decide asks, judges and writes. What was asked in vain is a doubt, and no failure.
func (g *gateWork) decide(ctx context.Context, s streams, ask asker) error {
	rules, err := g.rules()
	if err != nil {
		return err
	}
	now := s.time().Now()
	a, facts := &gateAnswer{Time: now.UTC(), Project: g.project}, gate.Facts{Now: now}
	limited, done := context.WithTimeout(ctx, gateTimeout)
	defer done()
	if g.budget != "" {
		if err := g.askBudget(limited, ask, a, &facts); err != nil {
			return err
		}
	}
	if g.deferGiven {
		g.askGrid(limited, ask, a, &facts)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d := gate.Decide(rules, facts)
	a.decided(d)
	if err := a.write(s, g.format); err != nil {
		return err
	}
	if a.ExitCode != exitDone {
		return verdict(a.ExitCode)
	}
	return nil
}

// askBudget asks where the budget stands. A budget that there is not, or that is not of the project, is
// a wrong use.
func (g *gateWork) askBudget(ctx context.Context, ask asker, a *gateAnswer, f *gate.Facts) error {
	doubt := func(err error) {
		f.Doubts = append(f.Doubts, fmt.Sprintf("where budget %s stands: %s", g.budget, oneLine(err)))
	}
	text, err := ask(ctx, "budgets", url.Values{})
	if err != nil {
		doubt(err)
		return nil
	}
	var all answers.BudgetsAnswer
	if err := json.Unmarshal(text, &all); err != nil {
		doubt(fmt.Errorf("the answer is no list of budgets: %w", err))
		return nil
	}
	i := slices.IndexFunc(all.Budgets, func(b answers.BudgetStatus) bool { return b.Name == g.budget })
	if i < 0 {
		return wrongUsef("--budget: there is no budget %q; the budgets are %s", g.budget, budgetNames(all.Budgets))
	}
	b := all.Budgets[i]
	switch of, sure := b.Of(g.project); {
	case !of && sure:
		of := b.Scope + " " + b.Target
		if b.Scope == string(usage.ScopeUser) {
			of = "a user"
		}
		return wrongUsef("--budget: %s is of %s, and does not concern project %q", b.Name, of, g.project)
	case !of:
		f.Doubts = append(f.Doubts, fmt.Sprintf("whether budget %s of group %s concerns project %s: it has had no usage of that group yet", b.Name, b.Target, g.project))
		return nil
	}
	line := &gateBudget{BudgetStatus: b, AllowedRatio: g.at}
	f.Budget = &gate.Budget{
		Name: b.Name, Unit: b.UnitName(), Limit: b.Limit, Period: usage.Period{From: b.From, To: b.To},
		Used: b.Used, Unknown: seconds(b.Unseen), Projected: b.Projected, Interval: seconds(all.Interval),
	}
	if all.Newest != nil {
		f.Budget.Newest, line.NewestInterval = *all.Newest, all.Newest
	}
	a.Budget = line
	return nil
}

func seconds(v float64) time.Duration { return time.Duration(v * float64(time.Second)) }

// budgetNames lists those that a gate can be of.
func budgetNames(all []answers.BudgetStatus) string {
	var names []string
	for _, b := range all {
		if b.Scope != string(usage.ScopeUser) && b.Scope != string(usage.ScopeMachine) {
			names = append(names, b.Name)
		}
	}
	if len(names) == 0 {
		return "none: the configuration has no budget of a project, a group or the site"
	}
	return strings.Join(names, ", ")
}

// askGrid asks for the forecast.
func (g *gateWork) askGrid(ctx context.Context, ask asker, a *gateAnswer, f *gate.Facts) {
	doubt := func(err error) { f.Doubts = append(f.Doubts, "whether a later time is better: "+oneLine(err)) }
	text, err := ask(ctx, "forecast", url.Values{"window": {g.length}})
	if err != nil {
		doubt(err)
		return
	}
	var plan answers.Plan
	if err := json.Unmarshal(text, &plan); err != nil {
		doubt(fmt.Errorf("the answer is no forecast: %w", err))
		return
	}
	var slots []usage.Slot
	for _, s := range plan.Slots {
		slots = append(slots, usage.Slot{From: s.From, Forecast: &s.Intensity})
	}
	f.Grid = &gate.Grid{Name: plan.Grid, Outlook: usage.OutlookAt(slots, f.Now), FetchedAt: plan.FetchedAt}
	a.Grid = &gateGrid{Grid: plan.Grid, Provider: plan.Provider, FetchedAt: plan.FetchedAt}
}
