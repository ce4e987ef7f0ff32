// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
)

// All PromQL that more than one panel asks for.
//
// Three kinds of numbers, each asked for in the one way that is right for it:
//   - of now: the gauges themselves;
//   - of today, this month, this year: the to-date gauges, which the exporter adds
//     up from its store, in its own time zone;
//   - of any other stretch of time: what a gauge of all usage has grown by, per key
//     and then summed. Never increase(): a restatement downward would be taken for
//     a restart, and a whole lifetime added. The settled counters could be
//     increased, but are a day behind, and nothing of a history that was exported
//     and not scraped is in them.

// selection is which usage is meant, as matchers.
type selection string

const (
	site   selection = ""
	chosen selection = `project=~"$project",group=~"$group",user=~"$user",machine=~"$machine"`
)

// of is a metric of the selection, with more matchers.
func (s selection) of(metric string, more ...string) string {
	matchers := more
	if s != "" {
		matchers = append([]string{string(s)}, more...)
	}
	if len(matchers) == 0 {
		return metric
	}
	return metric + "{" + strings.Join(matchers, ",") + "}"
}

const (
	energy    = "carbon_energy_kwh"
	emissions = "carbon_emissions_gco2eq"
	power     = "carbon_power_watts"
	rate      = "carbon_emission_rate_gco2eq_per_hour"

	idle = `mode="idle"`
)

// toDate is the metric of a period: day, month, year, or the one chosen.
func toDate(period, what string) string { return "carbon_" + period + "_to_date_" + what }

const (
	energyKWh       = "energy_kwh"
	emissionsGCO2eq = "emissions_gco2eq"
	chosenPeriod    = "${period}"
)

// tooOld is the time since the newest complete interval of an exporter, where CarbonDataStale finds
// that too long. Until the next one /metrics shows the last one's power and rate.
const tooOld = "2 * carbon_interval_seconds + 3600"

// current is a gauge of the newest interval, of exporters whose newest is not old: what is not
// known any more is a gap.
func current(gauge string) string {
	return fmt.Sprintf("%s unless on (%s) (time() - carbon_last_complete_interval_timestamp_seconds > %s)", gauge, eachExporter, tooOld)
}

// overTime is a gauge of the newest interval over time, by a label, to be stacked. A key that
// comes later or has left uses nothing while its exporter collects, and is 0; while it does not,
// there is a gap. A key that has power and no rate, as it has no price yet, is no 0 either.
func overTime(s selection, by, gauge string) string {
	return sumBy(by, fmt.Sprintf(
		"%s or 0 * max_over_time(%s[$__range] @ end()) and on (%s) (time() - carbon_last_complete_interval_timestamp_seconds <= %s) unless %s",
		current(s.of(gauge)), s.of(gauge), eachExporter, tooOld, s.of(power)))
}

func sum(expr string) string { return "sum(" + expr + ")" }

func sumBy(labels, expr string) string { return "sum by (" + labels + ") (" + expr + ")" }

func top(n int, expr string) string { return fmt.Sprintf("topk(%d, %s)", n, expr) }

// ratio is a part of a whole: 0 where there is a whole and nothing of the part,
// and nothing where there is no whole.
func ratio(part, whole string) string { return fmt.Sprintf("(%s or 0 * %s) / %s", part, whole, whole) }

// grownOver is what a gauge of all usage has grown by, series by series, over a
// stretch of time up to now: a key that came within it counts from its first
// sample on, one that left until its last.
func grownOver(gauge, stretch string) string { return "delta(" + gauge + "[" + stretch + "])" }

// grownInDay is the same over the day that begins at the time of evaluation. It
// looks at the gauge at each half hour, which for a year is thirty times cheaper
// than at each scrape; the millisecond takes in both ends of the day, so that the
// days of a year add up to the year. Usage is there some minutes after its half
// hour: hence the four minutes, in which samples of a history that was exported,
// right at the end of their half hour, are found too.
//
// Two things may shift between neighbouring days, and none is lost: what was
// restated after midnight is in the day on which it was restated; and where clocks
// change, the days on one side begin an hour off midnight, as their steps are 24
// hours. The to-date gauges have neither flaw, but their last value before midnight
// lacks the last half hour, and they don't tell busy from idle.
func grownInDay(gauge string) string { return grownInDayAfter(gauge, "-1d") }

// grownInDayAfter is the day that ends at an offset into the past, or at none. Before 3.4
// Prometheus refused an offset of 0.
func grownInDayAfter(gauge, offset string) string {
	if offset != "" {
		offset = " offset " + offset
	}
	return fmt.Sprintf("delta((%s offset -4m)[1d1ms:30m]%s)", gauge, offset)
}

// grownByCalendar adds up days by the year or the month in which they begin, in
// UTC, over so many days: a vector with that as a label.
func grownByCalendar(label, gauge string, days int) string {
	number, format, digits := "year() * 100 + month()", "$1-$2", "(....)(..)"
	if label == "year" {
		number, format, digits = "year()", "$1", "(.*)"
	}
	name := fmt.Sprintf(`label_replace(count_values("of", %s), "%s", "%s", "of", "%s")`, number, label, format, digits)
	return fmt.Sprintf("sum by (%[1]s) (sum_over_time((sum(%[2]s) * on () group_right () %[3]s)[%[4]dd:1d]))",
		label, grownInDay(gauge), name, days)
}

// sameDayLastMonth is a to-date sum at this time of day on this day of last month;
// on a day that it did not have, on its last.
func sameDayLastMonth(expr string) string {
	back := "on () (clamp_min(days_in_month(vector(time()) - 86400 * day_of_month()), scalar(day_of_month())) == %d)"
	var parts []string
	for _, days := range []int{31, 30, 29, 28} {
		parts = append(parts, fmt.Sprintf("sum(%s offset %dd) and "+back, expr, days, days))
	}
	return strings.Join(parts, " or ")
}

// gridNow is the intensity of the grid with the provider's own word as a label, or that there is
// none: a series without a name would have all of its labels as one.
func gridNow(kind string) string {
	value := fmt.Sprintf(`carbon_intensity_gco2eq_per_kwh{kind="%s"}`, kind)
	return fmt.Sprintf(`%[1]s * on (%[2]s) group_left (index) carbon_intensity_index_info or label_replace(%[1]s unless on (%[2]s) carbon_intensity_index_info, "index", "no category", "", "")`,
		value, eachExporter+", grid, provider, kind")
}
