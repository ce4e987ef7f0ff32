// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Budget is a budget and its status.
type Budget struct {
	Name, Target string
	Scope        usage.Scope
	InKWh        bool    // whether Limit and Used are kWh; else they are gCO2eq
	Limit        float64 // above 0
	Period       usage.Period
	// Used and the ratios are absent if unknown: see budget.Status.
	Used      *float64
	Burn      map[string]float64 // by window: 2h, 1d, 7d
	Projected *float64
}

type budgets struct {
	limitGrams, usedGrams, limitKWh, usedKWh *prometheus.Desc
	start, end, burn, projected              *prometheus.Desc
}

func newBudgets() budgets {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, append([]string{"budget", "scope", "target"}, labels...), nil)
	}
	const used = " in the current period, for usage that is stored and priced, as currently known. Resets with each period. Absent until the target has usage, and while none of it is priced."
	return budgets{
		limitGrams: d("carbon_budget_limit_gco2eq", "Emissions that the budget allows per period."),
		usedGrams:  d("carbon_budget_used_gco2eq", "Emissions of the target of the budget"+used),
		limitKWh:   d("carbon_budget_limit_kwh", "Energy that the budget allows per period."),
		usedKWh:    d("carbon_budget_used_kwh", "Energy of the target of the budget in the current period, as currently known. Resets with each period. Absent until the target has usage."),
		start:      d("carbon_budget_period_start_timestamp_seconds", "Start of the current period of the budget, or of its only period."),
		end:        d("carbon_budget_period_end_timestamp_seconds", "End of the current period of the budget, or of its only period."),
		burn: d("carbon_budget_burn_ratio",
			"Consumption rate divided by the rate that would exactly exhaust the budget over its period (1 = on plan). Averaged over the window, even across the start of a period. Absent while the store does not cover the window.", "window"),
		projected: d("carbon_budget_projected_ratio",
			"Projected consumption at the end of the period, at the rate of the last 7 days, divided by the limit. Absent while the store does not cover 7 days."),
	}
}

func (c budgets) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.limitGrams, c.usedGrams, c.limitKWh, c.usedKWh, c.start, c.end, c.burn, c.projected} {
		ch <- d
	}
}

func (c budgets) collect(out emitter, list []Budget) {
	for _, b := range list {
		of := []string{b.Name, string(b.Scope), b.Target}
		limit, used := c.limitGrams, c.usedGrams
		if b.InKWh {
			limit, used = c.limitKWh, c.usedKWh
		}
		out.gauge(limit, b.Limit, of...)
		out.gauge(c.start, timestampSeconds(b.Period.From), of...)
		out.gauge(c.end, timestampSeconds(b.Period.To), of...)
		if b.Used != nil {
			out.gauge(used, *b.Used, of...)
		}
		for window, ratio := range b.Burn {
			out.gauge(c.burn, ratio, append(of, window)...)
		}
		if b.Projected != nil {
			out.gauge(c.projected, *b.Projected, of...)
		}
	}
}
