package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// budgets says which limits will hold, and which won't.
func budgets() frame {
	return frame{
		uid: "carbon-budgets", title: "Budgets", from: "now-30d", to: "now",
		about: "Each budget against its plan: what is used, how fast it burns, where that ends, and which alerts fire.",
		variables: []dashboard.VariableModel{
			labelVariable("budget", "Budget", "", "carbon_budget_period_end_timestamp_seconds"),
		},
		sections: []section{
			{title: "All chosen budgets", panels: []panel{budgetTable().size(24, 7), alertsFiring().size(4, 6), alertsOverTime().size(20, 6)}},
			{title: "$budget", repeat: "budget", panels: []panel{
				plan().size(10, 8), burn().size(9, 8), projection().size(5, 8),
			}},
		},
	}
}

// budgetRatioOf is what of each budget is used, in whatever it is counted.
func budgetRatioOf(matcher string) string {
	return fmt.Sprintf("carbon_budget_used_gco2eq%[1]s / carbon_budget_limit_gco2eq%[1]s or carbon_budget_used_kwh%[1]s / carbon_budget_limit_kwh%[1]s", matcher)
}

const ofBudget = `{budget=~"$budget"}`

func budgetTable() panel {
	return tables("Budgets", "What is used of each limit in its period so far, beside what the plan, the same amount each second, would have used; how fast it burns, where 1 is the plan; and where that ends. Yellow and red of Used: 80 % and 100 %. Of Projected: over 100 % it will not hold, and from 110 % CarbonBudgetProjectedOverrun waits.",
		rows(`label_replace(max by (budget, scope, target) (`+budgetRatioOf(ofBudget)+`), "target", "the whole site", "scope", "ada")`),
		rows("max by (budget) ("+planRatio+")"),
		rows(`max by (budget) (carbon_budget_burn_ratio{budget=~"$budget",window="1d"})`),
		rows(`max by (budget) (carbon_budget_projected_ratio`+ofBudget+`)`),
		rows(`max by (budget) (carbon_budget_limit_gco2eq`+ofBudget+`)`),
		rows(`max by (budget) (carbon_budget_limit_kwh`+ofBudget+`)`),
		rows(`max by (budget) (carbon_budget_period_end_timestamp_seconds`+ofBudget+`) * 1000`),
	).then("merge", map[string]any{}).
		columns([2]string{"budget", "Budget"}, [2]string{"scope", "Scope"}, [2]string{"target", "Of"},
			[2]string{"Value #A", "Used"}, [2]string{"Value #B", "Plan"}, [2]string{"Value #C", "Burn, 1 day"}, [2]string{"Value #D", "Projected"},
			[2]string{"Value #E", "Limit"}, [2]string{"Value #F", "Limit, energy"}, [2]string{"Value #G", "Ends"}).
		field("Used", append(gauged(1, goodColour, step{0.8, noteColour}, step{1, badColour}), unit(share), decimals(0))...).
		field("Scope", wide(90)).field("Plan", unit(share), decimals(0), wide(80)).
		field("Burn, 1 day", decimals(2), wide(110)).
		field("Projected", unit(share), decimals(0), wide(110), set{Id: "custom.cellOptions", Value: map[string]any{"type": "color-text"}},
			set{Id: "thresholds", Value: thresholds(goodColour, []step{{1, noteColour}, {1.1, badColour}})}, set{Id: "color", Value: map[string]any{"mode": "thresholds"}}).
		field("Limit", unit(grams), decimals(1), wide(110)).field("Limit, energy", unit(kWh), decimals(1), wide(120)).
		field("Ends", unit("dateTimeFromNow")).ordered("Used")
}

// planRatio is what the plan has used of the period so far: the same amount each
// second.
const planRatio = `(time() - carbon_budget_period_start_timestamp_seconds{budget=~"$budget"}) / (carbon_budget_period_end_timestamp_seconds{budget=~"$budget"} - carbon_budget_period_start_timestamp_seconds{budget=~"$budget"})`

func plan() panel {
	return lines("Used against the plan", "Used of the limit, and the plan: the same amount each second, 100 % at the end of the period. Both fall back to 0 with each period. The red line is the limit. Below the plan is well.",
		share,
		over(budgetRatioOf(ofBudget), "used"),
		over("clamp_max(clamp_min("+planRatio+", 0), 1)", "plan"),
	).fromZero().field("used", painted(busyColour), set{Id: "custom.fillOpacity", Value: 20}).
		field("plan", painted("text"), dashed(), thin()).marked(step{1, badColour})
}

func burn() panel {
	return lines("Burn rate", "Rate of use over the rate that uses up the limit in just the period: 1 is the plan. Above the yellow line at 1.25 CarbonBudgetBurnSlow waits (7 d and 1 d), above the red one at 3 CarbonBudgetBurnFast (1 d and 2 h). Usage of nights and weekends differs: the two hours swing widely on a budget that is well.",
		"none", over(`carbon_budget_burn_ratio{budget=~"$budget"}`, "{{window}}")).
		decimals(2).fromZero().soft(0, 1.5).
		field("2h", painted("semi-dark-yellow"), thin()).field("1d", painted(idleColour)).field("7d", painted(busyColour), set{Id: "custom.lineWidth", Value: 3}).
		marked(step{1.25, noteColour}, step{3, badColour})
}

func projection() panel {
	return gauges("At the end of the period", "What will have been used when the period ends, at the rate of the last 7 days, over the limit. Yellow from 100 %: it will not hold. Red from 110 %, where CarbonBudgetProjectedOverrun waits: below that, a holiday mends it.",
		share, now(`carbon_budget_projected_ratio{budget=~"$budget"}`, "projected")).
		decimals(0).between(0, 2).steps(goodColour, step{1, noteColour}, step{1.1, badColour}).empty("less than 7 days are on record")
}

const ourAlerts = `ALERTS{alertname=~"Carbon.+",alertstate="firing"}`

func alertsFiring() panel {
	return stats("Alerts firing", "Alerts of carbon_exporter's rules that fire now in this Prometheus. Yellow from 1: nobody is paged for carbon. 0 also where the rules are not loaded: see examples/prometheus/rules.",
		plain, now("count("+ourAlerts+") or vector(0)", "firing")).decimals(0).steps(goodColour, step{1, noteColour})
}

func alertsOverTime() panel {
	return states("When alerts fired", "Each alert of the time range while it fired, and for which budget or source.",
		over("max by (alertname, budget, source) ("+ourAlerts+")", "{{alertname}} {{budget}}{{source}}")).
		said("1", "firing", idleColour).colour(idleColour).empty("no alert has fired")
}
