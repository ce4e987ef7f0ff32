// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Budget is a budget and its status, with the target as it may be shown.
type Budget struct {
	Name, Target string
	Scope        usage.Scope
	InKWh        bool // whether Limit and Used are kWh; else they are grams
	Limit        float64
	usage.Period
	Used, Projected *float64 // nil: not known; Projected is a fraction of the limit
}

// budgetView is a budget in words, and as a bar that may go past its limit.
type budgetView struct {
	Name, Of, When    string
	Used, Share       string
	Projected         string
	UsedBar, Projects string // widths in percent of the bar
	Limit             string // where the limit is
	Over, WillBeOver  bool
	Unknown           bool
}

func (b Budget) amount(v float64) string {
	if b.InKWh {
		return energyText(usage.KWh(v))
	}
	return massText(usage.Grams(v))
}

// limit is the limit with what it is of.
func (b Budget) limit() string {
	text := short(b.amount(b.Limit))
	if !b.InKWh {
		text += " CO₂eq"
	}
	return text
}

func (b Budget) of() string {
	if b.Scope == usage.ScopeAda {
		return "whole site"
	}
	return scopeName(b.Scope) + " " + escape.Name(b.Target)
}

func budgetViews(all []Budget, c calendar) (views []budgetView) {
	for _, b := range all {
		views = append(views, b.view(c))
	}
	return views
}

func (b Budget) view(c calendar) budgetView {
	v := budgetView{Name: escape.Name(b.Name), Of: b.of(), When: b.when(c)}
	if b.Used == nil {
		v.Unknown, v.Used = true, unknown+", of "+b.limit()
		return v
	}
	share := *b.Used / b.Limit
	v.Used, v.Share, v.Over = fmt.Sprintf("%s of %s", b.amount(*b.Used), b.limit()), percent(share), share > 1
	full := max(share, 1)
	if b.Projected != nil {
		v.Projected, v.WillBeOver = "projected "+percent(*b.Projected), *b.Projected > 1
		full = max(full, *b.Projected)
		v.Projects = percents(100 * *b.Projected / full)
	}
	v.UsedBar, v.Limit = percents(100*share/full), percents(100/full)
	return v
}

// when says which period it is and how much of it is over.
func (b Budget) when(c calendar) string {
	switch {
	case c.now.Before(b.From):
		return "begins " + c.day(b.From)
	case !c.now.Before(b.To):
		return "its last day was " + c.day(b.To.Add(-time.Second))
	}
	over := float64(c.now.Sub(b.From)) / float64(b.To.Sub(b.From))
	return fmt.Sprintf("%s of the period is over; its last day is %s", percent(over), c.day(b.To.Add(-time.Second)))
}
