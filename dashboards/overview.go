// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// overview is the page for the wall: current usage, top consumers and data quality.
func overview() frame {
	return frame{
		uid: "carbon-overview", title: "Carbon / Overview", from: "now-24h", to: "now",
		about:     "Power and emissions of the site, now, today and this month: top consumers, carbon intensity, budgets and data quality.",
		variables: []dashboard.VariableModel{periodVariable()},
		sections: []section{
			{title: "Now", panels: []panel{
				powerNow(site), rateNow(site), idleNow(site), gridForecast(), gridActual(), freshness(),
			}},
			{title: "Today, this month, this year, in $timezone", panels: []panel{
				emissionsToDate(site, "day", "Today"), energyToDate(site, "day", "Energy today"),
				emissionsToDate(site, "month", "This month"), energyToDate(site, "month", "Energy this month"),
				againstLastMonth(site), emissionsToDate(site, "year", "This year"),
			}},
			{panels: []panel{powerByMode(site), rateByMode(site)}},
			{title: "Top consumers, ${period:text}", panels: []panel{
				most(site, "project", "Projects"), most(site, "group", "Groups"),
				most(site, "user", "Users"), most(site, "machine", "Machine types"),
			}},
			ownersSection(),
			{title: "The grid, and when to run flexible jobs", panels: []panel{
				gridOverTime().size(12, 8), nextDays().size(12, 8), bestWindows().size(24, 5),
			}},
			{title: "How certain the energy is", panels: []panel{energyBand().size(24, 7), bounds().size(14, 8), boundsWidth().size(10, 8)}},
			embodiedSection(site),
			{title: "Budgets and data quality", panels: []panel{
				budgetsUsed().size(12, 8), unattributed().size(6, 4), provisional().size(6, 4).below(), unpriced().size(6, 4), gaps().size(6, 4).below(),
			}},
		},
	}
}

func periodVariable() dashboard.VariableModel {
	return choice("period", "Period", "Period of the lists of top consumers.",
		[2]string{"this month", "month"}, [2]string{"today", "day"}, [2]string{"this year", "year"})
}

// outdated is what a panel of now says when nothing of now is known.
const outdated = "not known now"

func powerNow(s selection) panel {
	return stats("Power now", "Mean power over the newest complete half hour, including PUE. CPU seconds x watts of the machine type, or measured where there are meters.",
		watts, now(sum(current(s.of(power))), "power")).colour(busyColour).empty(outdated)
}

func rateNow(s selection) panel {
	return stats("Emissions now", "Mean emission rate over the newest complete half hour: its energy x the carbon intensity of the grid in the same half hour. Absent while that is unknown.",
		gramsPerHour, now(sum(current(s.of(rate))), "emissions")).colour("semi-dark-purple").empty(outdated)
}

func idleNow(s selection) panel {
	return stats("Idle now", "Share of the power used by idle cores. Yellow from 30 %, red from 50 %, where every second watt is used by machines that do nothing. A third is usual for interactive machines.",
		share, now(ratio(sum(current(s.of(power, idle))), sum(current(s.of(power)))), "idle")).empty(outdated).
		decimals(0).steps(goodColour, step{0.3, noteColour}, step{0.5, badColour})
}

const wordColours = " The colour is the category assigned by the provider, which may redefine its categories every year. No colour without a category."

func gridForecast() panel {
	return wordy(stats("Grid now, forecast", "Forecast carbon intensity of the current half hour, and its category."+wordColours,
		gramsPerKWh, now(gridNow("forecast"), "{{index}}")))
}

func gridActual() panel {
	return wordy(stats("Grid, newest actual", "Carbon intensity of the newest half hour with an actual value, which is published about half an hour after its end, and its category."+wordColours,
		gramsPerKWh, now(gridNow("actual"), "{{index}}")))
}

// wordy colours by the category, which is the name of the value.
func wordy(p panel) panel {
	p = p.decimals(0).named()
	for _, w := range [][2]string{
		{"very low", "dark-green"}, {"low", "semi-dark-green"}, {"moderate", "semi-dark-yellow"}, {"high", "semi-dark-orange"}, {"very high", "semi-dark-red"},
	} {
		p = p.field(w[0], painted(w[1]))
	}
	return p
}

func freshness() panel {
	return stats("Newest usage", "Time since the end of the newest complete half hour, of several exporters the oldest. Normally at most about 35 minutes. Red from 2 hours, the threshold of CarbonDataStale.",
		"s", now("time() - min(carbon_last_complete_interval_timestamp_seconds)", "age")).
		decimals(0).steps(goodColour, step{3600, noteColour}, step{7200, badColour})
}

func emissionsToDate(s selection, period, title string) panel {
	return stats(title, "Emissions since the start of the "+period+" in $timezone, from the store, as currently known. Restated when actuals replace forecasts.",
		grams, now(sum(s.of(toDate(period, emissionsGCO2eq))), "emissions")).decimals(2).colour("semi-dark-purple").empty("no data yet")
}

func energyToDate(s selection, period, title string) panel {
	return stats(title, "Energy since the start of the "+period+" in $timezone, from the store, including PUE.",
		kWh, now(sum(s.of(toDate(period, energyKWh))), "energy")).decimals(2).colour(busyColour).empty("no data yet")
}

func againstLastMonth(s selection) panel {
	gauge := s.of(toDate("month", emissionsGCO2eq))
	return stats("Against last month", "Emissions of this month compared with last month up to the same day and time. Green: less; red: over 10 % more, beyond what weather and weekends explain. Requires two months of data in Prometheus.",
		share, now(fmt.Sprintf("%s / (%s) - 1", sum(gauge), sameDayLastMonth(gauge)), "against last month")).
		decimals(0).steps(goodColour, step{0, noteColour}, step{0.1, badColour}).empty("needs two months")
}

func powerByMode(s selection) panel {
	return areas("Power, busy and idle", "Mean power of each half hour, as first calculated. Idle is the power of cores without work, measured that of devices with meters of their own, such as GPUs.",
		watts, over(overTime(s, "mode", power), "{{mode}}")).modes().fromZero()
}

func rateByMode(s selection) panel {
	return areas("Emissions, busy and idle", "Mean emission rate of each half hour, with the carbon intensity first known. It changes with the load and with the grid.",
		gramsPerHour, over(overTime(s, "mode", rate), "{{mode}}")).modes().fromZero()
}

func most(s selection, label, title string) panel {
	return ranking(title, "Highest emissions, ${period:text}. \"unattributed\" is usage without a user, such as machines waiting in a pool.",
		grams, now("sort_desc("+top(7, sumBy(label, s.of(toDate(chosenPeriod, emissionsGCO2eq))))+")", "{{"+label+"}}")).
		size(6, 8).decimals(1).shade("continuous-BlPu")
}

func gridOverTime() panel {
	return lines("Carbon intensity", "Actual carbon intensity, the forecast made a day earlier, and the mean of the best three hours in the next 48 hours as forecast at each time. Of several exporters the highest, and the best of all hours. The actual is shifted back by an hour because it is published that much later.",
		gramsPerKWh,
		over(`max(carbon_intensity_gco2eq_per_kwh{kind="actual"} offset -1h)`, "actual"),
		over(`max(carbon_intensity_gco2eq_per_kwh{kind="forecast"})`, "forecast"),
		over(`max(carbon_intensity_forecast_gco2eq_per_kwh{ahead="24h"} offset 24h)`, "forecast a day earlier"),
		over(`min(carbon_intensity_best_window_gco2eq_per_kwh{window="3h"})`, "best 3 h ahead"),
	).decimals(0).fromZero().
		field("actual", painted("semi-dark-purple"), set{Id: "custom.lineWidth", Value: 3}).
		field("forecast", painted(busyColour), thin()).
		field("forecast a day earlier", painted(idleColour), thin(), dashed()).
		field("best 3 h ahead", painted(goodColour), thin(), dashed())
}

// nextDays are the 48 hours of the forecast.
func nextDays() panel {
	return chart("The next 48 hours", "Forecast carbon intensity of each half hour of the next 48 hours, by hours and minutes from now. Green is the lowest value shown and red the highest. Empty if the source of carbon intensity has no forecast, such as static.",
		gramsPerKWh, "in", rows("sum by (in) ("+byLeadTime("max by (ahead) (carbon_intensity_forecast_gco2eq_per_kwh)")+")")).
		decimals(0).shade("continuous-GrYlRd").sortedBy("in").legendless().empty(noForecast)
}

const noForecast = "no forecast: the source of carbon intensity has none, or was not reached yet"

func bestWindows() panel {
	const window = "max by (window) (%s)"
	// The forecast of now may be of another provider than that of the next days. A marginal one is
	// not compared with what everything emits.
	const saved = `clamp_min(1 - (carbon_intensity_best_window_gco2eq_per_kwh unless on (` + eachExporter + `, provider) carbon_intensity_source_info{basis=~"marginal.*"}) / on (` + eachExporter + `) group_left max by (` + eachExporter + `) (carbon_intensity_gco2eq_per_kwh{kind="forecast"}), 0)`
	return tables("Best times to run", "Windows in the next 48 hours with the lowest forecast: from when to when, in the time zone of the dashboard, mean carbon intensity, and saving compared with the current half hour: 0 % where waiting saves nothing. Empty if the source of carbon intensity has no forecast, such as static.",
		rows(fmt.Sprintf(window, windowStart+" * 1000")),
		rows(fmt.Sprintf(window, windowEnd())),
		rows(fmt.Sprintf(window, windowStart+" * 1000")),
		rows(fmt.Sprintf(window, "carbon_intensity_best_window_gco2eq_per_kwh")),
		rows(fmt.Sprintf(window, saved)),
	).then("merge", map[string]any{}).
		columns([2]string{"window", "For"}, [2]string{"Value #A", "From"}, [2]string{"Value #B", "To"}, [2]string{"Value #C", "Starts"},
			[2]string{"Value #D", "Mean"}, [2]string{"Value #E", "Saves"}).
		field("/^(From|To)$/", unit(weekdayAndTime)).
		field("Starts", unit("dateTimeFromNow")).
		field("Mean", unit(gramsPerKWh), decimals(0)).
		field("Saves", unit(share), decimals(0)).empty(noForecast)
}

const windowStart = "carbon_intensity_best_window_start_timestamp_seconds"

// windowEnd is when the window of a length that begins at its start is over, in milliseconds.
func windowEnd() string {
	var ends []string
	for _, hours := range []int{1, 3, 6} {
		ends = append(ends, fmt.Sprintf(`(%s{window="%[2]dh"} + %[2]d * 3600)`, windowStart, hours))
	}
	return "(" + strings.Join(ends, " or ") + ") * 1000"
}

func budgetsUsed() panel {
	return ranking("Budgets used", "Used share of each limit in the current period; of budgets of one name in several exporters the most used. Yellow from 80 %, red from 100 %, where CarbonBudgetExhausted fires. A bar goes on to 150 %, and its cells are red from 100 %. The dashboard Budgets compares it with the plan. Needs the section budgets.",
		share, now("sort_desc(max by (budget, scope, target) ("+budgetRatioOf("")+"))", "{{budget}}")).
		leads(targetOf("", "__field.labels.scope", "__field.labels.target")).
		decimals(0).between(0, beyondLimit).lit().steps(goodColour, step{0.8, noteColour}, step{1, badColour}).empty(noBudgets)
}

func unattributed() panel {
	all := sum(toDate("month", energyKWh))
	return stats("Unattributed", "Share of this month's energy without a user: machines waiting in a pool, or usage for which neither labels nor MongoDB name a user. Yellow from 25 %, which suggests missing records.",
		share, now(ratio(sum(site.of(toDate("month", energyKWh), `user="unattributed"`)), all), "unattributed")).
		decimals(0).steps(goodColour, step{0.25, noteColour})
}

func provisional() panel {
	return stats("Provisional", "Share of this month's emissions that may still be restated. Usage settles after a day, so on the 1st it is 100 %.",
		share, now(fmt.Sprintf("clamp_max((%s - %s) / %s, 1)", sum(emissions), sum("carbon_settled_emissions_gco2eq_total"), sum(toDate("month", emissionsGCO2eq))), "provisional")).
		decimals(0)
}

func unpriced() panel {
	return stats("Unpriced", "Energy without a carbon intensity yet, which is missing from emissions. Yellow from 1 Wh. CarbonUnpricedHigh fires above a tenth of the daily energy.",
		kWh, now(sum("carbon_unpriced_energy_kwh"), "unpriced")).decimals(1).steps(goodColour, step{0.001, noteColour})
}

func gaps() panel {
	return stats("Missing", "Intervals that could not be collected yet. They are retried, and never counted as 0. Yellow from 1, red from 48 (one day).",
		plain, now(`sum(carbon_intervals{state="missing"})`, "missing")).
		decimals(0).steps(goodColour, step{1, noteColour}, step{48, badColour})
}
