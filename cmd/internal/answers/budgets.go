// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/standing"
	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Budgets asks where the budgets of the configuration stand.
type Budgets struct {
	Format string // one of BudgetsFormats; empty: JSON
}

// BudgetsFormats lists the formats of the answer.
func BudgetsFormats() []string { return []string{Table, CSV, JSON} }

// BudgetsAnswer is where the budgets stand, in the order of the configuration.
type BudgetsAnswer struct {
	Newest   *time.Time     `json:"newest_interval_end"` // nil: nothing is stored
	Interval float64        `json:"interval_seconds"`
	Budgets  []BudgetStatus `json:"budgets"`

	format string
	zone   *time.Location
}

// BudgetStatus is where a budget stands. Nil is unknown, which is never 0.
type BudgetStatus struct {
	Name   string `json:"name"`
	Scope  string `json:"scope"`
	Target string `json:"target"` // empty: the whole site
	// Projects are those of a group, sorted. If AllProjects is false, they are those that had usage of
	// the group so far: its people may use others.
	Projects    []string    `json:"projects,omitempty"`
	AllProjects bool        `json:"all_projects,omitempty"`
	Period      string      `json:"period"` // empty: once
	From        time.Time   `json:"from"`   // of the period that is now, or is the only one
	To          time.Time   `json:"to"`
	InForce     bool        `json:"in_force"` // whether the period is now
	Unit        budget.Unit `json:"unit"`
	Limit       float64     `json:"limit"`
	Used        *float64    `json:"used"` // until the newest complete interval
	// UsedRatio is Used as a part of the limit, and Projected what will be used at the end of the period.
	UsedRatio *float64           `json:"used_ratio"`
	Unseen    float64            `json:"unseen_seconds"` // of the period until then, that are not in Used
	Burn      map[string]float64 `json:"burn_ratio"`     // by window: 1 is on plan; a window that is not known is absent
	Projected *float64           `json:"projected_ratio"`
}

// Of reports whether the budget concerns a project. sure is false if only usage can say so, and has not
// yet.
func (b BudgetStatus) Of(project string) (of, sure bool) {
	switch usage.ScopeOf(b.Scope) {
	case usage.ScopeAda:
		return true, true
	case usage.ScopeProject:
		return b.Target == project, true
	case usage.ScopeGroup:
		return slices.Contains(b.Projects, project), b.AllProjects
	}
	return false, true
}

// UnitName is the unit as a person reads it.
func (b BudgetStatus) UnitName() string {
	if b.Unit == budget.KWh {
		return "kWh"
	}
	return "gCO2eq"
}

// Answer reads where the budgets stand.
func (q Budgets) Answer(ctx context.Context, from From) (*BudgetsAnswer, error) {
	a := &BudgetsAnswer{
		Interval: from.Store.Interval().Seconds(), Budgets: []BudgetStatus{},
		format: q.Format, zone: from.Config.Location(),
	}
	return a, from.Store.View(ctx, func(v *store.View) error {
		held, some, err := v.Span(ctx)
		if err != nil {
			return err
		}
		if some {
			a.Newest = new(held.To.UTC())
		}
		summary, err := v.Summary(ctx)
		if err != nil {
			return err
		}
		book := standing.NewBook(v)
		for _, b := range parts.Budgets(from.Config) {
			status, err := book.Status(ctx, b, summary.Totals, from.Now)
			if err != nil {
				return err
			}
			line := statusOf(b, status, from.Now)
			switch {
			case b.Scope == usage.ScopeUser && from.Users != nil:
				line.Target, _ = from.Users(b.Target)
			case b.Scope == usage.ScopeGroup:
				line.Projects, line.AllProjects = projectsOf(b.Target, from.Config.Attribution, summary.Totals)
			}
			a.Budgets = append(a.Budgets, line)
		}
		return nil
	})
}

func statusOf(b budget.Budget, s budget.Status, now time.Time) BudgetStatus {
	_, inForce := b.Period(now)
	is := BudgetStatus{
		Name: b.Name, Scope: usage.Site, Target: b.Target, Period: string(b.Kind), From: s.Period.From.UTC(), To: s.Period.To.UTC(), InForce: inForce,
		Unit: b.Unit, Limit: b.Limit, Used: s.Used, Unseen: s.Unknown.Seconds(), Burn: map[string]float64{}, Projected: s.Projected,
	}
	if b.Scope != usage.ScopeAda {
		is.Scope = string(b.Scope)
	}
	if s.Used != nil {
		is.UsedRatio = new(*s.Used / b.Limit)
	}
	for _, burn := range s.Burn {
		is.Burn[burn.Window.String()] = burn.Ratio
	}
	return is
}

// projectsOf lists the projects of a group, and says whether they are all that it can have: where
// groups are of projects, the configuration says so, and otherwise only usage does.
func projectsOf(group string, by config.Attribution, ever []usage.Total) (names []string, all bool) {
	all = by.GroupBy == config.GroupByProject
	if all {
		own := true // a project that no group lists is a group of its own
		for _, g := range by.Groups {
			own = own && !slices.Contains(g.Projects, group)
			if g.Name == group {
				names = append(names, g.Projects...)
			}
		}
		if own {
			names = append(names, group)
		}
	}
	for _, t := range ever {
		if t.Key.Group == group {
			names = append(names, t.Key.Project)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), all
}

// Write writes where the budgets stand.
func (a *BudgetsAnswer) Write(out io.Writer, cell func(string) string) error {
	switch a.format {
	case Table:
		return a.table(out)
	case CSV:
		return a.csv(out, cell)
	}
	return a.json(out)
}
