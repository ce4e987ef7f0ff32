// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// budgets shows which limits will hold.
func budgets() frame {
	return frame{
		uid: "carbon-budgets", title: "Carbon / Budgets", from: "now-30d", to: "now",
		about: "Each budget against its plan: consumption so far, burn rate, projection, and firing alerts.",
		variables: []dashboard.VariableModel{
			labelVariable("budget", "Budget", "", "carbon_budget_period_end_timestamp_seconds"),
		},
		sections: []section{
			{title: "Selected budgets", panels: []panel{budgetTable().size(24, 7), alertsFiring().size(6, 6), alertsOverTime().size(18, 6)}},
			{title: "$budget", repeat: "budget", panels: []panel{
				plan().size(9, 8), burn().size(8, 8), projection().size(7, 8),
			}},
		},
	}
}

// budgetRatioOf is the used share of each budget, in grams or kWh.
func budgetRatioOf(matcher string) string {
	return fmt.Sprintf("carbon_budget_used_gco2eq%[1]s / carbon_budget_limit_gco2eq%[1]s or carbon_budget_used_kwh%[1]s / carbon_budget_limit_kwh%[1]s", matcher)
}

const (
	// beyondLimit is where bars of budgets end: one that is exceeded is seen to be.
	beyondLimit = 1.5

	noBudgets = "not configured: the section budgets"
)

// targetOf leads to the page of what a budget limits. Its scope is the name of the variable that
// chooses the target there; that of the whole site is no variable's, so all is chosen.
func targetOf(column, scope, target string) lead {
	return lead{column, "The page of what it limits", "carbon-detail", "var-${" + scope + "}=${" + target + ":percentencode}"}
}

// eachBudget are the labels of a budget: two exporters may have budgets of one name.
const eachBudget = eachExporter + ", budget"

const ofBudget = `{budget=~"$budget"}`

func budgetTable() panel {
	return tables("Budgets", "Consumption in the current period, the plan (an even rate over the period), and the projection for the end of the period. Used turns yellow at 80 % and red at 100 %. Projected turns yellow at 100 %, and red at 110 %, the threshold of CarbonBudgetProjectedOverrun. Needs the section budgets.",
		rows(`label_replace(max by (`+eachBudget+`, scope, target) (`+budgetRatioOf(ofBudget)+`), "target", "whole site", "scope", "ada")`),
		rows("max by ("+eachBudget+") ("+planRatio+")"),
		rows(`max by (`+eachBudget+`) (carbon_budget_projected_ratio`+ofBudget+`)`),
		rows(`max by (`+eachBudget+`) (carbon_budget_limit_gco2eq`+ofBudget+`)`),
		rows(`max by (`+eachBudget+`) (carbon_budget_limit_kwh`+ofBudget+`)`),
		rows(`max by (`+eachBudget+`) (carbon_budget_period_end_timestamp_seconds`+ofBudget+`) * 1000`),
	).then("merge", map[string]any{}).
		columns([2]string{"budget", "Budget"}, [2]string{"instance", "Exporter"}, [2]string{"scope", "Scope"}, [2]string{"target", "Of"},
			[2]string{"Value #A", "Used"}, [2]string{"Value #B", "Plan"}, [2]string{"Value #C", "Projected"},
			[2]string{"Value #D", "Limit"}, [2]string{"Value #E", "or energy"}, [2]string{"Value #F", "Ends"}).
		field("Used", append(gauged(common.BarGaugeDisplayModeLcd, beyondLimit, goodColour, step{0.8, noteColour}, step{1, badColour}), unit(share), decimals(0))...).
		leads(targetOf("Of", "__data.fields.Scope", "__value.raw")).
		field("Scope", wide(65), worded("ada", "site")).field("Plan", unit(share), decimals(0), wide(50)).
		field("Projected", unit(share), decimals(0), wide(80), set{Id: "custom.cellOptions", Value: map[string]any{"type": "color-text"}},
			set{Id: "thresholds", Value: thresholds(goodColour, []step{{1, noteColour}, {1.1, badColour}})}, set{Id: "color", Value: map[string]any{"mode": "thresholds"}}).
		field("Limit", unit(grams), decimals(1), wide(75)).field("or energy", unit(kWh), decimals(1), wide(80)).
		field("Ends", unit("dateTimeFromNow")).ordered("Used").empty(noBudgets)
}

// planRatio is the elapsed share of the period: the plan is an even rate.
const planRatio = `(time() - carbon_budget_period_start_timestamp_seconds{budget=~"$budget"}) / (carbon_budget_period_end_timestamp_seconds{budget=~"$budget"} - carbon_budget_period_start_timestamp_seconds{budget=~"$budget"})`

func plan() panel {
	return lines("Used against the plan", "Used share of the limit, and the plan: an even rate that reaches 100 % at the end of the period. Both restart at 0 with each period. The red line is the limit. Of budgets of one name in several exporters, the most used. Below the plan is good. Needs the section budgets.",
		share,
		over("max("+budgetRatioOf(ofBudget)+")", "used"),
		over("max(clamp_max(clamp_min("+planRatio+", 0), 1))", "plan"),
	).fromZero().field("used", painted(busyColour), set{Id: "custom.fillOpacity", Value: 20}).
		field("plan", painted("text"), dashed(), thin()).marked(step{1, badColour}).empty(noBudgets)
}

func burn() panel {
	return lines("Burn rate", "Consumption rate divided by the rate that would exactly exhaust the budget over its period (1 = on plan). The yellow line at 1.25 is the threshold of CarbonBudgetBurnSlow (7 d and 1 d), the red line at 3 that of CarbonBudgetBurnFast (1 d and 2 h). The 2 h ratio varies widely between day and night even if the budget is fine. Needs the section budgets.",
		"none", over(`max by (window) (carbon_budget_burn_ratio{budget=~"$budget"})`, "{{window}}")).
		decimals(2).fromZero().soft(0, 1.5).
		field("2h", painted("semi-dark-yellow"), thin()).field("1d", painted(idleColour)).field("7d", painted(busyColour), set{Id: "custom.lineWidth", Value: 3}).
		marked(step{1.25, noteColour}, step{3, badColour}).empty(noBudgets)
}

func projection() panel {
	return gauges("Projected", "Projected consumption at the end of the period, at the rate of the last 7 days, divided by the limit. Yellow from 100 %: the budget will be exceeded. Red from 110 %, the threshold of CarbonBudgetProjectedOverrun: less than that is within normal variation. Needs the section budgets, and 7 days.",
		share, now(`max(carbon_budget_projected_ratio{budget=~"$budget"})`, "projected")).
		decimals(0).between(0, 2).steps(goodColour, step{1, noteColour}, step{1.1, badColour}).empty("needs budgets, 7 days")
}

// ourAlerts are those of the chosen exporters, and those that say that one has gone, which
// therefore are of none.
const ourAlerts = `(ALERTS{alertname=~"Carbon.+",alertstate="firing"} or ALERTS{job=~".*",alertname=~"Carbon(Exporter|Site)Absent",alertstate="firing"})`

func alertsFiring() panel {
	return stats("Alerts firing", "Alerts of the carbon_exporter rules that are firing in this Prometheus. Yellow from 1. 0 only if carbon-recording.yml is loaded too: without alerts, that is how the panel knows that there are rules.",
		plain, now("count"+ourAlerts+" or 0 * count(instance:carbon_power_watts:sum)", "firing")).decimals(0).steps(goodColour, step{1, noteColour}).empty("none, or no rules")
}

func alertsOverTime() panel {
	return states("When alerts fired", "When each alert was firing in the time range, and for which budget or source.",
		over("max by (alertname, budget, source) "+ourAlerts, "{{alertname}} {{budget}}{{source}}")).
		said("1", "firing", idleColour).colour(idleColour).empty("no alerts")
}
