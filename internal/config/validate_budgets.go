package config

import (
	"fmt"
	"time"
)

// wholeSite is the only scope that has a single member and therefore no target.
const wholeSite = "ada"

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
	validateOneOf(f, path+".scope", b.Scope, wholeSite, "project", "machine", "user", "group")
	if b.Scope == wholeSite && b.Target != "" {
		f.key(path+".target", "must be left out for the scope %s, is %q", wholeSite, b.Target)
	} else if b.Scope != wholeSite && b.Target == "" {
		f.key(path+".target", "must name the project, machine, user or group")
	}
	b.validateTime(f, path)
	switch {
	case b.GCO2eq == nil && b.KWh == nil:
		f.key(path, "must have gco2eq or kwh")
	case b.GCO2eq != nil && b.KWh != nil:
		f.key(path+".kwh", "must not be set together with gco2eq")
	}
	if b.GCO2eq != nil {
		validatePositive(f, path+".gco2eq", *b.GCO2eq)
	}
	if b.KWh != nil {
		validatePositive(f, path+".kwh", *b.KWh)
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
