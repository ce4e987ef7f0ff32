// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func validateBudgets(f *faults, budgets []Budget) {
	names := map[string]bool{}
	for i, budget := range budgets {
		path := fmt.Sprintf("budgets[%d]", i)
		if budget.Name == "" {
			f.key(path+".name", "must not be empty")
		} else if names[budget.Name] {
			f.key(path+".name", "must be unique, but %q is used already", budget.Name)
		}
		names[budget.Name] = true
		budget.validate(f, path)
	}
}

func (b *Budget) validate(f *faults, path string) {
	validateOneOf(f, path+".scope", b.Scope, usage.Site, string(usage.ScopeAda), "project", "machine", "user", "group")
	// The site is the only scope that has a single member and therefore no target.
	if site := usage.ScopeOf(b.Scope) == usage.ScopeAda; site && b.Target != "" {
		f.key(path+".target", "must be left out for the scope %s, is %q", b.Scope, b.Target)
	} else if !site && b.Target == "" {
		f.key(path+".target", "must name the project, machine, user or group")
	}
	b.validateTime(f, path)
	first := ""
	for _, a := range b.amounts() {
		if a.value == nil {
			continue
		}
		if first != "" {
			f.key(path+"."+a.key, "must not be set together with %s", first)
		} else {
			first = a.key
		}
		validatePositive(f, path+"."+a.key, *a.value)
	}
	if first == "" {
		f.key(path, "must have a limit: gco2eq, kgco2eq, tco2eq, kwh or mwh")
	}
}

// validateTime checks that a budget has either a calendar period or one range of days.
func (b *Budget) validateTime(f *faults, path string) {
	if b.From == "" && b.To == "" {
		if b.Period == "" {
			f.key(path, "must have period, or from and to")
			return
		}
		validateOneOf(f, path+".period", b.Period, "day", "week", "month", "quarter", "year")
		return
	}
	if b.Period != "" {
		f.key(path+".period", "must not be set together with from and to")
	}
	from, fromErr := time.Parse(time.DateOnly, b.From)
	if fromErr != nil {
		f.key(path+".from", "must be the first day, such as 2026-01-01, is %q", b.From)
	}
	to, toErr := time.Parse(time.DateOnly, b.To)
	if toErr != nil {
		f.key(path+".to", "must be the day after the last, such as 2027-01-01, is %q", b.To)
	}
	if fromErr == nil && toErr == nil && !to.After(from) {
		f.key(path+".to", "must be after from, %s, is %s", b.From, b.To)
	}
}
