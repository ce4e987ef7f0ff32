// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// exporter is for the operator: are the sources up, is the data complete, is the store
// writable.
func exporter() frame {
	return frame{
		uid: "carbon-exporter", title: "Carbon / Exporter", from: "now-2d", to: "now",
		about: "The exporter itself: sources, interval states, gaps, coverage, rejected and restated data, watts and what meters say of them, and the store.",
		sections: []section{
			{title: "Health", panels: []panel{
				freshness(), sourcesUp(), gaps(), unpriced(), writable(), reloaded(),
			}},
			{title: "Sources", panels: []panel{
				sourceStates().size(12, 7), answered().size(12, 7), failures().size(12, 8), durations().size(12, 8),
			}},
			{title: "What priced the last 24 hours", panels: []panel{pricedBySource().size(12, 6), pricedByBasis().size(12, 6)}},
			{title: "Data", panels: []panel{
				intervals().size(12, 8), coverage().size(12, 8),
				rejected().size(8, 7), drift().size(8, 7), restated().size(8, 7),
			}},
			{title: "Watts", panels: []panel{wattsTable(site).size(24, 8), typesBySource().size(12, 7), powerBySource().size(12, 7)}},
			{title: "Does the account close?", panels: []panel{measuredAndBooked().size(15, 7), unexplainedOverTime().size(9, 7)}},
			{title: "Forecasts", panels: []panel{forecastErrors().size(24, 6)}},
			{title: "Store and directory", panels: []panel{
				storeSize().size(9, 7), directoryAge().size(7, 4), pendingPostings().size(7, 3).below(), build().size(8, 7),
			}},
		},
	}
}

func sourcesUp() panel {
	return stats("Sources up", "Share of the sources whose last request succeeded. Red below 100 %: the panel Sources shows which one failed, and docs/runbooks what to do. No data is lost: missing data is requested again.",
		share, now("avg(carbon_exporter_source_up)", "up")).decimals(0).steps(badColour, step{1, goodColour})
}

func writable() panel {
	return stats("Store", "Whether the last write to the store succeeded. Red: the disk is full or the file is read-only. Intervals are collected once the store is writable again.",
		"none", now("min(carbon_exporter_store_writable)", "store")).steps(badColour, step{1, goodColour}).said("1", "writable", goodColour).said("0", "not writable", badColour)
}

func reloaded() panel {
	return stats("Configuration", "Whether the last reload of the configuration succeeded. Red: the file is invalid, and the previous configuration is still used.",
		"none", now("min(carbon_exporter_config_last_reload_successful)", "configuration")).steps(badColour, step{1, goodColour}).said("1", "loaded", goodColour).said("0", "invalid", badColour)
}

func sourceStates() panel {
	return states("Sources", "Whether the last request to each source succeeded. Red while it failed.", over("min by (source) (carbon_exporter_source_up)", "{{source}}")).
		said("1", "up", goodColour).said("0", "down", badColour).steps(badColour, step{1, goodColour})
}

func answered() panel {
	return ranking("Time since last success", "Time since the last successful request to each source. Prometheus is queried every half hour, the carbon intensity API every ten minutes, MongoDB as configured. Yellow from one hour (two intervals missed), red from 6 hours.",
		"s", now("sort(time() - max by (source) (carbon_exporter_source_last_success_timestamp_seconds))", "{{source}}")).
		decimals(0).between(0, 6*3600).steps(goodColour, step{3600, noteColour}, step{6 * 3600, badColour})
}

func failures() panel {
	return columnsOf("Failed requests", "Number of failed requests to each source over the preceding hour.",
		plain, over("sum by (source) (increase(carbon_exporter_source_errors_total[1h]))", "{{source}}").every("1h")).decimals(0).fromZero()
}

func durations() panel {
	q := func(p string) string {
		return fmt.Sprintf("histogram_quantile(%s, sum by (source, le) (increase(carbon_exporter_source_request_duration_seconds_bucket[3h]))) >= 0", p)
	}
	return lines("Request duration", "Median and 95th percentile of the duration of requests, over three hours. A query to Prometheus covers all intervals due, at most a day.",
		"s", over(q("0.5"), "{{source}}, median"), over(q("0.95"), "{{source}}, 95 %")).fromZero().field("/95 %/", dashed(), thin())
}

func pricedBySource() panel {
	return lines("Prices by source", "Share of each source of carbon intensity in the prices of the preceding 24 hours. The first of carbon_intensity.sources should have most. What is missing to 100 % has no price yet.",
		share, over("max by (provider) (carbon_intensity_source_ratio)", "{{provider}}")).decimals(0).between(0, 1)
}

func pricedByBasis() panel {
	return lines("Prices by basis", "Share of each basis in the same prices: what the carbon intensity counts. More than one means that emissions of different kinds are added up.",
		share, over("max by (basis) (carbon_intensity_basis_ratio)", "{{basis}}")).decimals(0).between(0, 1)
}

func intervals() panel {
	p := areas("Intervals by state", "Intervals by state: provisional (may be restated), unpriced (no carbon intensity yet), empty (no series), missing (not collected yet). Settled intervals are not shown because there are so many more of them.",
		plain, over(`sum by (state) (carbon_intervals{state!="settled"})`, "{{state}}")).decimals(0).fromZero()
	for _, s := range [][2]string{{"provisional", busyColour}, {"unpriced", noteColour}, {"empty", "semi-dark-purple"}, {"missing", badColour}} {
		p = p.field(s[0], painted(s[1]))
	}
	return p
}

func coverage() panel {
	return lines("Coverage", "CPU seconds of all modes seen in the newest interval, divided by cores x interval length. Below 100 % if machines were up for only part of the interval or scrapes failed. The yellow line at 80 % is the threshold of CarbonCoverageLow.",
		share, over("min by (project) (carbon_coverage_ratio)", "{{project}}")).marked(step{0.8, noteColour}).soft(0.75, 1)
}

func rejected() panel {
	return ranking("Rejected", "Samples from Prometheus, slots from the carbon intensity API and records from MongoDB that were rejected as invalid in the time range, by reason.",
		plain,
		now(`sum by (reason) (increase(carbon_exporter_rejected_samples_total[$__range])) or label_replace(0 * max(carbon_exporter_build_info), "reason", "samples", "", "")`, "{{reason}}"),
		now(`sum by (reason) (increase(carbon_exporter_rejected_records_total[$__range])) or label_replace(0 * max(carbon_exporter_build_info), "reason", "records", "", "")`, "{{reason}}")).
		decimals(0).colour(noteColour)
}

func drift() panel {
	return states("Label drift", "Projects whose series, or a label that identifies their users, disappeared after being present for days. Their usage may be missing or unattributed. The log has details.",
		over("max by (project) (carbon_exporter_label_drift)", "{{project}}")).
		said("0", "unchanged", goodColour).said("1", "drifted", noteColour).steps(goodColour, step{1, noteColour})
}

func restated() panel {
	return lines("Restated", "Final emissions of a day compared with the first estimate: how far forecasts were off for this usage. A single half hour differs by about 24 g/kWh on average, a whole day by less.",
		share, over("sum(increase(carbon_settled_emissions_gco2eq_total[1d])) / (avg_over_time(sum(carbon_emission_rate_gco2eq_per_hour)[1d:10m] offset 24h) * 24) - 1", "settled against first price").every("1h")).decimals(1)
}

func forecastErrors() panel {
	return chart("Forecast error by lead time", "Mean absolute difference between the actuals of the last 28 days and the forecast first seen this far ahead.",
		gramsPerKWh, "in", rows("sum by (in) ("+byLeadTime("max by (ahead) (carbon_intensity_forecast_error_gco2eq_per_kwh)")+")")).
		decimals(0).colour("semi-dark-purple").sortedBy("in").legendless().empty("no forecast with an actual to compare yet")
}

func storeSize() panel {
	return lines("Store size", "Size on disk, including the write-ahead log. It grows with keys x intervals: about a hundred MB for half a year of 200 machines.",
		"bytes", over("sum(carbon_exporter_store_size_bytes)", "store")).colour(busyColour).fromZero()
}

func directoryAge() panel {
	return stats("Directory", "Time since the directory of owners was last read. It is read every few minutes; until then, usage of new workspaces is unattributed. Yellow from one hour. Absent without a directory.",
		"s", now("time() - max(carbon_exporter_directory_timestamp_seconds)", "age")).decimals(0).steps(goodColour, step{3600, noteColour}).empty("no directory of owners")
}

func pendingPostings() panel {
	return stats("Pending writes", "New or restated intervals not yet written to MongoDB. Yellow from 96, two days of half hours. Absent without usage_database.",
		plain, now("max(carbon_exporter_usage_writer_pending_intervals)", "intervals")).decimals(0).steps(goodColour, step{96, noteColour}).empty("no usage_database")
}

func build() panel {
	return tables("Build", "Version of the running exporter, the commit it was built from, and the version of Go.", rows(`max by (version, revision, goversion) (label_replace(carbon_exporter_build_info, "revision", "$1", "revision", "(.{1,8}).*"))`)).
		columns([2]string{"version", "Version"}, [2]string{"revision", "Revision"}, [2]string{"goversion", "Go"})
}
