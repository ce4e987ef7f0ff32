// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// A budget that is exceeded is seen to be: bars of what was used go on beyond the limit, and the
// colour changes there.
func TestBarsOfBudgetsGoOnBeyondTheLimit(t *testing.T) {
	limited := func(t *testing.T, name string, th *dashboard.ThresholdsConfig, top float64) {
		t.Helper()
		if last := *th.Steps[len(th.Steps)-1].Value; last != 1 || top <= last {
			t.Errorf("%s: the last threshold is %v, the bar ends at %v", name, last, top)
		}
	}
	bars := budgetsUsed()
	limited(t, "bars", bars.FieldConfig.Defaults.Thresholds, *bars.FieldConfig.Defaults.Max)
	if o := bars.Options.(*bargauge.Options); o.DisplayMode != common.BarGaugeDisplayModeLcd {
		t.Errorf("bars are %q, and do not show where the limit is", o.DisplayMode)
	}
	table := budgetTable().Panel
	limited(t, "cells", property(table, "Used", "thresholds").(*dashboard.ThresholdsConfig), property(table, "Used", "max").(float64))
	if mode := property(table, "Used", "custom.cellOptions").(map[string]any)["mode"]; mode != common.BarGaugeDisplayModeLcd {
		t.Errorf("cells are %q", mode)
	}
}

// A band is filled from its high edge down to its low one, which are two series of the panel.
func TestBandsAreFromLowToHigh(t *testing.T) {
	found := 0
	for _, d := range read(t) {
		for _, p := range panels(d) {
			asked := map[string]string{}
			for _, q := range queries(p) {
				if q.LegendFormat != nil {
					asked[*q.LegendFormat] = q.Expr
				}
			}
			for _, o := range p.FieldConfig.Overrides {
				for _, property := range o.Properties {
					if property.Id != "custom.fillBelowTo" {
						continue
					}
					found++
					high, low := asked[o.Matcher.Options.(string)], asked[property.Value.(string)]
					if !strings.Contains(high, "_high_") || strings.ReplaceAll(strings.ReplaceAll(high, "_high_", "_low_"), "max(", "min(") != strings.ReplaceAll(low, "max(", "min(") {
						t.Errorf("%s, %s: from %s down to %s", *d.Title, *p.Title, high, low)
					}
				}
			}
		}
	}
	if found < 3 {
		t.Errorf("%d bands", found)
	}
}

// The best times say when, as a clock does, and how long that is from now.
func TestBestTimesAreOfAClock(t *testing.T) {
	p := bestWindows().Panel
	for column, want := range map[string]string{"From": weekdayAndTime, "To": weekdayAndTime, "Starts": "dateTimeFromNow"} {
		if got := property(p, column, "unit"); got != want {
			t.Errorf("%s is in %v", column, got)
		}
	}
	if !strings.HasPrefix(weekdayAndTime, "time:ddd HH:mm") {
		t.Errorf("%s has no day of the week or no time", weekdayAndTime)
	}
}

// What money costs is in the currency that the reader has chosen, at the price that is set
// beside it.
func TestCostsHaveACurrency(t *testing.T) {
	found := 0
	for _, d := range read(t) {
		for _, p := range panels(d) {
			if !slices.ContainsFunc(targets(p), func(expr string) bool { return strings.Contains(expr, "* $price") }) {
				continue
			}
			found++
			if name, _ := property(p, "Cost", "displayName").(string); !strings.Contains(*p.Title+name, "$currency") {
				t.Errorf("%s, %s: a cost in what?", *d.Title, *p.Title)
			}
			for _, variable := range []string{"price", "currency"} {
				if !slices.Contains(variables(d), variable) {
					t.Errorf("%s has no variable %s", *d.Title, variable)
				}
			}
		}
	}
	if found < 6 {
		t.Errorf("%d costs", found)
	}
}

func targets(p dashboard.Panel) (exprs []string) {
	for _, q := range queries(p) {
		exprs = append(exprs, q.Expr)
	}
	return exprs
}

// All 48 hours of a forecast have a name that sorts by time.
func TestLeadTimesSort(t *testing.T) {
	const sources = 5 // 30m; h and hh; h30m and hh30m
	if got := strings.Count(byLeadTime("x"), "label_replace("); got != sources {
		t.Errorf("%d forms of lead times", got)
	}
	expr := queries(nextDays().Panel)[0].Expr
	if strings.Contains(expr, "ahead=~") {
		t.Errorf("not of all lead times: %s", expr)
	}
}

// Every equivalent is rounded to two digits, where it is asked for.
func TestEquivalentsHaveTwoDigits(t *testing.T) {
	all := equivalents()
	if len(all) != 6 {
		t.Errorf("%d equivalents", len(all))
	}
	for _, p := range all {
		if expr := queries(p.Panel)[0].Expr; !strings.HasPrefix(expr, "round(") || !strings.Contains(expr, "log10(") {
			t.Errorf("%s: %s", *p.Title, expr)
		}
	}
}

// A share of the whole is of the whole: the same query without the choice.
func TestSharesAreOfTheWholeSite(t *testing.T) {
	for _, s := range []selection{chosen, ofMachine} {
		for _, p := range []panel{shareOf(s, energy, "Energy"), shareOverTime(s)} {
			for _, expr := range targets(p.Panel) {
				part, whole, ok := strings.Cut(expr, ") / ")
				if !ok || !strings.Contains(part, string(s)) || strings.Contains(whole, string(s)) {
					t.Errorf("%s / %s", part, whole)
				}
			}
		}
	}
}
