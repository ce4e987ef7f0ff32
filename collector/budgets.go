package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Budget is a budget and how it stands.
type Budget struct {
	Name, Target string
	Scope        usage.Scope
	InKWh        bool    // whether Limit and Used are kWh; else they are gCO2eq
	Limit        float64 // above 0
	Period       usage.Period
	// Used and the ratios are absent where they are not known: see budget.Status.
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
	const used = " in the period so far, of what is stored and priced, as known now. Falls with each period; absent until usage of the target was seen, and while none of the period's is priced."
	return budgets{
		limitGrams: d("carbon_budget_limit_gco2eq", "Emissions that a budget allows in its period."),
		usedGrams:  d("carbon_budget_used_gco2eq", "Emissions of a budget's target"+used),
		limitKWh:   d("carbon_budget_limit_kwh", "Energy that a budget allows in its period."),
		usedKWh:    d("carbon_budget_used_kwh", "Energy of a budget's target in the period so far, as known now. Falls with each period; absent until usage of the target was seen."),
		start:      d("carbon_budget_period_start_timestamp_seconds", "Start of the period of a budget that holds now, or of its only one."),
		end:        d("carbon_budget_period_end_timestamp_seconds", "End of the period of a budget that holds now, or of its only one."),
		burn: d("carbon_budget_burn_ratio",
			"Rate of use of a budget over the last window of time, over the rate that uses it up in just its period: 1 is the plan. From the store, over the turn of a period too; absent while the store does not hold the window.", "window"),
		projected: d("carbon_budget_projected_ratio",
			"What will have been used of a budget at the end of its period, at the rate of the last 7 days, over the limit. Absent while the store does not hold so much."),
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
		out.gauge(c.start, seconds(b.Period.From), of...)
		out.gauge(c.end, seconds(b.Period.To), of...)
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
