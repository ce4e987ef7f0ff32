// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// year is the calendar on the wall.
func year() frame {
	return frame{
		// To the end of this week, so that its column is there from Monday on: see
		// weekdays.
		uid: "carbon-year", title: "Carbon / A year", from: "now-1y/w", to: "now/w", refresh: "30m",
		about: "Emissions of every day of a year, and busy and idle emissions per day, month and year.",
		sections: []section{
			{panels: []panel{
				emissionsToDate(site, "year", "This year").the("1h"), energyToDate(site, "year", "Energy this year").the("1h"),
				emissionsToDate(site, "month", "This month").the("1h"), emissionsToDate(site, "day", "Today").the("1h"),
				heaviestDay(), meanDay(),
			}},
			{title: "Every day", panels: []panel{days().size(24, 9)}},
			{title: "Busy and idle", panels: []panel{
				dailyEmissions(site, "45d").size(24, 8),
				byCalendar("month", 396, "Emissions by the month", "Emissions of each month").size(14, 9),
				byCalendar("year", 1827, "Emissions by the year", "Emissions of each year in this Prometheus").size(10, 9),
			}},
		},
	}
}

// weekdays are the rows of the calendar, from below. The steps of a week that
// Grafana asks for are Thursdays, as the epoch was one: so each column is the week,
// from Monday on, that its Thursday is in, as ISO 8601 counts weeks. A day is that
// which ends so long before its Thursday begins.
var weekdays = []struct{ name, ends string }{
	{"Sun", "-4d"}, {"Sat", "-3d"}, {"Fri", "-2d"}, {"Thu", "-1d"}, {"Wed", ""}, {"Tue", "1d"}, {"Mon", "2d"},
}

func days() panel {
	var queries []query
	for _, d := range weekdays {
		queries = append(queries, over(sum(grownInDayAfter(emissions, d.ends)), d.name).every("1w"))
	}
	return calendar("Grams by the day", "Emissions per day. Each column is a week, starting with Monday at the top. Darker (brighter in a dark theme) means more."+daysAbout,
		grams, queries...).points(200)
}

func heaviestDay() panel {
	return stats("Heaviest day", "Highest daily emissions in the last 365 days.", grams,
		now(fmt.Sprintf("max_over_time(%s[365d:1d])", sum(grownInDay(emissions))), "heaviest")).decimals(2).colour(badColour).the("1h")
}

func meanDay() panel {
	return stats("Mean day", "Mean daily emissions over the last 365 days in this Prometheus, without today.", grams,
		now(fmt.Sprintf("avg_over_time(%s[365d:1d] offset 1d)", sum(grownInDay(emissions))), "mean")).decimals(2).the("1h")
}

func byCalendar(label string, days int, title, about string) panel {
	return chart(title, about+", of busy and idle cores and of devices with meters of their own, summed over days in UTC. The first and the current one may be incomplete.",
		grams, label,
		rows(grownByCalendar(label, emissions+`{mode="busy"}`, days)), rows(grownByCalendar(label, emissions+`{mode="idle"}`, days)),
		rows(grownByCalendar(label, emissions+`{mode="measured"}`, days))).
		then("merge", map[string]any{}).then("sortBy", map[string]any{"sort": []map[string]any{{"field": label}}}).
		columns([2]string{label, label}, [2]string{"Value #A", "busy"}, [2]string{"Value #B", "idle"}, [2]string{"Value #C", "measured"}).
		field(label, unit("string")).modes().the("1h")
}
