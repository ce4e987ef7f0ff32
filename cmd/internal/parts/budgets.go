// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Budgets returns the budgets of a valid configuration, in its order.
func Budgets(c *config.Config) []budget.Budget {
	zone := c.Location()
	all := make([]budget.Budget, len(c.Budgets))
	for i, of := range c.Budgets {
		b := budget.Budget{Name: of.Name, Scope: usage.ScopeOf(of.Scope), Target: of.Target, Kind: budget.Kind(of.Period), Zone: zone}
		if b.Kind == "" {
			b.Once = usage.Period{From: dayStart(of.From, zone), To: dayStart(of.To, zone)}
		}
		limit, inKWh := of.Limit()
		b.Unit, b.Limit = budget.GCO2eq, limit
		if inKWh {
			b.Unit = budget.KWh
		}
		all[i] = b
	}
	return all
}

// dayStart is the start of a date that the configuration has checked.
func dayStart(text string, zone *time.Location) time.Time {
	date, _ := time.Parse(time.DateOnly, text)
	return budget.DayStart(date, zone)
}

// Dirtiest returns an upper bound of the grid's intensity: the highest of fixed values, or the
// highest value accepted from a provider.
func Dirtiest(c config.CarbonIntensity) (most usage.GramsPerKWh) {
	for _, s := range c.Priced().Sources {
		if s.Static == nil {
			return usage.MaxIntensity
		}
		most = max(most, usage.GramsPerKWh(*s.Static.GCO2eqPerKWh))
	}
	return most
}
