// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/budget"
)

// calendar checks /metrics at each scrape: day, month, year and budgets must show the same
// usage, and a day must begin at midnight in the exporter's time zone.
type calendar struct {
	zone     *time.Location
	last     time.Time
	today    float64
	restarts int
}

// check checks what was seen at a time.
func (c *calendar) check(at time.Time, seen map[string]float64) error {
	if at.Sub(c.last) > time.Hour { // a new life
		c.last, c.today = at, 0
	}
	for _, same := range [][2]string{
		{"carbon_day_to_date_emissions_gco2eq", "carbon_budget_used_gco2eq site-day"},
		{"carbon_month_to_date_emissions_gco2eq", "carbon_budget_used_gco2eq site-month"},
	} {
		if used, ok := seen[same[1]]; ok && math.Abs(used-seen[same[0]]) > 1e-9*used {
			return fmt.Errorf("%s: %s is %v, %s is %v", at.In(c.zone), same[0], seen[same[0]], same[1], used)
		}
	}
	for _, what := range []string{"energy_kwh", "emissions_gco2eq"} {
		day, month, year := seen["carbon_day_to_date_"+what], seen["carbon_month_to_date_"+what], seen["carbon_year_to_date_"+what]
		if day > month*(1+1e-9) || month > year*(1+1e-9) {
			return fmt.Errorf("%s: %s of the day is %v, of the month %v, of the year %v", at.In(c.zone), what, day, month, year)
		}
	}
	today := seen["carbon_day_to_date_energy_kwh"]
	if today < c.today*(1-1e-9) { // attributing an interval again may change the last bit
		c.restarts++
		if begin := budget.Day.Period(at, c.zone).From; c.last.After(begin) || at.Before(begin) {
			return fmt.Errorf("the day restarts between %s and %s, from %v to %v", c.last.In(c.zone), at.In(c.zone), c.today, today)
		}
	}
	c.last, c.today = at, today
	return nil
}

// sums adds up the gauges of a page that show usage since the start of something; those of a
// budget separately. It parses lines, because there are thousands of pages.
func sums(page []byte) (map[string]float64, error) {
	all := map[string]float64{}
	for line := range strings.Lines(string(page)) {
		if !strings.Contains(line, "_to_date_") && !strings.HasPrefix(line, "carbon_budget_used_") || line[0] == '#' {
			continue
		}
		name, labels, _ := strings.Cut(line, "{")
		if budget, ok := strings.CutPrefix(labels, `budget="`); ok {
			budget, _, _ = strings.Cut(budget, `"`)
			name += " " + budget
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndex(line, " "):]), 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		all[name] += value
	}
	return all, nil
}
