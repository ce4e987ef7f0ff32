// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"reflect"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestBudgets(t *testing.T) {
	c, err := config.Parse("carbon.yml", []byte(`
timezone: Europe/London
budgets:
  - {name: isis-monthly, scope: group, target: ISIS, period: month, gco2eq: 500000}
  - {name: summer, scope: ada, from: 2026-03-29, to: 2026-10-25, kwh: 250.5}
  - {name: kilograms, scope: site, period: day, kgco2eq: 1.5}
  - {name: tonnes, scope: site, period: day, tco2eq: 0.25}
  - {name: megawatthours, scope: site, period: day, mwh: 2}
`))
	if err != nil {
		t.Fatal(err)
	}
	zone := c.Location()
	got := Budgets(c)
	want := []budget.Budget{
		{Name: "isis-monthly", Scope: usage.ScopeGroup, Target: "ISIS", Kind: budget.Month, Zone: zone, Unit: budget.GCO2eq, Limit: 500000},
		{Name: "summer", Scope: usage.ScopeAda, Zone: zone, Unit: budget.KWh, Limit: 250.5, Once: usage.Period{
			// From a midnight of winter to one of summer.
			From: time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC).In(zone), To: time.Date(2026, 10, 24, 23, 0, 0, 0, time.UTC).In(zone),
		}},
		{Name: "kilograms", Scope: usage.ScopeAda, Kind: budget.Day, Zone: zone, Unit: budget.GCO2eq, Limit: 1500},
		{Name: "tonnes", Scope: usage.ScopeAda, Kind: budget.Day, Zone: zone, Unit: budget.GCO2eq, Limit: 250000},
		{Name: "megawatthours", Scope: usage.ScopeAda, Kind: budget.Day, Zone: zone, Unit: budget.KWh, Limit: 2000},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// What a file may say as a period is what the calendar has.
func TestEveryPeriodOfAFileIsOneOfTheCalendar(t *testing.T) {
	for _, k := range []budget.Kind{budget.Day, budget.Week, budget.Month, budget.Quarter, budget.Year} {
		c, err := config.Parse("carbon.yml", []byte("budgets: [{name: b, scope: ada, kwh: 1, period: "+string(k)+"}]"))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := Budgets(c)[0].Kind; got != k {
			t.Errorf("%s is %s", k, got)
		}
	}
}
