package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// overview is the page that is open on the wall: what is used now, by whom, and
// how sure that is.
func overview() frame {
	return frame{
		uid: "carbon-overview", title: "Carbon overview", from: "now-2d", to: "now",
		about:     "Power and emissions of the site now, today and this month: by whom, on which grid, within which budgets, and how sure.",
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
			{title: "Who, ${period:text}", panels: []panel{
				most(site, "project", "Projects"), most(site, "group", "Groups"),
				most(site, "user", "Users"), most(site, "machine", "Machine types"),
			}},
			{title: "The grid, and when to run what can wait", panels: []panel{
				gridOverTime().size(9, 8), nextDay().size(8, 8), bestWindows().size(7, 8),
			}},
			{title: "Budgets, and how sure all this is", panels: []panel{
				budgetsUsed().size(12, 8), unattributed().size(6, 4), provisional().size(6, 4).below(), unpriced().size(6, 4), gaps().size(6, 4).below(),
			}},
		},
	}
}

func periodVariable() dashboard.VariableModel {
	return choice("period", "Who, when", "The period of the lists of who used most.",
		[2]string{"this month", "month"}, [2]string{"today", "day"}, [2]string{"this year", "year"})
}

func powerNow(s selection) panel {
	return stats("Power now", "Mean power over the newest complete half hour, PUE included. It is a model: CPU seconds x watts of the machine type.",
		watts, now(sum(s.of(power)), "power")).colour(busyColour)
}

func rateNow(s selection) panel {
	return stats("Emissions now", "Mean rate of emission over the newest complete half hour: its energy x the carbon intensity of the grid in that same half hour. Absent while that has no price.",
		gramsPerHour, now(sum(s.of(rate)), "emissions")).colour("semi-dark-purple")
}

func idleNow(s selection) panel {
	return stats("Idle now", "Share of the power that goes into cores that wait. Yellow from 30 %, red from 50 %: at half, every second watt heats a machine that nobody uses. A third is usual for machines that are handed out to people.",
		share, now(ratio(sum(s.of(power, idle)), sum(s.of(power))), "idle")).
		decimals(0).steps(goodColour, step{0.3, noteColour}, step{0.5, badColour})
}

const wordColours = " The colour is that of the provider's own word, whose bounds change from year to year; without a word there is none."

func gridForecast() panel {
	return wordy(stats("Grid now, forecast", "Forecast carbon intensity of the half hour of now, and the provider's word for it."+wordColours,
		gramsPerKWh, now(gridNow("forecast"), "{{index}}")))
}

func gridActual() panel {
	return wordy(stats("Grid, newest actual", "Carbon intensity of the newest half hour that has an actual, which comes about half an hour after its end, and the provider's word for it."+wordColours,
		gramsPerKWh, now(gridNow("actual"), "{{index}}")))
}

// wordy colours by the provider's word, which is the name of the value.
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
	return stats("Newest usage", "Age of the end of the newest complete half hour. Between two of them it grows to some 35 minutes. Red from 2 hours: two intervals and an hour, when the alert CarbonDataStale begins to wait.",
		"s", now("time() - carbon_last_complete_interval_timestamp_seconds", "age")).
		decimals(0).steps(goodColour, step{3600, noteColour}, step{7200, badColour})
}

func emissionsToDate(s selection, period, title string) panel {
	return stats(title, "Emissions since the "+period+" began in $timezone, from the exporter's store, as known now: forecasts are restated when the actual comes.",
		grams, now(sum(s.of(toDate(period, emissionsGCO2eq))), "emissions")).decimals(2).colour("semi-dark-purple").empty("none known yet")
}

func energyToDate(s selection, period, title string) panel {
	return stats(title, "Energy since the "+period+" began in $timezone, from the exporter's store, PUE included.",
		kWh, now(sum(s.of(toDate(period, energyKWh))), "energy")).decimals(2).colour(busyColour).empty("none known yet")
}

func againstLastMonth(s selection) panel {
	gauge := s.of(toDate("month", emissionsGCO2eq))
	return stats("Against last month", "Emissions of this month so far against those of last month up to the same day and time. Green is less, red is more by over a tenth: below that, weather and weekends explain it. Needs a Prometheus that keeps two months.",
		share, now(fmt.Sprintf("%s / (%s) - 1", sum(gauge), sameDayLastMonth(gauge)), "against last month")).
		decimals(0).steps(goodColour, step{0, noteColour}, step{0.1, badColour}).empty("not kept")
}

func powerByMode(s selection) panel {
	return areas("Power, busy and idle", "Mean power of each half hour, as the exporter saw it when it was new. Idle is what cores take that wait for work.",
		watts, over(sumBy("mode", s.of(power)), "{{mode}}")).modes().fromZero()
}

func rateByMode(s selection) panel {
	return areas("Emissions, busy and idle", "Mean rate of emission of each half hour at the price it had when it was new. It moves with the load and with the grid.",
		gramsPerHour, over(sumBy("mode", s.of(rate)), "{{mode}}")).modes().fromZero()
}

func most(s selection, label, title string) panel {
	return ranking(title, "Those that emitted most, ${period:text}. unattributed is usage that is nobody's, such as machines that wait in a pool.",
		grams, now("sort_desc("+top(7, sumBy(label, s.of(toDate(chosenPeriod, emissionsGCO2eq))))+")", "{{"+label+"}}")).
		size(6, 8).decimals(1).shade("continuous-BlPu")
}

func gridOverTime() panel {
	return lines("Carbon intensity", "What the grid was, what it was forecast to be a day before, and the best three hours of the coming 48 as they looked at each time. The actual is drawn an hour earlier, as it comes an hour after the beginning of the half hour that it is of.",
		gramsPerKWh,
		over(`max(carbon_intensity_gco2eq_per_kwh{kind="actual"} offset -1h)`, "actual"),
		over(`max(carbon_intensity_gco2eq_per_kwh{kind="forecast"})`, "forecast"),
		over(`max(carbon_intensity_forecast_gco2eq_per_kwh{ahead="24h"} offset 24h)`, "forecast a day before"),
		over(`min(carbon_intensity_best_window_gco2eq_per_kwh{window="3h"})`, "best 3 h ahead"),
	).decimals(0).fromZero().
		field("actual", painted("semi-dark-purple"), set{Id: "custom.lineWidth", Value: 3}).
		field("forecast", painted(busyColour), thin()).
		field("forecast a day before", painted(idleColour), thin(), dashed()).
		field("best 3 h ahead", painted(goodColour), thin(), dashed())
}

// nextDay writes how far ahead a forecast is so that it sorts: 30m is +00:30.
func nextDay() panel {
	expr := `max by (ahead) (carbon_intensity_forecast_gco2eq_per_kwh{ahead=~"30m|[0-9]h(30m)?|1[0-9]h(30m)?|2[0-3]h(30m)?|24h"})`
	for _, r := range [][2]string{
		{"+00:30", "30m"}, {"+0$1:00", "([0-9])h"}, {"+$1:00", "([0-9]{2})h"}, {"+0$1:30", "([0-9])h30m"}, {"+$1:30", "([0-9]{2})h30m"},
	} {
		expr = fmt.Sprintf(`label_replace(%s, "in", "%s", "ahead", "%s")`, expr, r[0], r[1])
	}
	return chart("The next 24 hours", "Forecast carbon intensity by the half hour, by how far ahead it is. Green is the least of these hours and red the most, whatever that is.",
		gramsPerKWh, "in", rows("sum by (in) ("+expr+")")).
		decimals(0).shade("continuous-GrYlRd").then("sortBy", map[string]any{"sort": []map[string]any{{"field": "in"}}}).
		then("filterFieldsByName", map[string]any{"include": map[string]any{"names": []string{"in", "Value"}}}).legendless()
}

func bestWindows() panel {
	const window = "max by (window) (%s)"
	return tables("When to run what can wait", "The stretches of the coming 48 hours with the least carbon by the forecast: when each begins, its mean intensity, and what it saves against running now.",
		rows(fmt.Sprintf(window, "carbon_intensity_best_window_start_timestamp_seconds * 1000")),
		rows(fmt.Sprintf(window, "carbon_intensity_best_window_gco2eq_per_kwh")),
		rows(fmt.Sprintf(window, `1 - carbon_intensity_best_window_gco2eq_per_kwh / on (grid, provider) group_left carbon_intensity_gco2eq_per_kwh{kind="forecast"}`)),
	).then("merge", map[string]any{}).
		columns([2]string{"window", "For"}, [2]string{"Value #A", "Begins"}, [2]string{"Value #B", "Mean"}, [2]string{"Value #C", "Saves"}).
		field("For", wide(55)).
		field("Begins", unit("dateTimeFromNow")).
		field("Mean", unit(gramsPerKWh), decimals(0), wide(100)).
		field("Saves", unit(share), decimals(0), wide(80))
}

func budgetsUsed() panel {
	return ranking("Budgets used", "Used of each limit in its period so far. Yellow from 80 %, when a word in time still helps; red from 100 %, when it is exhausted and CarbonBudgetExhausted fires. Whether it will do is on the dashboard Budgets, beside the plan.",
		share, now("sort_desc("+budgetRatioOf("")+")", "{{budget}}")).
		decimals(0).between(0, 1).steps(goodColour, step{0.8, noteColour}, step{1, badColour}).empty("no budgets configured")
}

func unattributed() panel {
	all := sum(toDate("month", energyKWh))
	return stats("Nobody's", "Share of this month's energy that is attributed to no user: machines that wait in a pool, or usage that neither labels nor MongoDB name somebody for. Yellow from 25 %: more is rather missing records than a pool.",
		share, now(ratio(sum(site.of(toDate("month", energyKWh), `user="unattributed"`)), all), "unattributed")).
		decimals(0).steps(goodColour, step{0.25, noteColour})
}

func provisional() panel {
	return stats("Provisional", "Share of this month's emissions that may still be restated: usage settles a day after its half hour, so on the 1st it is all of them. How many intervals that are is on the dashboard Exporter.",
		share, now(fmt.Sprintf("clamp_max((%s - %s) / %s, 1)", sum(emissions), sum("carbon_settled_emissions_gco2eq_total"), sum(toDate("month", emissionsGCO2eq))), "provisional")).
		decimals(0)
}

func unpriced() panel {
	return stats("Unpriced", "Energy that has no carbon intensity yet, and so is in no emissions. Yellow from 1 Wh: the carbon API has had no answer for some half hour. CarbonUnpricedHigh waits for a tenth of a day.",
		kWh, now("carbon_unpriced_energy_kwh", "unpriced")).decimals(1).steps(goodColour, step{0.001, noteColour})
}

func gaps() panel {
	return stats("Missing", "Intervals that Prometheus has not been able to answer for yet. They are asked for again, and are not 0. Yellow from 1, red from 48: a day.",
		plain, now(`sum(carbon_intervals{state="missing"})`, "missing")).
		decimals(0).steps(goodColour, step{1, noteColour}, step{48, badColour})
}
